import pytest
from faster_whisper.tokenizer import _LANGUAGE_CODES

from dragoman.domain.errors import LanguageLimitError, LanguageUnsupportedError
from dragoman.domain.language import LidMode, Locale, parse_locale
from dragoman.engines.whisper.languages import choose_candidates, codes_of, locale_of


@pytest.mark.parametrize(
    ("locale", "code"),
    [("en-GB", "en"), ("nb-NO", "no"), ("fil-PH", "tl"), ("jv-ID", "jw"), ("zh-TW", "zh"), ("zh-HK", "yue")],
)
def test_a_locale_is_spoken_under_whispers_code(locale: str, code: str) -> None:
    assert codes_of([Locale(locale)], _LANGUAGE_CODES, "large-v3") == {locale: code}


def test_cantonese_falls_back_to_chinese_where_the_model_knows_no_better() -> None:
    assert codes_of([Locale("zh-HK")], {"zh", "en"}, "small") == {"zh-HK": "zh"}


@pytest.mark.parametrize("code", _LANGUAGE_CODES)
def test_every_language_of_whisper_has_a_locale_that_leads_back_to_it(code: str) -> None:
    locale = locale_of(code)
    assert parse_locale(locale) == locale
    assert codes_of([locale], _LANGUAGE_CODES, "large-v3") == {locale: code}


def test_without_a_wish_every_language_of_a_small_model_is_a_candidate() -> None:
    assert choose_candidates(None, LidMode.AT_START, {"en", "de"}, "tiny") == ("de-DE", "en-US")


@pytest.mark.parametrize("mode", LidMode)
def test_a_model_with_too_many_languages_needs_the_flag(mode: LidMode) -> None:
    with pytest.raises(LanguageLimitError, match=f"knows {len(_LANGUAGE_CODES)} languages.*--languages"):
        choose_candidates(None, mode, _LANGUAGE_CODES, "large-v3")


def test_unknown_languages_are_named_beside_the_known_ones() -> None:
    with pytest.raises(LanguageUnsupportedError, match="does not know it-IT, ja-JP; it knows de, en"):
        codes_of([Locale("en-US"), Locale("it-IT"), Locale("ja-JP")], {"en", "de"}, "tiny")
