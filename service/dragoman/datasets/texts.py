"""When two texts say the same, in any script: what they are made of, and pairs that hardly differ."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from typing import Final

_GRAM: Final = 5
_ALIKE: Final = 0.7
"""Jaccard index of 5-grams from which on two texts are one: a word of ten that differs still is."""

_SHORTEST: Final = 20
"""Columns. What is shorter is said everywhere: "Good morning, how are you?" has 26, and "Yes, that's right." 18."""

_WIDE: Final = frozenset("WF")


def normalized(text: str) -> str:
    """Return what a text says, without case, punctuation and spacing."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.findall(r"\w+", folded))


def count_words(text: str) -> int:
    """Return how many words a text has; where words are not written apart, as in Chinese, how many characters."""
    return sum(max(sum(map(_is_wide, word)), 1) for word in normalized(text).split())


def is_telling(text: str) -> bool:
    """Return whether a text is long enough that saying it twice is no accident. A Chinese character has two columns."""
    return sum(1 + _is_wide(char) for char in normalized(text)) >= _SHORTEST


def grams(text: str) -> frozenset[str]:
    """Return what a text is made of: runs of five characters. Spaces do not count: many languages write none."""
    plain = normalized(text).replace(" ", "")
    return frozenset(plain[start : start + _GRAM] for start in range(max(len(plain) - _GRAM + 1, 1)))


def likeness(one: frozenset[str], two: frozenset[str]) -> float:
    """Return the Jaccard index of two sets: 1 if they are the same, 0 if they have nothing in common."""
    union = len(one | two)
    return len(one & two) / union if union else 1.0


def alike(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield pairs of texts that are the same or hardly differ; those that say little are left out.

    Exact: by prefix filtering, after Bayardo, Ma and Srikant, "Scaling up all pairs similarity search" (WWW 2007), two
    texts that are alike share one of the rarest grams of each.
    """
    sets = {number: grams(text) for number, text in enumerate(texts) if is_telling(text)}
    often = Counter(gram for found in sets.values() for gram in found)
    having: defaultdict[str, list[int]] = defaultdict(list)
    for number, found in sorted(sets.items(), key=lambda entry: len(entry[1])):
        rarest = sorted(found, key=lambda gram: (often[gram], gram))
        prefix = rarest[: len(found) - ceil(_ALIKE * len(found)) + 1]
        near = {other for gram in prefix for other in having[gram] if len(sets[other]) >= _ALIKE * len(found)}
        for other in sorted(near):
            if likeness(found, sets[other]) >= _ALIKE:
                yield min(number, other), max(number, other)
        for gram in prefix:
            having[gram].append(number)


def said_in(value: object) -> Iterator[str]:
    """Yield every text in a JSON value, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from said_in(inner)
    elif isinstance(value, Sequence):
        for inner in value:
            yield from said_in(inner)


def _is_wide(char: str) -> bool:
    return unicodedata.east_asian_width(char) in _WIDE
