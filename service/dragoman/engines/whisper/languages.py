"""Whisper's language codes and our locales."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from dragoman.domain.errors import LanguageLimitError, LanguageUnsupportedError
from dragoman.domain.language import CANDIDATE_LIMITS, LidMode, Locale, base_language, default_locale, parse_candidates

# Whisper's code where it is not the base language of our locale.
_LOCALES: Final = {"no": Locale("nb-NO"), "zh": Locale("zh-CN")}
_CODES: Final = {"nb": "no", "fil": "tl", "jv": "jw"}


def locale_of(code: str) -> Locale:
    """Return the usual locale of a Whisper language code: ``en`` → ``en-US``, ``jw`` → ``jv-ID``."""
    return _LOCALES.get(code) or default_locale(code)


def usual_locales(languages: Collection[str]) -> tuple[Locale, ...]:
    """Return the usual locale of each language code, sorted."""
    return tuple(sorted(locale_of(code) for code in languages))


def choose_candidates(
    wanted: Iterable[str] | None, mode: LidMode, languages: Collection[str], model: str
) -> tuple[Locale, ...]:
    """Return the candidates wanted, or every language of the model.

    Raises:
        LocaleError, LanguageLimitError: as ``parse_candidates``; also if the model knows more than ``mode`` allows.
        LanguageUnsupportedError: if the model does not know one that is wanted.
    """
    if wanted is not None:
        candidates = parse_candidates(wanted, mode)
        codes_of(candidates, languages, model)
        return candidates
    if len(languages) > (limit := CANDIDATE_LIMITS[mode]):
        raise LanguageLimitError(
            f"Model '{model}' knows {len(languages)} languages, and {mode} identification chooses among at most "
            f"{limit}; name yours, for example en-US,es-ES (--languages)."
        )
    return usual_locales(languages)


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
