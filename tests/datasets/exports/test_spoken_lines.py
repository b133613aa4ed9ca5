"""Transcripts are written as Custom Speech asks, and what it would drop is refused by name."""

import pytest

from dragoman.datasets.exports.outcome import Reason
from dragoman.datasets.exports.transcripts import UnfitError, as_related_text, as_transcript, has_bom


@pytest.mark.parametrize(
    ("locale", "text", "expected"),
    [
        ("en-US", "“Hello  world”\n", '"Hello world"'),
        ("en-GB", "John’s day", "John's day"),
        ("en-US", "It was good—no, it was great!", "It was good--no, it was great!"),
        ("de-DE", "2 + 3 - 4", "2 plus 3 minus 4"),
        ("de-DE", "Das macht 5 €.", "Das macht 5 Euro."),
        ("de-DE", "Die U-Bahn fährt 3-mal.", "Die U-Bahn fährt 3-mal."),
        ("zh-CN", "需要什么帮助?", "需要什么帮助？"),
        ("zh-CN", "OK, 谢谢", "OK, 谢谢"),
        ("fr-FR", "Voila\u0300 la clé", "Voilà la clé"),
    ],
)
def test_a_transcript_is_written_as_the_service_asks(locale: str, text: str, expected: str) -> None:
    assert as_transcript(text, locale) == expected


@pytest.mark.parametrize(
    ("locale", "text", "reason"),
    [
        ("en-US", "The café is closed.", Reason.CHARACTERS),
        ("de-DE", "Es hat 20 ° heute.", Reason.CHARACTERS),
        ("es-ES", "roto \ufffd", Reason.CHARACTERS),
        ("en-US", "yeah yeah yeah yeah", Reason.REPEATS),
        ("en-US", "that's it that's it that's it that's it", Reason.REPEATS),
        ("de-DE", "aaaah", Reason.REPEATS),
        ("fr-FR", "…?!", Reason.TEXT),
        ("ja-JP", "あい" * 46, Reason.LENGTH),
    ],
)
def test_what_would_be_dropped_is_refused(locale: str, text: str, reason: Reason) -> None:
    with pytest.raises(UnfitError) as raised:
        as_transcript(text, locale)
    assert raised.value.reason is reason


@pytest.mark.parametrize("text", ["yeah yeah yeah", "that's it that's it that's it", "aaah", "1000 2000 3000"])
def test_three_times_is_not_too_often(text: str) -> None:
    assert as_transcript(text, "en-US") == text


def test_a_period_makes_a_japanese_sentence_shorter() -> None:
    assert as_transcript("あい" * 30 + "。" + "うえ" * 30, "ja-JP")


def test_related_text_holds_no_addresses() -> None:
    with pytest.raises(UnfitError, match="addresses"):
        as_related_text("See https://example.org today", "en-US")


def test_english_alone_has_no_byte_order_mark() -> None:
    assert [has_bom(locale) for locale in ("en-US", "en-GB", "de-DE", "zh-CN", "es-ES")] == [False, False, *[True] * 3]
