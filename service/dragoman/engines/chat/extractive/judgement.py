"""Verdicts without a language model: words and numbers are compared."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

_NUMBER: Final = re.compile(r"\d+")
_WORD: Final = re.compile(r"[^\W\d_]{4,}")
_STEM: Final = 4
"""Words that begin alike are taken for the same."""

_OFTEN: Final = 2


def grounded(text: str, evidence: Sequence[str]) -> float:
    """Return how much of a claim was said, from 0 to 1; a number that was not makes it 0."""
    said = " ".join(evidence)
    if not set(_NUMBER.findall(text)) <= set(_NUMBER.findall(said)):
        return 0.0
    known = set(_stems(said))
    return _share([stem in known for stem in _stems(text)])


def relevant(text: str, evidence: Sequence[str]) -> float:
    """Return how much of a claim is about what several utterances speak of, or about numbers."""
    counts = Counter(stem for each in evidence for stem in set(_stems(each)))
    if _NUMBER.search(text):
        return 1.0
    return min(1.0, 2 * _share([counts[stem] >= _OFTEN for stem in _stems(text)]))


def _stems(text: str) -> list[str]:
    return [word[:_STEM] for word in _WORD.findall(text.lower())]


def _share(found: Sequence[bool]) -> float:
    return sum(found) / len(found) if found else 1.0
