"""Long texts in pieces that a translation model reads whole: cut them, and join their translations."""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

_SENTENCE: Final = re.compile(
    r"""
    [。！？]+ [”’」』）]* \s*                                  # needs no space after it
    | [!?…؟।]+ ["'”’»)\]]* \s++
    | (?<= \w{4} ) (?<! \bProf ) \. ["'”’»)\]]* \s++ (?! [a-z] )  # shorter words may be abbreviations: "Dr.", "z. B."
    | \n \s*
    """,
    re.VERBOSE,
)
_ANY_STOP: Final = re.compile(r"[.!?…؟।] \s++", re.VERBOSE)
_CLAUSE: Final = re.compile(r"[、，；：] \s* | [,;:،؛–—] \s++", re.VERBOSE)
_WORD: Final = re.compile(r"\s++")
_CHARACTER: Final = re.compile(r"(?s:.)")

_FINER_CUTS: Final = (_ANY_STOP, _CLAUSE, _WORD, _CHARACTER)


def cut(text: str, limit: int, count: Callable[[str], int]) -> list[str]:
    """Return the text in pieces that make up exactly the text, in order.

    A piece is a sentence. One of more than ``limit`` tokens, as ``count`` counts them, is cut further where that
    harms least: at stops, between clauses, words, and at last characters. Only a single character may have more.
    """
    return [piece for sentence in _split(text, _SENTENCE) for piece in _fit(sentence, limit, count, _FINER_CUTS)]


def join(pieces: Sequence[str], translations: Sequence[str], separator: str) -> str:
    """Return the translations of ``pieces`` as one text; line breaks between pieces stay where they were."""
    parts: list[str] = []
    for piece, translation in zip(pieces, translations, strict=True):
        breaks = piece.count("\n", len(piece.rstrip()))
        parts += (translation.strip(), "\n" * breaks or separator)
    return "".join(parts).strip()


def _fit(text: str, limit: int, count: Callable[[str], int], cuts: Sequence[re.Pattern[str]]) -> list[str]:
    if not cuts or count(text) <= limit:
        return [text]
    pieces: list[str] = []
    for part in _split(text, cuts[0]):
        if pieces and count(pieces[-1] + part) <= limit:
            pieces[-1] += part
        else:
            pieces += _fit(part, limit, count, cuts[1:])
    return pieces


def _split(text: str, cut_after: re.Pattern[str]) -> list[str]:
    ends = [match.end() for match in cut_after.finditer(text)]
    bounds = [0, *ends, len(text)]
    return [text[start:end] for start, end in pairwise(bounds) if start < end]
