"""Tells a translation from a model that talks on and on."""

from collections.abc import Sequence
from typing import Final

_LONGEST_UNIT: Final = 16
_SHORTEST_LOOP: Final = 12


def longest_translation(source_tokens: int) -> int:
    """Return how many tokens a translation of so many may have.

    Languages differ in tokens per meaning by a factor of two to three; the constant lets a single word become a
    phrase.
    """
    return 3 * source_tokens + 32


def is_runaway(source: Sequence[str], translation: Sequence[str]) -> bool:
    """Return whether a translation never ended, or repeats itself where its source does not.

    A loop is what one to 16 tokens, said again at once, cover together. Speech has honest ones ("no no no"), so it
    counts from 12 tokens on and only if it is more than twice as long as any loop of the source.
    """
    if len(translation) >= longest_translation(len(source)):
        return True
    loop = longest_loop(translation)
    return loop >= _SHORTEST_LOOP and loop > 2 * longest_loop(source)


def longest_loop(tokens: Sequence[str]) -> int:
    """Return the length, in tokens, of the longest run in which a unit is followed by itself; 0 if there is none."""
    longest = 0
    for unit in range(1, min(_LONGEST_UNIT, len(tokens) // 2) + 1):
        matched = 0
        for position in range(unit, len(tokens)):
            matched = matched + 1 if tokens[position] == tokens[position - unit] else 0
            if matched >= unit:
                longest = max(longest, unit + matched)
    return longest
