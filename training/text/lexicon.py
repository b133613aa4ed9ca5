"""The frequent words of a language, as they are written inside a sentence.

wordfreq ranks words but writes all of them small; simplemma's dictionaries know which are nouns (German) or names.
"""

import re
from collections.abc import Collection, Mapping

from simplemma import is_known, lemmatize
from wordfreq import top_n_list, zipf_frequency

_COMMON = 6_000
_RARE = 30_000
_LETTERS: Mapping[str, str] = {
    "en": "a-z",
    "es": "a-záéíñóúü",
    "de": "a-zäöüß",
    "fr": "a-zàâçèéêëîïôùûüÿœæ",
}
_VOWELS = re.compile("[aeiouyàáâäæèéêëíîïóôöœùúûüÿ]")
_SINGLE: Mapping[str, frozenset[str]] = {
    "en": frozenset("ai"),
    "es": frozenset("aeouy"),
    "de": frozenset(),
    "fr": frozenset("aày"),
}
# What a service must not put into a caller's mouth because it misheard.
_COARSE = re.compile(
    r"fuck|fick|shit|schei[sß]|beschiss|bitch|nigg|arsch|porn|put[ao]s?$|mierda|hostia|jod[ei]|encul|merde|putain|nazi|wichs|titte"
)


def frequent_words(language: str, trained: Collection[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the common words, most frequent first, and the rarer ones.

    Leaves out what a reader could not say or write for certain: abbreviations, English words in other languages, words
    of unknown case. ``trained`` words are certain as they are given.
    """
    certain = frozenset(trained)
    letters = _LETTERS[language]
    shape = re.compile(rf"[{letters}]+(?:'[{letters}]+)?")
    common: list[str] = []
    rare: list[str] = []
    for rank, word in enumerate(top_n_list(language, _RARE)):
        if shape.fullmatch(word) and _is_speakable(language, rank, word):
            cased = word if word in certain else _cased(language, rank, word)
            if cased is not None:
                (common if rank < _COMMON else rare).append(cased)
    return tuple(common), tuple(rare)


def _is_speakable(language: str, rank: int, word: str) -> bool:
    if len(word) == 1:
        return word in _SINGLE[language]
    if not _VOWELS.search(word) or re.search(r"(.)\1\1", word) or _COARSE.search(word):
        return False
    # Short words further down are abbreviations.
    if (len(word) == 2 and rank > 200) or (len(word) == 3 and rank > 3_000):
        return False
    # Swiss spelling beside the German one.
    if language == "de" and "ss" in word and zipf_frequency(word.replace("ss", "ß"), "de") > zipf_frequency(word, "de"):
        return False
    # English words in other languages would be synthesised by the wrong rules.
    return language == "en" or zipf_frequency(word, "en") <= zipf_frequency(word, language) + 0.7


def _cased(language: str, rank: int, word: str) -> str | None:
    capital = word[0].upper() + word[1:]
    if language == "en" and (word == "i" or word.startswith("i'")):
        return capital
    base = word.partition("'")[0] if language == "en" else word
    if not is_known(base, language):
        if any(is_known(base, other) and lemmatize(base, other)[0].isupper() for other in ("en", "es", "fr")):
            return None if language == "de" else capital
        return word if language != "de" and (rank < _COMMON or word.endswith("ment")) else None
    lemma = lemmatize(base, language)
    if lemma[0].isupper():
        return capital
    if lemmatize(base[0].upper() + base[1:], language)[0].islower():
        return word
    if language == "de":
        inflected_adjective = word.startswith(lemma) and lemma != word
        infinitive = lemma == word and word.endswith("en")
        return word if rank < 300 or inflected_adjective or infinitive else None
    return word if rank < 1_000 else None
