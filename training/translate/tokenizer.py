"""The pieces that texts of all languages are cut into: one byte-level BPE, in which everything can be written.

Digits, and capitals that no small letter follows, stand alone, so that numbers and codes are copied sign by sign.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Final

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

PADDING: Final = 0
"""The id of ``<unk>``, which no byte-level text contains."""

START: Final = 1
END: Final = 2

_CONTROL: Final = ("<unk>", "<s>", "</s>")
_PIECE: Final = r" ?\p{Lu}(?!\p{Ll})| ?\p{L}+| ?\p{N}| ?[^\s\p{L}\p{N}]|\s+"


def train_tokenizer(texts: Iterable[str], languages: Sequence[str], size: int) -> Tokenizer:
    """Return a tokenizer with so many pieces, control and language tokens included."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Prepend(" ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECE), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.Sequence([decoders.ByteLevel(), decoders.Strip(" ", 1, 0)])
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[*_CONTROL, *map(language_token, languages)],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return _without_specials(tokenizer)


def language_token(language: str) -> str:
    """Return the token that stands for a language."""
    return f"<{language}>"


def language_id(tokenizer: Tokenizer, language: str) -> int:
    """Return the id of a language's token."""
    number = tokenizer.token_to_id(language_token(language))
    assert number is not None, "the tokenizer was trained for its languages"
    return number


def vocabulary(tokenizer: Tokenizer) -> list[str]:
    """Return all pieces in the order of their ids."""
    pieces = tokenizer.get_vocab()
    return sorted(pieces, key=pieces.__getitem__)


def _without_specials(tokenizer: Tokenizer) -> Tokenizer:
    """Return a tokenizer whose control tokens are ids only: a text that says ``</s>`` gets pieces like any other."""
    description = json.loads(tokenizer.to_str())
    description["added_tokens"] = []
    return Tokenizer.from_str(json.dumps(description))
