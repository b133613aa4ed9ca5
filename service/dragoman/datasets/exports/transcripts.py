"""How Custom Speech wants what was said to be written, locale by locale. Pure.

Source: learn.microsoft.com, Speech service, "How to create human-labeled transcriptions" (2025-05-19) and "Training and
testing datasets" (2024-09-19). Case, punctuation and numbers are normalised by the service; what is here is what it
asks of people, as far as it follows from the text alone. How a number was pronounced does not.
"""

import re
import unicodedata
from typing import Final

from dragoman.datasets.exports.outcome import Reason
from dragoman.domain.language import base_language

BOM: Final = "\ufeff"

_MOST_REPEATS: Final = 3
_REPEATED: Final = re.compile(r"(?:(.)\1{3,})|(?:\b(\w+(?:\W+\w+){0,4})(?:\W+\2\b){3,})", re.IGNORECASE)
"""A character, or up to five words, said more than three times in a row."""

_ASCII: Final = str.maketrans(
    {"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "‚": "'", "–": "-", "—": "--", "…": "..."}
    | {"\u00a0": " ", "\u202f": " ", "\u2011": "-"}
)
_FULL_WIDTH: Final = str.maketrans({"?": "？", "!": "！", ",": "，", ";": "；", ":": "：", "(": "（", ")": "）"})
_HAN: Final = "\u4e00-\u9fff"
_GERMAN_WORDS: Final = (
    (re.compile(r"(?<=\d)\s*\+\s*(?=\d)"), " plus "),
    (re.compile(r"(?<=\d)\s+[-\u2212]\s+(?=\d)"), " minus "),
    (re.compile(r"(?<=\d)\s*[*\u00b7]\s*(?=\d)"), " mal "),
    (re.compile(r"(?<=\d)\s+/\s+(?=\d)"), " geteilt "),
    (re.compile(r"\s*=\s*"), " gleich "),
    (re.compile(r"\s*<\s*"), " kleiner als "),
    (re.compile(r"\s*>\s*"), " grösser als "),
    (re.compile(r"\s*€"), " Euro"),
)
_GERMAN_REFUSED: Final = frozenset("¢¤¥¦§©ª¬®°±²µ×ÿ")
_JAPANESE_SENTENCE: Final = 90
_URI: Final = re.compile(r"\b(?:[a-z][a-z0-9+.-]*://|www\.)\S+", re.IGNORECASE)
_HIGHEST_ENGLISH: Final = "\u00a1"


class UnfitError(ValueError):
    """A text that cannot be written as it must be, and why."""

    def __init__(self, reason: Reason, why: str) -> None:
        super().__init__(why)
        self.reason = reason
        self.why = why


def has_bom(locale: str) -> bool:
    """Return whether transcripts in a locale begin with a byte-order mark. English ones are plain ASCII."""
    return base_language(locale) != "en"


def as_transcript(text: str, locale: str) -> str:
    """Return what was said as a line of ``trans.txt``.

    Raises:
        UnfitError: if the service would drop it, or it needs somebody who has heard it.
    """
    plain = " ".join(unicodedata.normalize("NFC", text).split())
    match base_language(locale):
        case "en":
            plain = plain.translate(_ASCII)
            _refuse(sorted({char for char in plain if not char.isascii()}), "English transcripts are plain ASCII")
        case "de":
            _refuse(sorted(_GERMAN_REFUSED & set(plain)), "the service discards German rows with it; write it out")
            for pattern, spoken in _GERMAN_WORDS:
                plain = pattern.sub(spoken, plain)
        case "zh":
            plain = re.sub(rf"(?<=[{_HAN}])[?!,;:()]", lambda mark: mark[0].translate(_FULL_WIDTH), plain)
        case "ja":
            longest = max((len(sentence) for sentence in re.split(r"[。．.!?！？]", plain)), default=0)
            if longest > _JAPANESE_SENTENCE:
                raise UnfitError(
                    Reason.LENGTH, f"a sentence has {longest} characters; {_JAPANESE_SENTENCE} at most, put a period"
                )
    plain = " ".join(plain.split())
    _check(plain)
    return plain


def as_related_text(text: str, locale: str) -> str:
    """Return a text as a line of plain-text data.

    The page forbids characters above U+00A1. It also speaks of Japanese and Korean data of this kind, so the rule can
    only mean languages that are written without them: it is kept for English.

    Raises:
        UnfitError: if the service would reject or drop it.
    """
    plain = as_transcript(text, locale)
    if _URI.search(plain):
        raise UnfitError(Reason.CHARACTERS, "the service rejects addresses")
    if base_language(locale) == "en":
        _refuse(sorted({char for char in plain if char > _HIGHEST_ENGLISH}), "it is above U+00A1")
    return plain


def _check(plain: str) -> None:
    if not any(char.isalnum() for char in plain):
        raise UnfitError(Reason.TEXT, "nothing but punctuation is left of it")
    if repeated := _REPEATED.search(plain):
        what = "a character" if repeated[1] else "words"
        raise UnfitError(Reason.REPEATS, f"{what} more than {_MOST_REPEATS} times in a row; the service might drop it")
    if "\ufffd" in plain:
        raise UnfitError(Reason.CHARACTERS, "it was decoded wrongly once: it contains U+FFFD")


def _refuse(found: list[str], why: str) -> None:
    if found:
        named = ", ".join(f"U+{ord(char):04X}" for char in found[:5])
        raise UnfitError(Reason.CHARACTERS, f"{named}: {why}")
