"""Text as words that can be compared: what is written differently and said alike becomes the same.

What a language writes in its own way is undone for that language only. Anything that changes a figure changes
``VERSION``, which every report holds.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from dragoman.domain.language import base_language

VERSION: Final = "1"

_HESITATIONS: Final[Mapping[str, frozenset[str]]] = {
    "de": frozenset({"äh", "ähm", "hm", "hmm"}),
    "en": frozenset({"uh", "um", "uhm", "erm", "hmm", "mm", "mhm"}),
    "es": frozenset({"eh", "em", "hm", "hmm"}),
    "fr": frozenset({"euh", "heu", "hum", "hmm"}),
    "it": frozenset({"eh", "ehm", "hmm"}),
    "pt": frozenset({"hã", "hum", "hmm"}),
}
"""What engines may write down or not, and nobody misses: Whisper's own normaliser drops the English ones (its paper,
appendix C). "um" is a word in German, and "mm" in none.
"""

_SYMBOLS: Final[Mapping[str, Mapping[str, str]]] = {
    "%": {"de": "prozent", "en": "percent", "es": "por ciento", "fr": "pour cent", "it": "percento", "pt": "por cento"},
    "€": {"de": "euro", "en": "euros", "es": "euros", "fr": "euros", "it": "euro", "pt": "euros"},
    "$": {"de": "dollar", "en": "dollars", "es": "dólares", "fr": "dollars", "it": "dollari", "pt": "dólares"},
    "&": {"de": "und", "en": "and", "es": "y", "fr": "et", "it": "e", "pt": "e"},
}
_ELIDING: Final = frozenset({"fr", "it", "ca"})
"""Languages in which an apostrophe parts two words: "l'eau". Elsewhere it is inside of one: "don't"."""

_UNSPACED: Final = frozenset({"ja", "lo", "my", "th", "yue", "zh"})
"""Languages without spaces between words: every character counts as a word, and the word error rate is the CER."""

_APOSTROPHES: Final = re.compile("['’ʼ]")
_GROUPED: Final = re.compile(r"(?<=\d)[., \u00a0\u202f'’](?=\d{3}(?!\d))")
"""What parts thousands: "1,000", "1.000", "1 000"."""


def words(text: str, locale: str) -> list[str]:
    """Return the words of a text in their order, without case, punctuation and hesitations."""
    language = base_language(locale)
    folded = unicodedata.normalize("NFKC", text).casefold()
    folded = _GROUPED.sub("", folded)
    for symbol, named in _SYMBOLS.items():
        if symbol in folded and language in named:
            folded = folded.replace(symbol, f" {named[language]} ")
    folded = _APOSTROPHES.sub(" " if language in _ELIDING else "", folded)
    parted = "".join(char if unicodedata.category(char)[0] in "LMN" else " " for char in folded).split()
    if language in _UNSPACED:
        return list("".join(parted))
    hesitations = _HESITATIONS.get(language, frozenset())
    return [word for word in parted if word not in hesitations]
