"""What speech recognition and hasty typing do to a text."""

import random
import re
from typing import Final

_UNSPOKEN: Final = re.compile(r"[.,;:!?¡¿…](?!\d)")
"""Marks that nobody pronounces; those inside a number stay."""

_PLAIN, _BARE, _STUTTERED, _MISTYPED = 0.1, 0.15, 0.03, 0.1
_TYPO: Final = 0.05


def slip(text: str, rng: random.Random) -> str:
    """Return the text as it may arrive: as it is, or without its marks, in small letters, stuttered, mistyped."""
    kind = rng.random()
    if kind < _BARE:
        text = bare(text)
    elif kind < _BARE + _PLAIN:
        text = text.rstrip(".!?…")
    if rng.random() < _STUTTERED:
        text = _stutter(text, rng)
    if rng.random() < _MISTYPED:
        text = mistype(text, rng)
    return text


def bare(text: str) -> str:
    """Return a text in small letters and without punctuation."""
    return " ".join(_UNSPOKEN.sub(" ", text).lower().split())


def mistype(text: str, rng: random.Random) -> str:
    """Return a text in which one word in twenty, but one at least, misses a letter or has two swapped.

    Words of fewer than four letters, and those with a digit, are left alone.
    """
    words = text.split(" ")
    open_to_slips = [number for number, word in enumerate(words) if len(word) > 3 and word.isalpha()]
    if open_to_slips:
        chosen = {number for number in open_to_slips if rng.random() < _TYPO} or {rng.choice(open_to_slips)}
        for number in chosen:
            words[number] = _misspelt(words[number], rng)
    return " ".join(words)


def _misspelt(word: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(word) - 1)
    one, other = word[at], word[at + 1]
    swapped = one != other and rng.random() < 0.5
    return word[:at] + (other + one if swapped else other) + word[at + 2 :]


def _stutter(text: str, rng: random.Random) -> str:
    words = text.split(" ")
    at = rng.randrange(len(words))
    return text if any(sign.isdigit() for sign in words[at]) else " ".join([*words[: at + 1], *words[at:]])
