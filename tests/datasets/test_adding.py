"""Recordings are decoded once; sound ones are kept and broken ones named."""

import asyncio
import json
from pathlib import Path

import pytest

from dragoman.datasets.adding import Added, Defaults, add
from dragoman.datasets.dataset import MANIFEST, read_dataset
from dragoman.datasets.drafts import Draft, read_drafts
from dragoman.datasets.items import Card
from dragoman.datasets.store import DatasetStore
from dragoman.domain.errors import DatasetInvalidError
from dragoman.resources import samples_folder
from tests.datasets.sounds import tone, write_wav


@pytest.fixture
def store(tmp_path: Path) -> DatasetStore:
    return DatasetStore(tmp_path / "store")


def added(store: DatasetStore, folder: Path, *drafts: Draft, defaults: Defaults | None = None) -> Added:
    drafts = drafts or read_drafts(folder)
    return asyncio.run(
        add(store, Card(name="calls"), drafts, lambda file: folder / file, defaults or Defaults("en-US"))
    )


def test_a_folder_becomes_a_dataset(store: DatasetStore, tmp_path: Path) -> None:
    write_wav(tmp_path / "in" / "a.wav", tone(0.5))
    write_wav(tmp_path / "in" / "b.wav", tone(0.25), tone(0.25, 600))
    (tmp_path / "in" / "a.txt").write_text("Hello.")
    result = added(store, tmp_path / "in", defaults=Defaults("de-DE", "test"))
    a, b = result.kept.dataset.recordings
    assert (a.duration_ms, a.sample_rate_hz, a.channels, a.split) == (500, 16_000, 1, "test")
    assert [(said.start_ms, said.end_ms, said.locale, said.text) for said in a.utterances] == [
        (0, 500, "de-DE", "Hello.")
    ]
    assert (b.duration_ms, b.channels, b.utterances) == (250, 2, ())


def test_a_broken_file_is_named_and_the_others_are_kept(store: DatasetStore, tmp_path: Path) -> None:
    write_wav(tmp_path / "in" / "good.wav", tone(0.2))
    (tmp_path / "in" / "bad.wav").write_bytes(b"no audio")
    (tmp_path / "in" / "empty.wav").write_bytes(b"")
    result = added(store, tmp_path / "in")
    assert [item.file for item in result.kept.dataset.recordings] == ["good.wav"]
    assert sorted(broken.file for broken in result.broken) == ["bad.wav", "empty.wav"]
    assert all(broken.why for broken in result.broken)


def test_nothing_that_was_accepted_is_lost_when_the_next_source_is_broken(store: DatasetStore, tmp_path: Path) -> None:
    write_wav(tmp_path / "in" / "good.wav", tone(0.2))
    first = added(store, tmp_path / "in").kept.dataset
    (tmp_path / "in" / "good.wav").write_bytes(b"no audio")
    with pytest.raises(DatasetInvalidError, match=r"None of 1 recordings.*'good\.wav'"):
        added(store, tmp_path / "in")
    assert store.open("calls").version == first.version


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"file": "../a.wav"}, "no path inside"),
        ({"file": "manifest.jsonl"}, "datasets need themselves"),
        ({"file": "missing.wav"}, "no file"),
        ({"sha256": "0" * 64}, "sha256"),
        ({"utterances": [{"text": "Hi", "locale": "en"}]}, "'en-US', for example"),
        ({"utterances": [{"text": "Hi"}, {"text": "You"}]}, "'start_ms' and 'end_ms'"),
        ({"utterances": [{"text": "Hi", "start_ms": 0}]}, "'start_ms' and 'end_ms'"),
        ({"utterances": "Hi"}, "a list"),
        ({"utterances": ["Hi"]}, "an object"),
        ({"utterances": [{"text": "Hi", "mood": "good"}]}, "mood"),
        ({"loudness": 3}, "loudness"),
    ],
)
def test_what_is_wrong_with_a_recording_is_said(
    store: DatasetStore, tmp_path: Path, given: dict[str, object], says: str
) -> None:
    write_wav(tmp_path / "in" / "a.wav", tone(0.2))
    write_wav(tmp_path / "in" / "good.wav", tone(0.2))
    lines = [{"file": "a.wav", **given}, {"file": "good.wav"}]
    (tmp_path / "in" / MANIFEST).write_text("\n".join(map(json.dumps, lines)))
    (broken,) = added(store, tmp_path / "in").broken
    assert says in broken.why


def test_no_language_is_made_up(store: DatasetStore, tmp_path: Path) -> None:
    write_wav(tmp_path / "in" / "a.wav", tone(0.2))
    (tmp_path / "in" / "a.txt").write_text("Hello.")
    with pytest.raises(DatasetInvalidError, match="give --locale"):
        added(store, tmp_path / "in", defaults=Defaults())


def test_two_recordings_cannot_have_one_name(store: DatasetStore, tmp_path: Path) -> None:
    write_wav(tmp_path / "in" / "a.wav", tone(0.2))
    with pytest.raises(DatasetInvalidError, match="once"):
        added(store, tmp_path / "in", Draft("a.wav", {}), Draft("./a.wav", {}))


def test_a_dataset_that_is_added_is_the_dataset_that_it_was(store: DatasetStore) -> None:
    folder = samples_folder() / "audio"
    samples = read_dataset(folder)
    chosen = [draft for draft in read_drafts(folder) if draft.file in {"en_call.wav", "stereo_turns_fr.wav"}]
    result = added(store, folder, *chosen)
    wanted = [item for item in samples.recordings if item.file in {"en_call.wav", "stereo_turns_fr.wav"}]
    assert list(result.kept.dataset.recordings) == wanted
