"""A profile's figures, and the report made from them."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from dragoman.datasets.dataset import Dataset
from dragoman.datasets.figures import Profile, make_profile
from dragoman.datasets.items import Card, RecordingItem, Reference
from dragoman.datasets.measuring import Measured, Unheard
from dragoman.datasets.report import render_report
from tests.datasets.test_cleaning import GOOD, heard

HOSTILE = "<script>alert(1)</script>.wav"


def said(start_ms: int, end_ms: int, locale: str, text: str, speaker: str | None = None) -> Reference:
    return Reference(start_ms=start_ms, end_ms=end_ms, locale=locale, text=text, speaker=speaker)


def item(file: str, split: str | None, *utterances: Reference) -> RecordingItem:
    digest = file.encode().hex()[:64].ljust(64, "0")
    return RecordingItem(file=file, sha256=digest, duration_ms=5_000, split=split, utterances=utterances)


@pytest.fixture
def profile() -> Profile:
    items = (
        item("a", "train", said(0, 3_000, "en-US", "one two three", "A"), said(3_000, 4_000, "de-DE", "vier", "B")),
        item("b", "test", said(0, 1_000, "en-US", "five six", "A")),
        item(HOSTILE, "test"),
        item("broken", "test"),
    )
    measured: dict[str, Measured | Unheard] = {each.file: heard() for each in items}
    measured |= {HOSTILE: heard(duration_ms=100), "broken": Unheard("It is no audio.")}
    return make_profile(Dataset(Card(name="calls", title="Calls & more"), items, (), Path()), measured)


def test_languages_speakers_and_splits_are_counted(profile: Profile) -> None:
    assert [(group.name, group.recordings, group.speech_ms, group.words_per_min) for group in profile.languages] == [
        ("en-US", 2, 4_000, 75.0),
        ("de-DE", 1, 1_000, 60.0),
    ]
    assert [(group.name, group.utterances) for group in profile.speakers] == [("A", 2), ("B", 1)]
    assert [(split.name, split.recordings, dict(split.speech_ms)) for split in profile.splits] == [
        ("test", 3, {"en-US": 1_000}),
        ("train", 1, {"en-US": 3_000, "de-DE": 1_000}),
    ]
    assert (profile.utterances, profile.words, profile.audio_ms) == (3, 6, 10_100)


def test_what_stands_out_is_said(profile: Profile) -> None:
    assert list(profile.notes) == [
        "Nobody says its license.",
        "Nobody says its consent.",
        "Nobody says its provenance.",
        "1 of 4 recordings cannot be decoded.",
        "“dragoman data clean” would leave out 1 of 3 recordings, as marked below.",
        "1 of 3 recordings have no transcript; as tests they say that nothing is spoken.",
        "en-US is spoken 4.0 times as long as de-DE.",
        "The speaker 'A' is in several splits: test: b; train: a.",
    ]
    assert profile.recordings[2].concerns == ("short: 100 ms",)


def test_spreads_tell_where_values_lie(profile: Profile) -> None:
    assert profile.spreads["snr_db"].median == GOOD.snr_db
    assert (profile.spreads["duration_s"].least, profile.spreads["duration_s"].largest) == (0.1, 5.0)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "srcset", "action"}]


def test_the_report_needs_nothing_and_runs_nothing(profile: Profile) -> None:
    report = render_report(profile)
    page = _Page()
    page.feed(report)
    assert "script" not in page.tags
    assert page.links == []
    assert not re.search(r"url\(|@import|https?:", report)
    assert page.tags.count("figure") == page.tags.count("svg") == 9
    assert "Calls &amp; more" in report


def test_the_report_shows_every_recording_and_what_is_wrong_with_it(profile: Profile) -> None:
    report = render_report(profile)
    for text in ("&lt;script&gt;alert(1)&lt;/script&gt;.wav", "short: 100 ms", "It is no audio.", "nobody says"):
        assert text in report


def test_a_dataset_without_transcripts_has_a_report_too() -> None:
    dataset = Dataset(Card(name="calls"), (item("a", None),), (), Path())
    assert "How they sound" in render_report(make_profile(dataset, {"a": heard()}))
    assert render_report(make_profile(dataset, {"a": Unheard("It is no audio.")}))
