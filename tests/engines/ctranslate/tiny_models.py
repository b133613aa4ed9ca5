"""Translation models of every style, small enough to build in a test and right enough to check what they say.

Each is a real CTranslate2 Transformer whose weights are written by hand: it translates word by word from ``WORDS``.
The decoder's position attends to the same position of the text in the source, and to the language token; a word
scores for meaning what is read there and for belonging to that language. A prompt with a token missing or out of
place shifts what is read, so only the exact prompt of a style gives a right translation.
"""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import ctranslate2
import numpy as np
import sentencepiece
from numpy.typing import NDArray
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

WORDS: Final = {
    "en": ("hello", "friend", "good", "morning", "water", "house", "evening", "thanks"),
    "es": ("hola", "amigo", "buena", "mañana", "agua", "casa", "tarde", "gracias"),
    "de": ("hallo", "freund", "guten", "morgen", "wasser", "haus", "abend", "danke"),
    "fr": ("bonjour", "ami", "bon", "matin", "eau", "maison", "soir", "merci"),
}
NLLB_TOKENS: Final = {"en": "eng_Latn", "es": "spa_Latn", "de": "deu_Latn", "fr": "fra_Latn"}
M2M100_TOKENS: Final = {"en": "__en__", "es": "__es__", "de": "__de__", "fr": "__fr__"}
OURS_TOKENS: Final = {language: f"<{language}>" for language in WORDS}

_END: Final = "</s>"
_SPACE: Final = "▁"
_POSITION_BITS: Final = 10
_CODE: Final = 2 * _POSITION_BITS

_Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class TinySpec:
    """What a model reads and says, and what it expects around the text."""

    sources: Sequence[str]
    targets: Sequence[str]
    before: int = 0
    """Tokens before the text in the source."""
    prefix: int = 0
    """Tokens that the translation must begin with."""
    language_tokens: Mapping[str, str] = field(default_factory=dict)
    """Language tokens; empty for a model of one pair."""
    language_in: Literal["source", "prefix"] = "source"
    """Where the target's token stands, always last in its place."""
    adds_end: bool = False
    """CTranslate2 itself ends the source."""
    ends: bool = True
    """The model can say the end token."""


def words_of(language: str) -> list[str]:
    """Return the words of a language, each also as it ends a sentence."""
    return [word + mark for word in WORDS[language] for mark in ("", ".")]


def pieces_of(text: str) -> list[str]:
    """Return a text as the pieces of every tokenizer here."""
    return [_SPACE + word for word in text.split()]


def in_language(text: str, language: str) -> str:
    """Return the translation, word by word, that a tiny model should give of ``text`` (of any language)."""
    meaning = {word: index for known in WORDS for index, word in enumerate(words_of(known))}
    return " ".join(words_of(language)[meaning[word]] for word in text.split())


def opus(folder: Path, spec: TinySpec) -> Path:
    """Write a model as ``ct2-transformers-converter`` leaves a Marian one; the folder's name is the caller's."""
    _write_weights(folder, spec)
    (folder / "source.spm").write_bytes(_sentencepiece(spec.sources))
    (folder / "target.spm").write_bytes(_sentencepiece(spec.targets))
    return folder


def multilingual(folder: Path, tokens: Mapping[str, str], tokenizer: Literal["sentencepiece", "tokenizers"]) -> Path:
    """Write an NLLB or M2M-100 model of four languages."""
    languages = tuple(WORDS)
    _write_weights(
        folder, TinySpec(languages, languages, before=1, prefix=1, language_tokens=tokens, language_in="prefix")
    )
    if tokenizer == "sentencepiece":
        (folder / "sentencepiece.bpe.model").write_bytes(_sentencepiece(languages))
    else:
        _write_fast_tokenizer(folder)
    return folder


def argos(folder: Path, source: str, target: str, target_prefix: str = "") -> Path:
    """Write an extracted Argos package."""
    prefix = {target: target_prefix} if target_prefix else {}
    spec = TinySpec(
        (source,), (target,), prefix=len(prefix), language_tokens=prefix, language_in="prefix", adds_end=True
    )
    _write_weights(folder / "model", spec)
    (folder / "sentencepiece.model").write_bytes(_sentencepiece((source, target)))
    metadata = {"from_code": source, "to_code": target, "package_version": "1.9"}
    _write_json(folder / "metadata.json", metadata | ({"target_prefix": target_prefix} if target_prefix else {}))
    return folder


def ours(folder: Path) -> Path:
    """Write one of our own many-to-many models."""
    languages = tuple(WORDS)
    _write_weights(folder, TinySpec(languages, languages, before=2, language_tokens=OURS_TOKENS))
    _write_fast_tokenizer(folder)
    translation = {
        "kind": "dragoman-translation",
        "version": 1,
        "languages": list(languages),
        "tokenizer": "tokenizer.json",
        "source_prefix": ["<{source}>", "<{target}>"],
        "target_prefix": [],
    }
    _write_json(folder / "translation.json", translation)
    return folder


def _write_json(path: Path, value: Mapping[str, object]) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")


def _sentencepiece(languages: Sequence[str]) -> bytes:
    words = [word for language in languages for word in words_of(language)]
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(words),
        model_writer=model,
        model_type="word",
        vocab_size=len(words) + 3,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    return model.getvalue()


def _write_fast_tokenizer(folder: Path) -> None:
    tokens = ["<unk>", *(_SPACE + word for language in WORDS for word in words_of(language))]
    tokenizer = Tokenizer(models.WordLevel({token: index for index, token in enumerate(tokens)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.save(str(folder / "tokenizer.json"))


def _write_weights(folder: Path, spec: TinySpec) -> None:
    folder.mkdir(parents=True)
    languages = dict.fromkeys([*spec.sources, *spec.targets])
    words = [_SPACE + word for language in languages for word in words_of(language)]
    vocabulary = ["<unk>", "<s>", _END, *spec.language_tokens.values(), *words]
    _transformer(vocabulary, spec).save(str(folder))


def _position_codes(first: int) -> _Matrix:
    """Return one row of ±1 per position, counted from ``first``; rows differ in two signs at least and sum to 0."""
    numbers = np.arange(first, first + 2**_POSITION_BITS) % 2**_POSITION_BITS
    signs = 2 * (numbers[:, None] >> np.arange(_POSITION_BITS) & 1) - 1
    return np.hstack([signs, -signs]).astype(np.float32)


def _transformer(vocabulary: Sequence[str], spec: TinySpec) -> ctranslate2.specs.TransformerSpec:
    """Return the model. A state is a position code, a token read, and an area for what is to be said."""
    size = len(vocabulary)
    depth = _CODE + 2 * size
    head = depth // 2
    code, read, say = slice(0, _CODE), slice(_CODE, _CODE + size), slice(_CODE + size, depth)
    index = {token: number for number, token in enumerate(vocabulary)}
    is_language = np.isin(vocabulary, list(spec.language_tokens.values()))
    offset = spec.before - spec.prefix

    def zeros(*shape: int) -> _Matrix:
        return np.zeros(shape, dtype=np.float32)

    def padded(table: _Matrix, first: int) -> _Matrix:
        wide = zeros(table.shape[0], depth)
        wide[:, first : first + table.shape[1]] = table
        return wide

    model = ctranslate2.specs.TransformerSpec.from_config((1, 1), 2)
    model.register_source_vocabulary(list(vocabulary))
    model.register_target_vocabulary(list(vocabulary))
    model.config.decoder_start_token = _END
    model.config.add_source_eos = spec.adds_end

    # Layer norm shrinks the code of a position that also has a token, so the decoder's sparse tokens must be faint.
    tokens = np.eye(size, dtype=np.float32)
    for side, embeddings, first, vectors in (
        (model.encoder, model.encoder.embeddings[0], -offset, 4 * tokens),
        (model.decoder, model.decoder.embeddings, 0, tokens * is_language),
    ):
        side.scale_embeddings = False
        embeddings.weight = padded(vectors, read.start)
        side.position_encodings.encodings = padded(_position_codes(first), code.start)
        _normalize(side.layer_norm, depth)
        _silence(side.layer[0].self_attention, depth)
        feed_forward = side.layer[0].ffn
        _normalize(feed_forward.layer_norm, depth)
        for linear, shape in ((feed_forward.linear_0, (8, depth)), (feed_forward.linear_1, (depth, 8))):
            linear.weight, linear.bias = zeros(*shape), zeros(shape[0])

    # The first head reads the word at the decoder's own position, the second the target's language.
    by_position = zeros(head, depth)
    by_position[code, code] = np.eye(_CODE)
    token_value, language_value, said = zeros(head, depth), zeros(head, depth), zeros(depth, head)
    token_value[:size, read] = tokens * ~is_language
    language_value[:size, read] = tokens * is_language
    said[say, :size] = tokens

    cross = model.decoder.layer[0].attention
    _silence(cross, depth)
    cross.linear[0].weight[:head] = 20 * by_position
    cross.linear[1].weight = np.vstack([by_position, by_position, token_value, language_value])
    cross.linear[2].weight[:, :head] = said
    if spec.language_tokens and spec.language_in == "source":
        cross.linear[0].bias[head : head + _CODE] = 20 * _position_codes(0)[spec.before - 1 - offset]
        cross.linear[2].weight[:, head:] = said
    elif spec.language_tokens:
        own = model.decoder.layer[0].self_attention
        own.linear[0].bias[:_CODE] = 20 * _position_codes(0)[spec.prefix]
        own.linear[0].weight[depth : depth + head] = by_position
        own.linear[0].weight[2 * depth : 2 * depth + head] = language_value
        own.linear[1].weight[:, :head] = 3 * said

    scores = zeros(size, depth)
    scores[index[_END], say.start + index[_END]] = 10
    for target in spec.targets:
        for meaning, word in enumerate(words_of(target)):
            row = scores[index[_SPACE + word]]
            for source in spec.sources:
                row[say.start + index[_SPACE + words_of(source)[meaning]]] = 10
            if target in spec.language_tokens:
                row[say.start + index[spec.language_tokens[target]]] = 5
    model.decoder.projection.weight = scores
    model.decoder.projection.bias = zeros(size)
    if not spec.ends:
        model.decoder.projection.bias[index[_END]] = -1000
    model.validate()
    return model


def _normalize(norm: ctranslate2.specs.common_spec.LayerNormSpec, depth: int) -> None:
    norm.gamma, norm.beta = np.ones(depth, dtype=np.float32), np.zeros(depth, dtype=np.float32)


def _silence(attention: ctranslate2.specs.attention_spec.MultiHeadAttentionSpec, depth: int) -> None:
    """Give an attention layer weights under which it adds nothing."""
    _normalize(attention.layer_norm, depth)
    parts = (3, 1) if len(attention.linear) == 2 else (1, 2, 1)
    for linear, count in zip(attention.linear, parts, strict=True):
        linear.weight = np.zeros((count * depth, depth), dtype=np.float32)
        linear.bias = np.zeros(count * depth, dtype=np.float32)
