"""Which language a model's own code means, and which of a model's languages serves a locale."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

from langcodes import Language, standardize_tag, tag_is_valid
from langcodes.tag_parser import LanguageTagError

from dragoman.domain.errors import LocaleError

_ALIASES: Final = {
    "no": "nb",  # what models call Norwegian is Bokmål
    "ns": "nso",  # M2M-100
    "pb": "pt-BR",  # Argos
    "zt": "zh-Hant",  # Argos
    "fuv": "ff",  # FLORES names one member of each of these macrolanguages
    "pbt": "ps",
    "quy": "qu",
}

_GERMANIC_WEST: Final = ("de", "nl", "af", "lb", "fy", "nds", "yi")
_GERMANIC_NORTH: Final = ("sv", "da", "nb", "nn", "is", "fo")
_ROMANCE: Final = ("fr", "es", "it", "pt", "ro", "ca", "gl", "oc", "ast", "an", "wa", "co", "sc", "lmo", "vec", "rm")
_SLAVIC_EAST: Final = ("ru", "uk", "be")
_SLAVIC_SOUTH: Final = ("bg", "hr", "sr", "bs", "sl", "mk")
_SLAVIC_WEST: Final = ("pl", "cs", "sk")
_INDIC: Final = ("hi", "bn", "ur", "pa", "gu", "mr", "ne", "si", "as", "or")

GROUPS: Final = {
    "bat": ("lt", "lv"),
    "cel": ("ga", "gd", "cy", "br", "kw", "gv"),
    "celtic": ("ga", "gd", "cy", "br", "kw", "gv"),
    "dra": ("ta", "te", "kn", "ml"),
    "fiu": ("fi", "et", "hu", "se"),
    "gem": _GERMANIC_WEST + _GERMANIC_NORTH,
    "gmq": _GERMANIC_NORTH,
    "gmw": _GERMANIC_WEST,
    "iir": (*_INDIC, "fa", "ku", "ps", "tg"),
    "inc": _INDIC,
    "itc": (*_ROMANCE, "la"),
    "roa": _ROMANCE,
    "romance": _ROMANCE,
    "scandinavia": ("sv", "da", "nb", "nn"),
    "sem": ("ar", "he", "mt", "am", "ti"),
    "sla": _SLAVIC_EAST + _SLAVIC_SOUTH + _SLAVIC_WEST,
    "trk": ("tr", "az", "kk", "ky", "uz", "tt", "tk", "ug", "ba", "cv", "crh"),
    "zle": _SLAVIC_EAST,
    "zls": _SLAVIC_SOUTH,
    "zlw": _SLAVIC_WEST,
    "ine": (),
    "mul": (),
}
"""Languages with many speakers in each OPUS-MT source group; empty where the group is too wide to list.

Source: ISO 639-5 and the model cards of Helsinki-NLP/opus-mt-*-en.
"""


def canonical(code: str) -> str:
    """Return the BCP-47 tag of a code as models write it.

    ``fra_Latn`` → ``fr``, ``zho_Hant`` → ``zh-Hant``, ``pt_br`` → ``pt-BR``, Argos' ``zt`` → ``zh-Hant``. Members
    of a macrolanguage become the macrolanguage, as speakers and Azure name it: ``arb_Arab`` → ``ar``, ``cmn`` → ``zh``.

    Raises:
        LocaleError: if the code names no language.
    """
    head, hyphen, rest = code.replace("_", "-").partition("-")
    try:
        tag = standardize_tag(_ALIASES.get(head.lower(), head) + hyphen + rest, macro=True)
    except LanguageTagError as error:
        raise LocaleError(f"'{code}' names no language.") from error
    if not tag_is_valid(tag):
        raise LocaleError(f"'{code}' names no language.")
    return tag


def closest(tag: str, known: Iterable[str]) -> tuple[int, str] | None:
    """Return how far the best match of ``tag`` is, and which of the canonical tags in ``known`` it is.

    0: the same language, script and region. 1: the entry names no region. 2: another region. 3: another script, which
    only the language's single entry may have, and only if ``tag`` asks for none. A script that is not
    written is the one that CLDR finds likely (``zh-TW`` is ``Hant``); for rare languages that is a guess, hence 3.

    Raises:
        LocaleError: if ``tag`` names no language.
    """
    wanted = _subtags(canonical(tag))
    kin = [entry for entry in known if _subtags(entry).language == wanted.language]
    ranked = [(_distance(wanted, _subtags(entry)), entry) for entry in kin]
    distance, best = min(ranked, key=lambda match: match[0], default=(_OTHER_SCRIPT, None))
    if best is None or (distance == _OTHER_SCRIPT and (wanted.names_script or len(kin) > 1)):
        return None
    return distance, best


def writes_spaces(tag: str) -> bool:
    """Return whether sentences of this language are separated by spaces."""
    return Language.get(tag).language not in {"ja", "yue", "zh"}


_OTHER_SCRIPT: Final = 3


class _Subtags(NamedTuple):
    language: str | None
    script: str | None
    names_script: bool
    region: str | None


@lru_cache(maxsize=1024)
def _subtags(tag: str) -> _Subtags:
    parsed = Language.get(tag)
    script = parsed.script or parsed.maximize().script
    return _Subtags(parsed.language, script, parsed.script is not None, parsed.territory)


def _distance(wanted: _Subtags, entry: _Subtags) -> int:
    if wanted.script != entry.script:
        return _OTHER_SCRIPT
    if wanted.region == entry.region:
        return 0
    return 1 if entry.region is None else 2
