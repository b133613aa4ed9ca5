"""Names, numbers and codes that nobody has seen: what all translations of a text share is replaced in all of them."""

import random
import re
import string
from collections.abc import Callable, Mapping, Sequence
from typing import Final

_NUMBER: Final = re.compile(r"(?<![\w.,:])(?!(?:19|20)\d\d\b)\d{4,}(?![\w:]|[.,]\d)")
"""Numbers of which there are too many to learn; years and short ones are slot values, whose splits must stay apart."""

_NAME: Final = re.compile(r"\b[A-ZÀ-Þ][a-zß-ÿ]{2,}\b")

_ONSETS: Final = (
    *"bcdfghjklmnprstvwz", "br", "ch", "cr", "dr", "fl", "fr", "gr", "kl", "kr", "ph", "pr", "qu", "sch", "sh", "st",
    "str", "th", "tr", "y",
)  # fmt: skip
_VOWELS: Final = (*"aeiouaeiouaeiou", "ai", "au", "ea", "ee", "ie", "oo", "ou", "á", "é", "ä", "ö", "ü", "ó", "è")
_CODAS: Final = ("", "", "", *"lmnrstkx", "ck", "ll", "ng", "nd", "rt", "rs", "tz", "ss", "nn", "sky")


def with_unseen(
    texts: Mapping[str, str], rng: random.Random, make_name: Callable[[], str] | None = None
) -> dict[str, str]:
    """Return parallel texts in which long numbers and names that are the same in all of them have become others."""
    words = " ".join(texts.values()).split()
    makers: tuple[tuple[re.Pattern[str], Callable[[], str]], ...] = (
        (_NUMBER, lambda: _code_or_number(rng)),
        (_NAME, make_name or (lambda: unseen_name(words, rng))),
    )
    changed = dict(texts)
    for pattern, make in makers:
        for shared in sorted(set.intersection(*(set(pattern.findall(text)) for text in changed.values()))):
            new = make()
            changed = {language: re.sub(rf"\b{shared}\b", new, text) for language, text in changed.items()}
    return changed


def shared_signs(texts: Mapping[str, str]) -> set[str]:
    """Return the words with a capital or a digit that are the same in all of the texts: names, numbers and codes."""
    words = ({word.strip(".,:;?!") for word in text.split()} for text in texts.values())
    return {word for word in set.intersection(*words) if any(sign.isupper() or sign.isdigit() for sign in word)}


def unseen_names(words: Sequence[str], rng: random.Random) -> str:
    """Return one to four unseen names, numbers or codes on their own."""
    made = (
        unseen_name(words, rng) if rng.random() < 0.6 else _code_or_number(rng)
        for _ in range(rng.choice((1, 1, 2, 2, 3, 4)))
    )
    return rng.choice((" ", " ", ", ")).join(made) + rng.choice((".", "", "?"))


def unseen_name(words: Sequence[str], rng: random.Random) -> str:
    """Return a word that means nothing, with a capital: made of syllables, or of pieces of two of ``words``."""
    if rng.random() < 0.5:
        syllables = (rng.choice(_ONSETS) + rng.choice(_VOWELS) for _ in range(rng.choice((1, 2, 2, 2, 3))))
        return ("".join(syllables) + rng.choice(_CODAS)).capitalize()
    one, other = ("".join(filter(str.isalpha, rng.choice(words))) for _ in range(2))
    name = one[: rng.randint(1, 5)] + other[-rng.randint(2, 5) :]
    return (name if len(name) > 1 else "Abel").capitalize()


def _code_or_number(rng: random.Random) -> str:
    """Return a number, or a code of capitals and digits, such as ``"KX-4482"`` or ``"7B3F"``."""
    digits = "".join(rng.choices(string.digits, k=rng.randint(2, 9)))
    if rng.random() < 0.7:
        return digits
    letters = "".join(rng.choices(string.ascii_uppercase, k=rng.randint(1, 3)))
    if rng.random() < 0.2:
        return "".join(rng.sample(letters + digits, len(letters + digits)))
    return letters + rng.choice(("-", "", " ")) + digits
