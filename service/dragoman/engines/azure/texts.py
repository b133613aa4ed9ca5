"""Texts on their way to Azure Translator and back: language codes, and words that are not to be translated. Pure."""

import html
import re
from collections.abc import Sequence
from typing import Final

from langcodes import Language

from dragoman.domain.language import base_language

_OWN_CODES: Final = {"pt-PT": "pt-pt", "fr-CA": "fr-ca", "no": "nb"}
_BY_SCRIPT: Final = frozenset({"zh", "sr", "mn", "ku"})
"""Languages that the service tells apart by script."""

_TAG: Final = re.compile(r"<[^>]*>")


def code_of(tag: str) -> str:
    """Return the service's code of a locale or target: ``de-AT`` → ``de``, ``zh-TW`` → ``zh-Hant``."""
    base = base_language(tag)
    if base in _BY_SCRIPT:
        return f"{base}-{Language.get(tag).maximize().script}"
    return _OWN_CODES.get(tag, _OWN_CODES.get(base, base))


def marked(text: str, kept: Sequence[str]) -> str | None:
    """Return a text as HTML in which ``kept`` words are not to be translated; ``None`` if it has none of them."""
    words = sorted(filter(None, kept), key=len, reverse=True)
    if not words:
        return None
    pattern = re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in words), re.IGNORECASE)
    parts, at = [], 0
    for match in pattern.finditer(text):
        parts += [html.escape(text[at : match.start()]), f'<span class="notranslate">{html.escape(match[0])}</span>']
        at = match.end()
    return "".join([*parts, html.escape(text[at:])]) if parts else None


def unmarked(translation: str) -> str:
    """Return the plain text of a translation of HTML."""
    return html.unescape(_TAG.sub("", translation))
