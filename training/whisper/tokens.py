"""The vocabulary of a small Whisper, in the order that CTranslate2 and faster-whisper expect.

Text pieces come first and ``<|endoftext|>`` after the last of them (faster-whisper tells text by ``token < eot``). The
last text piece is the empty string: by it CTranslate2 recognises a multilingual model. Timestamps end the vocabulary.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from training.text.sentences import LANGUAGES

TEXT_PIECES: Final = 1_200
TIMESTAMPS: Final = 1_501
SECONDS_PER_TIMESTAMP: Final = 0.02

_SPECIAL: Final = (
    "<|endoftext|>",
    "<|startoftranscript|>",
    *(f"<|{language}|>" for language in LANGUAGES),
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nospeech|>",
    "<|notimestamps|>",
)
# Digits one by one: a number never seen is read like any other.
_PIECES: Final = r" ?\p{N}| ?[^\s\p{L}\p{N}]+| ?\p{L}+|\s+"
_PRIVATE: Final = 0xE000
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyzáéíóúüñäöüßàâæçèéêëîïôœùûÿ"


class Tokens:
    """Text to token ids and back, and the ids that are not text."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.eot = self._id("<|endoftext|>")
        self.sot = self._id("<|startoftranscript|>")
        self.language = {language: self._id(f"<|{language}|>") for language in LANGUAGES}
        self.translate = self._id("<|translate|>")
        self.transcribe = self._id("<|transcribe|>")
        self.start_of_lm = self._id("<|startoflm|>")
        self.prev = self._id("<|startofprev|>")
        self.no_speech = self._id("<|nospeech|>")
        self.no_timestamps = self._id("<|notimestamps|>")
        self.first_timestamp = self._id("<|0.00|>")
        self.size = self.first_timestamp + TIMESTAMPS
        self.space = self._id("Ġ")

    @classmethod
    def load(cls, file: Path) -> "Tokens":
        """Read a ``tokenizer.json``."""
        return cls(Tokenizer.from_file(str(file)))

    def word(self, text: str) -> list[int]:
        """Return the tokens of a word with the space before it; a sentence is its words' tokens in a row."""
        ids: list[int] = self.tokenizer.encode(" " + text, add_special_tokens=False).ids
        return ids

    def text(self, ids: Sequence[int]) -> str:
        """Return the text of tokens, without those that are not text."""
        decoded: str = self.tokenizer.decode([token for token in ids if token < self.eot])
        return decoded.strip()

    def timestamp(self, seconds: float) -> int:
        """Return the token of the nearest timestamp."""
        return self.first_timestamp + min(max(round(seconds / SECONDS_PER_TIMESTAMP), 0), TIMESTAMPS - 1)

    def vocabulary(self) -> list[str]:
        """Return every token by id."""
        return [self.tokenizer.id_to_token(at) or "" for at in range(self.size)]

    def config(self, alignment_heads: Sequence[tuple[int, int]]) -> dict[str, list[int] | list[list[int]]]:
        """Return what CTranslate2's ``config.json`` says of these tokens."""
        never = (self.sot, self.translate, self.transcribe, self.start_of_lm, self.prev, self.no_speech)
        return {
            "alignment_heads": [list(head) for head in alignment_heads],
            "lang_ids": sorted(self.language.values()),
            "suppress_ids": sorted(never),
            "suppress_ids_begin": [self.space, self.eot],
        }

    def _id(self, token: str) -> int:
        found = self.tokenizer.token_to_id(token)
        if found is None:
            raise ValueError(f"The tokenizer has no token '{token}': it is not one of ours.")
        return found


def train_tokens(texts: Iterable[str]) -> Tokens:
    """Learn the pieces of text and append everything that is not text.

    faster-whisper never lets a lone space be said (it is the first piece of " -"). So a space and the character after
    it are one symbol from the start, written as one of Unicode's private characters while pieces are learned.
    """
    cutter = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    joined = [chr(_PRIVATE + ord(character)) for character in alphabet]
    trainer = trainers.BpeTrainer(
        vocab_size=TEXT_PIECES - 1, initial_alphabet=alphabet, special_tokens=[], show_progress=False
    )
    always = [" ".join(_with_space(character) for character in firsts) for firsts in _spellings()]
    pieces = (" ".join(_join(piece) for piece, _ in cutter.pre_tokenize_str(text)) for text in texts)
    learner.train_from_iterator([*pieces, *always], trainer)
    learned = json.loads(learner.to_str())["model"]
    spaced = sorted(set(joined) & set(learned["vocab"]))
    merges = [("Ġ", chr(ord(symbol) - _PRIVATE)) for symbol in spaced]
    merges += [(_part(left), _part(right)) for left, right in learned["merges"]]
    names = [*alphabet, *("".join(merge) for merge in merges), ""]
    model = models.BPE({name: at for at, name in enumerate(dict.fromkeys(names))}, merges)
    finished = Tokenizer(model)
    finished.pre_tokenizer = cutter
    finished.decoder = decoders.ByteLevel()
    finished.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in _SPECIAL])
    stamps = (f"<|{at * SECONDS_PER_TIMESTAMP:.2f}|>" for at in range(TIMESTAMPS))
    finished.add_tokens([AddedToken(stamp, normalized=False) for stamp in stamps])
    return Tokens(finished)


def _spellings() -> Iterable[list[str]]:
    """Yield the first byte of every character that a word of our languages may begin with, as its byte-level symbol."""
    for text in (_LETTERS, _LETTERS.upper(), "0123456789'-"):
        yield [pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str(each)[0][0][0] for each in text]


def _with_space(character: str) -> str:
    return chr(_PRIVATE + ord(character))


def _join(piece: str) -> str:
    return _with_space(piece[1]) + piece[2:] if piece.startswith("Ġ") and len(piece) > 1 else piece


def _part(piece: str) -> str:
    return f"Ġ{chr(ord(piece[0]) - _PRIVATE)}{piece[1:]}" if ord(piece[0]) >= _PRIVATE else piece
