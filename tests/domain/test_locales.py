import pytest

from dragoman.domain.errors import LanguageLimitError, LocaleError
from dragoman.domain.language import LidMode, default_locale, parse_candidates, parse_locale, parse_target

TEN = ["en-US", "es-ES", "de-DE", "fr-FR", "it-IT", "pt-BR", "nl-NL", "pl-PL", "sv-SE", "da-DK"]


@pytest.mark.parametrize(
    ("text", "locale"),
    [
        ("en-US", "en-US"),
        ("EN_us", "en-US"),
        (" pt-br ", "pt-BR"),
        ("zh-hans-cn", "zh-Hans-CN"),
        ("sr-latn-rs", "sr-Latn-RS"),
        ("es-419", "es-419"),
        ("iw-IL", "he-IL"),
    ],
)
def test_locales_are_made_canonical(text: str, locale: str) -> None:
    assert parse_locale(text) == locale


@pytest.mark.parametrize(
    ("text", "cure"), [("en", "en-US"), ("de", "de-DE"), ("pt", "pt-BR"), ("zh-Hant", "zh-Hant-TW")]
)
def test_a_language_without_region_is_refused_with_a_proposal(text: str, cure: str) -> None:
    with pytest.raises(LocaleError, match=f"write '{cure}'"):
        parse_locale(text)


@pytest.mark.parametrize("text", ["", "e", "english", "xx-YY", "en-USA", "en US", "🙂", "a" * 400])
def test_what_is_no_tag_is_refused(text: str) -> None:
    with pytest.raises(LocaleError, match="write it like 'en-US'"):
        parse_locale(text)


@pytest.mark.parametrize(("text", "target"), [("en", "en"), ("ZH_hans", "zh-Hans"), ("pt-br", "pt-BR")])
def test_a_target_needs_no_region(text: str, target: str) -> None:
    assert parse_target(text) == target


@pytest.mark.parametrize(("code", "locale"), [("en", "en-US"), ("jw", "jv-ID"), ("tl", "fil-PH"), ("haw", "haw-US")])
def test_every_language_has_a_usual_region(code: str, locale: str) -> None:
    assert default_locale(code) == locale


def test_at_start_takes_four_candidates() -> None:
    assert parse_candidates(TEN[:4], LidMode.AT_START) == tuple(TEN[:4])


def test_at_start_refuses_five_and_names_the_way_out() -> None:
    with pytest.raises(LanguageLimitError, match=r"at most 4, or use continuous identification \(up to 10\)"):
        parse_candidates(TEN[:5], LidMode.AT_START)


def test_continuous_takes_ten_candidates_and_no_more() -> None:
    assert len(parse_candidates(TEN, LidMode.CONTINUOUS)) == 10
    with pytest.raises(LanguageLimitError, match=r"11 languages are too many .* at most 10"):
        parse_candidates([*TEN, "fi-FI"], LidMode.CONTINUOUS)


def test_two_regions_of_one_language_cannot_be_told_apart() -> None:
    with pytest.raises(LanguageLimitError, match=r"'en-US' and 'en-GB' share the base language 'en'.*keep one"):
        parse_candidates(["en-US", "de-DE", "en-GB"], LidMode.CONTINUOUS)


def test_naming_a_candidate_twice_does_no_harm() -> None:
    assert parse_candidates(["en-US", "EN-us"], LidMode.AT_START) == ("en-US",)


def test_no_candidate_at_all_is_refused() -> None:
    with pytest.raises(LanguageLimitError, match="at least one"):
        parse_candidates([], LidMode.CONTINUOUS)
