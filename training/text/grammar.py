"""Where words meet: contractions, elisions and capital letters."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from training.text.slots import Word, Words

_CONTRACTIONS: Mapping[str, Mapping[tuple[str, str], str]] = {
    "es": {("a", "el"): "al", ("de", "el"): "del"},
    "fr": {("à", "le"): "au", ("à", "les"): "aux", ("de", "le"): "du", ("de", "les"): "des"},
    "de": {
        ("zu", "dem"): "zum",
        ("zu", "der"): "zur",
        ("von", "dem"): "vom",
        ("bei", "dem"): "beim",
        ("in", "dem"): "im",
        ("an", "dem"): "am",
    },
}
_FRENCH_VOWELS = tuple("aàâeéèêiîoôuAÀÂEÉÈÊIÎOÔU")
_ELIDED = frozenset({"de", "que", "jusque", "lorsque", "puisque"})
_ALWAYS_CAPITAL = {
    "en": frozenset({"I", "I'm", "I'd", "I'll", "I've"}),
    "de": frozenset({"Sie", "Ihr", "Ihre", "Ihrem", "Ihren", "Ihrer", "Ihres", "Ihnen"}),
}


def join(language: str, words: list[Word], value: Words, before: str, after: str) -> None:
    """Append a slot value with the text glued to it, melting it with the word in front as the language wants."""
    fresh = list(value)
    if before:
        fresh[0] = Word(before + fresh[0].written, before + fresh[0].spoken)
    elif words:
        if words[-1].written[-1] in ".?!":
            fresh[0] = capitalised(fresh[0])
        else:
            _melt(language, words, fresh)
    if after:
        fresh[-1] = Word(fresh[-1].written + after, fresh[-1].spoken + after)
    words.extend(fresh)


def _melt(language: str, words: list[Word], fresh: list[Word]) -> None:
    last, first = words[-1].written, fresh[0].written
    melted = _CONTRACTIONS.get(language, {}).get((last.lower(), first))
    if melted and len(fresh) > 1:
        words[-1] = _like(last, melted)
        del fresh[0]
    elif language == "fr" and last.lower() in _ELIDED and first.startswith(_FRENCH_VOWELS):
        del words[-1]
        fresh[0] = Word(f"{last[:-1]}'{first}", f"{last[:-1]}'{fresh[0].spoken}")
    elif language == "es" and last == "y" and re.match(r"h?i(?!e)", first, re.IGNORECASE):
        words[-1] = Word("e", "e")
    elif language == "es" and last == "o" and re.match(r"h?o|8|11$", first, re.IGNORECASE):
        words[-1] = Word("u", "u")
    elif language == "en" and last.lower() == "a" and re.match(r"[aeio]|8|1[18]$", first, re.IGNORECASE):
        words[-1] = _like(last, "an")


def _like(model: str, text: str) -> Word:
    cased = text[0].upper() + text[1:] if model[0].isupper() else text
    return Word(cased, cased)


def capitalised(word: Word) -> Word:
    """Return the word as it begins a sentence."""
    return Word(word.written[:1].upper() + word.written[1:], word.spoken[:1].upper() + word.spoken[1:])


@dataclass(frozen=True, slots=True)
class Casing:
    """Which words of a language are written small, and which with a capital, inside a sentence."""

    language: str
    small: frozenset[str]
    capital: frozenset[str]

    @classmethod
    def of(cls, language: str, texts: Iterable[str]) -> "Casing":
        """Learn from the words that do not begin a sentence."""
        small: set[str] = set()
        capital: set[str] = set()
        for text in texts:
            begins = True
            for token in text.split():
                word = token.strip(".,?!:")
                if not begins and word[:1].isalpha():
                    (capital if word[0].isupper() else small).add(word)
                begins = token[-1] in ".?!"
        return cls(language, frozenset(small), frozenset(capital))

    def inner(self, token: str) -> str | None:
        """Return a sentence's first word as it is written further in; nothing where that is not known."""
        word = token.strip(".,?!:")
        lowered = word[:1].lower() + word[1:]
        if word in _ALWAYS_CAPITAL.get(self.language, ()):
            return token
        if word in self.capital:
            return None if lowered in self.small else token
        if lowered in self.small or self.language != "de":
            return token[:1].lower() + token[1:]
        return None
