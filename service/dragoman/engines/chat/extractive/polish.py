"""A correction without a language model: words of the glossary that were misheard by a letter or two, and stutters."""

import re
from collections.abc import Sequence
from typing import Final

from dragoman.domain.insight import Change

_WORD: Final = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_STUTTER: Final = re.compile(r"\b([^\W\d_]+)(?:,? \1\b)+", re.IGNORECASE)
_OFTEN_TWICE: Final = frozenset({"das", "der", "die", "had", "nous", "sie", "that", "vous"})
"""Words that stand twice where nobody stutters."""

_SHORT: Final = 4
_MOST_WRONG: Final = 2


def polish(text: str, glossary: Sequence[str]) -> tuple[str, tuple[Change, ...]]:
    """Return a text with the words of a glossary where others nearly are them, and what was changed."""
    changes: list[Change] = []

    def once(match: re.Match[str]) -> str:
        word = str(match[1])
        if word.lower() in _OFTEN_TWICE:
            return str(match[0])
        changes.append(Change(was=match[0], now=word, why="said twice"))
        return word

    expected: list[str] = [word for phrase in glossary for word in _WORD.findall(phrase) if len(word) >= _SHORT]

    def heard(match: re.Match[str]) -> str:
        word = str(match[0])
        if len(word) < _SHORT or word.lower() in {each.lower() for each in expected}:
            return word
        nearest = min(expected, key=lambda each: _distance(word.lower(), each.lower()), default=None)
        if nearest is None or _distance(word.lower(), nearest.lower()) > min(_MOST_WRONG, len(nearest) // _SHORT):
            return word
        changes.append(Change(was=word, now=nearest, why="a word of the glossary"))
        return nearest

    return _WORD.sub(heard, _STUTTER.sub(once, text)), tuple(changes)


def _distance(one: str, other: str) -> int:
    """Return how many letters must be changed to make one word of another (Levenshtein)."""
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        before, row[0] = row[0], at
        for to, wanted in enumerate(other, 1):
            before, row[to] = row[to], min(row[to] + 1, row[to - 1] + 1, before + (letter != wanted))
    return row[-1]
