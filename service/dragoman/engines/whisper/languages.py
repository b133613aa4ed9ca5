"""Whisper's language codes and our locales."""

from collections.abc import Collection, Mapping
from typing import Final

from dragoman.domain.errors import LanguageUnsupportedError
from dragoman.domain.language import Locale, base_language, default_locale

# Whisper's code where it is not the base language of our locale.
_LOCALES: Final = {"no": Locale("nb-NO"), "zh": Locale("zh-CN")}
_CODES: Final = {"nb": "no", "fil": "tl", "jv": "jw"}


def locale_of(code: str) -> Locale:
    """Return the usual locale of a Whisper language code: ``en`` → ``en-US``, ``jw`` → ``jv-ID``."""
    return _LOCALES.get(code) or default_locale(code)


def codes_of(candidates: Collection[Locale], languages: Collection[str], model: str) -> Mapping[Locale, str]:
    """Return the Whisper code of each candidate.

    Raises:
        LanguageUnsupportedError: naming the candidates that the model does not speak, and those it does.
    """
    codes = {locale: _code_of(locale, languages) for locale in candidates}
    if unknown := [locale for locale, code in codes.items() if code not in languages]:
        raise LanguageUnsupportedError(
            f"Model '{model}' does not know {', '.join(unknown)}; it knows "
            f"{', '.join(sorted(languages))}. Leave them out or choose another model."
        )
    return codes


def _code_of(locale: Locale, languages: Collection[str]) -> str:
    # Hong Kong's locale means Cantonese, which only the largest models tell from Mandarin.
    if locale == "zh-HK" and "yue" in languages:
        return "yue"
    base = base_language(locale)
    return _CODES.get(base, base)
