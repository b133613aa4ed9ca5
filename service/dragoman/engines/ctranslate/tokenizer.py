"""Text to the pieces that a model reads, and back."""

from collections.abc import Sequence
from typing import Protocol

from dragoman.engines.ctranslate.model import SentencePieceFiles, TokenizerFile


class Tokenizer(Protocol):
    """Cuts text into a model's pieces; adds no tokens of its own."""

    def encode(self, text: str) -> list[str]:
        """Return the pieces of a text."""
        ...

    def decode(self, pieces: Sequence[str]) -> str:
        """Return the text of pieces; special tokens have none."""
        ...


class SentencePieceTokenizer:
    """SentencePiece models, one for each side."""

    def __init__(self, files: SentencePieceFiles) -> None:
        from sentencepiece import SentencePieceProcessor

        self._source = SentencePieceProcessor(model_file=str(files.source))
        self._target = (
            self._source if files.target == files.source else SentencePieceProcessor(model_file=str(files.target))
        )

    def encode(self, text: str) -> list[str]:
        """Return the pieces of a text."""
        pieces: list[str] = self._source.encode(text, out_type=str)
        return pieces

    def decode(self, pieces: Sequence[str]) -> str:
        """Return the text of pieces."""
        text: str = self._target.decode(list(pieces))
        return text


class FastTokenizer:
    """A ``tokenizer.json``."""

    def __init__(self, file: TokenizerFile) -> None:
        from tokenizers import Tokenizer as FileTokenizer

        try:
            self._tokenizer = FileTokenizer.from_file(str(file.path))
        except Exception as error:  # the package raises nothing narrower
            raise ValueError(f"'{file.path}' is no tokenizer") from error

    def encode(self, text: str) -> list[str]:
        """Return the pieces of a text."""
        pieces: list[str] = self._tokenizer.encode(text, add_special_tokens=False).tokens
        return pieces

    def decode(self, pieces: Sequence[str]) -> str:
        """Return the text of pieces."""
        ids = [self._tokenizer.token_to_id(piece) for piece in pieces]
        text: str = self._tokenizer.decode([number for number in ids if number is not None])
        return text


def load_tokenizer(files: SentencePieceFiles | TokenizerFile) -> Tokenizer:
    """Return the tokenizer in these files; what its package raises comes through."""
    match files:
        case SentencePieceFiles():
            return SentencePieceTokenizer(files)
        case TokenizerFile():
            return FastTokenizer(files)
