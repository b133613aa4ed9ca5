"""Every kind of problem is found, and the samples have none."""

import asyncio
from pathlib import Path

import pytest

from dragoman.datasets.dataset import Dataset, read_dataset
from dragoman.datasets.items import Card, LocaleSpan, RecordingItem, Reference, SpokenWord
from dragoman.datasets.objects import sha256_of
from dragoman.datasets.problems import Problem
from dragoman.datasets.validating import item_problems, validate
from dragoman.resources import samples_folder
from tests.datasets.sounds import tone, write_wav

CARD = Card(name="calls", license="CC0-1.0", consent="machine", provenance="made for a test")


def problems(dataset: Dataset) -> list[Problem]:
    return asyncio.run(validate(dataset))


def sound(folder: Path, file: str = "a.wav") -> RecordingItem:
    path = write_wav(folder / file, tone(0.5))
    return RecordingItem(file=file, sha256=sha256_of(path), duration_ms=500)


@pytest.mark.slow
def test_the_samples_have_no_problem() -> None:
    assert problems(read_dataset(samples_folder() / "audio")) == []


def test_a_sound_dataset_has_no_problem(tmp_path: Path) -> None:
    assert problems(Dataset(CARD, (sound(tmp_path),), (), tmp_path)) == []


def test_what_nobody_says_is_a_problem(tmp_path: Path) -> None:
    found = problems(Dataset(Card(name="calls", consent=" "), (sound(tmp_path),), (), tmp_path))
    assert [(problem.check, problem.message.split(";")[0]) for problem in found] == [
        ("card", "Nobody says its license"),
        ("card", "Nobody says its consent"),
        ("card", "Nobody says its provenance"),
    ]


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"file": "gone.wav"}, "file"),
        ({"file": "../a.wav"}, "file"),
        ({"file": "noise.wav"}, "audio"),
        ({"sha256": "0" * 64}, "checksum"),
        ({"duration_ms": 600}, "duration"),
    ],
)
def test_what_is_wrong_with_a_file_is_found(tmp_path: Path, change: dict[str, object], check: str) -> None:
    (tmp_path / "noise.wav").write_bytes(b"no audio")
    item = sound(tmp_path).model_copy(update=change)
    (found,) = problems(Dataset(CARD, (item,), (), tmp_path))
    assert (found.check, found.item) == (check, item.file)


def said(start_ms: int, end_ms: int, **more: object) -> Reference:
    given = {"locale": "en-US", "text": "Hello.", **more}
    return Reference.model_validate({"start_ms": start_ms, "end_ms": end_ms, **given})


@pytest.mark.parametrize(
    ("utterances", "says"),
    [
        ([said(0, 900), said(900, 1_000)], ""),
        ([said(500, 900, channel=1), said(0, 300, channel=0)], ""),
        ([said(500, 900), said(0, 300)], "comes after a later one"),
        ([said(900, 500)], "ends before it starts"),
        ([said(0, 1_100)], "ends after the recording"),
        ([said(0, 900, channel=2)], "no channel 2"),
        ([said(0, 900, text=" ")], "no text"),
        ([said(0, 500, words=(SpokenWord(text="Hi", start_ms=400, end_ms=600),))], "outside of its utterance"),
        ([said(0, 900, locale="en")], "without a region"),
        ([said(0, 900, locale="en_us")], "is written 'en-US'"),
        ([said(0, 900, translations={"xx-nonsense-tag-zz": "x"})], "tag"),
    ],
)
def test_what_is_wrong_with_utterances_is_found(utterances: list[Reference], says: str) -> None:
    item = RecordingItem(file="a.wav", sha256="0" * 64, duration_ms=1_000, channels=2, utterances=tuple(utterances))
    found = [problem.message for problem in item_problems(item)]
    assert len(found) == bool(says)
    assert says in "".join(found)


def test_spans_are_looked_at_like_utterances() -> None:
    span = LocaleSpan(start_ms=0, end_ms=5_000, locale="de")
    item = RecordingItem(file="a.wav", sha256="0" * 64, duration_ms=1_000, spans=(span,))
    assert [problem.check for problem in item_problems(item)] == ["utterances", "locale"]
