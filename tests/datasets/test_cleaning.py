"""What is left out of a dataset, why, and what stays."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dragoman.audio.decode import AudioInfo
from dragoman.datasets.cleaning import LeftOut, Rules, Why, decide, without
from dragoman.datasets.dataset import Dataset
from dragoman.datasets.fingerprint import Print, fingerprint
from dragoman.datasets.items import Card, RecordingItem, Reference
from dragoman.datasets.measuring import Measured, Unheard
from dragoman.datasets.quality import Quality
from dragoman.domain.errors import DatasetInvalidError
from tests.datasets.sounds import noise

GOOD = Quality(-27.0, -6.0, -25.0, 40.0, 0.0, 0.3, 0.7)
NOTHING: Print = np.zeros(0, np.uint32)


def heard(quality: Quality = GOOD, duration_ms: int = 5_000, print_: Print = NOTHING) -> Measured:
    return Measured(AudioInfo("wav", "pcm_s16le", 16_000, 1, duration_ms), duration_ms, quality, print_)


def item(file: str, text: str = "", tags: tuple[str, ...] = (), digest: str = "") -> RecordingItem:
    said = Reference(start_ms=0, end_ms=900, locale="en-US", text=text)
    sha256 = (digest or file).encode().hex().ljust(64, "0")
    return RecordingItem(file=file, sha256=sha256, duration_ms=5_000, tags=tags, utterances=(said,) if text else ())


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (heard(), None),
        (Unheard("no audio"), Why.UNREADABLE),
        (heard(duration_ms=200), Why.SHORT),
        (heard(duration_ms=90_000), Why.LONG),
        (heard(replace(GOOD, rms_dbfs=-70.0)), Why.QUIET),
        (heard(replace(GOOD, silence_share=0.95)), Why.SILENT),
        (heard(replace(GOOD, speech_share=0.0)), Why.SPEECHLESS),
        (heard(replace(GOOD, clipped_share=0.02)), Why.CLIPPED),
        (heard(replace(GOOD, snr_db=2.0)), Why.NOISY),
        (heard(replace(GOOD, snr_db=None)), None),
    ],
)
def test_every_rule_has_its_reason(found: Measured | Unheard, why: Why | None) -> None:
    out = decide([item("a")], {"a": found}, Rules(max_ms=60_000))
    assert [each.why for each in out] == ([why] if why else [])
    assert not decide([item("a", tags=("on purpose",))], {"a": found}, Rules(kept_tags=frozenset({"on purpose"})))


def test_of_the_same_bytes_the_first_sound_one_stays() -> None:
    items = [item("a", digest="x"), item("b", digest="x"), item("c", digest="x")]
    clipped = heard(replace(GOOD, clipped_share=0.5))
    out = decide(items, {"a": clipped, "b": heard(), "c": heard()}, Rules())
    assert out == [LeftOut("a", Why.CLIPPED, "50.00% of samples"), LeftOut("c", Why.SAME_BYTES, "b")]


def test_of_the_same_sound_the_first_stays() -> None:
    one, other = noise(3.0, 0.2, seed=1), noise(3.0, 0.2, seed=2)
    prints = {
        "a": fingerprint(one),
        "b": fingerprint(other),
        "c": fingerprint(one * np.float32(0.4)),
        "d": fingerprint(one[1_024:]),
    }
    found = {file: heard(print_=print_) for file, print_ in prints.items()}
    items = [item(file) for file in prints]
    assert decide(items, found, Rules()) == [LeftOut("c", Why.SAME_SOUND, "a"), LeftOut("d", Why.SAME_SOUND, "a")]
    assert decide(items, found, Rules(same_sound=False)) == []


def test_of_the_same_that_with_a_transcript_stays() -> None:
    items = [item("a", digest="x"), item("b", "Hello, you.", digest="x")]
    assert decide(items, {"a": heard(), "b": heard()}, Rules()) == [LeftOut("a", Why.SAME_BYTES, "b")]
    found = {file: heard(print_=fingerprint(noise(3.0, 0.2))) for file in "ab"}
    items = [item("a"), item("b", "Hello, you.")]
    assert decide(items, found, Rules()) == [LeftOut("a", Why.SAME_SOUND, "b")]


def test_the_same_text_is_a_reason_only_when_asked_for() -> None:
    items = [item("a", "Hello, you."), item("b", "hello you"), item("c"), item("d")]
    found = {each.file: heard() for each in items}
    assert decide(items, found, Rules()) == []
    assert decide(items, found, Rules(same_text=True)) == [LeftOut("b", Why.SAME_TEXT, "a")]


def test_the_new_version_says_what_was_done() -> None:
    dataset = Dataset(Card(name="calls"), (item("a"), item("b"), item("c")), (), Path())
    made = without(dataset, [LeftOut("a", Why.NOISY, ""), LeftOut("c", Why.QUIET, "")])
    assert [each.file for each in made.recordings] == ["b"]
    assert made.card.parent == dataset.version
    assert made.card.change == "clean: left out 2 of 3 (1 noisy, 1 quiet)"


def test_something_must_be_left() -> None:
    dataset = Dataset(Card(name="calls"), (item("a"),), (), Path())
    with pytest.raises(DatasetInvalidError, match="loosen the rules"):
        without(dataset, [LeftOut("a", Why.NOISY, "")])
