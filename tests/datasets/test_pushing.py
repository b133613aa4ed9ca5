"""Versions go elsewhere whole, once, and with their papers in order."""

from pathlib import Path

import pytest

from dragoman.datasets.dataset import Dataset, read_dataset
from dragoman.datasets.erasing import Origin, erase_items
from dragoman.datasets.items import Card, RecordingItem
from dragoman.datasets.objects import sha256_of
from dragoman.datasets.pulling import pull
from dragoman.datasets.pushing import FolderDestination, push
from dragoman.datasets.store import DatasetStore
from dragoman.domain.errors import DatasetInvalidError, DatasetRefusedError
from tests.datasets.sounds import tone, write_wav

CARD = Card(name="calls", license="CC0-1.0", consent="machine", provenance="made for a test")


def made(folder: Path, card: Card = CARD) -> Dataset:
    path = write_wav(folder / "monday" / "a.wav", tone(0.2))
    item = RecordingItem(file="monday/a.wav", sha256=sha256_of(path), duration_ms=200)
    return Dataset(card, (item,), (), folder)


def test_a_version_is_written_whole_and_once(tmp_path: Path) -> None:
    calls = made(tmp_path / "in")
    assert push(calls, FolderDestination(tmp_path / "share")) is True
    there = read_dataset(tmp_path / "share" / "calls" / calls.version)
    assert there.version == calls.version
    assert there.path(there.recordings[0]).is_file()
    assert push(calls, FolderDestination(tmp_path / "share")) is False


def test_the_card_comes_last(tmp_path: Path) -> None:
    class Listing:
        def __init__(self) -> None:
            self.written: list[str] = []

        def has(self, name: str) -> bool:
            return False

        def write(self, name: str, file: Path) -> None:
            self.written.append(name.split("/", 2)[2])

        def names(self, folder: str) -> list[str]:
            return []

        def remove(self, name: str) -> None:
            raise AssertionError(name)

    listing = Listing()
    push(made(tmp_path), listing)
    assert listing.written == ["monday/a.wav", "manifest.jsonl", "dataset.json"]


@pytest.mark.parametrize("field", ["license", "consent", "provenance"])
def test_without_papers_nothing_leaves(tmp_path: Path, field: str) -> None:
    calls = made(tmp_path / "in", CARD.model_copy(update={field: None}))
    with pytest.raises(DatasetRefusedError, match=f"--{field}"):
        push(calls, FolderDestination(tmp_path / "share"))
    assert not (tmp_path / "share").exists()


def test_a_changed_recording_does_not_leave(tmp_path: Path) -> None:
    calls = made(tmp_path / "in")
    write_wav(tmp_path / "in" / "monday" / "a.wav", tone(0.3))
    with pytest.raises(DatasetInvalidError, match="dragoman data validate"):
        push(calls, FolderDestination(tmp_path / "share"))
    with pytest.raises(DatasetInvalidError, match="dragoman data validate"):
        pull(calls, tmp_path / "out")


def test_what_is_pulled_is_a_copy(tmp_path: Path) -> None:
    calls = made(tmp_path / "in")
    pull(calls, tmp_path / "out")
    (tmp_path / "out" / "monday" / "a.wav").write_bytes(b"changed")
    assert sha256_of(tmp_path / "in" / "monday" / "a.wav") == calls.recordings[0].sha256


def test_what_was_erased_here_is_erased_where_it_was_pushed_to(tmp_path: Path) -> None:
    store = DatasetStore(tmp_path / "store")
    other = write_wav(tmp_path / "in" / "b.wav", tone(0.2, 500))
    calls = made(tmp_path / "in")
    item = RecordingItem(file="b.wav", sha256=sha256_of(other), duration_ms=200, session="s_1")
    calls = Dataset(CARD, (*calls.recordings, item), (), tmp_path / "in")
    store.keep_files(calls)
    kept, share = store.keep(calls).dataset, FolderDestination(tmp_path / "share")
    push(kept, share)
    erase_items(store, Origin(sessions={"s_1"}), "session")
    assert push(store.open("calls"), share) is True
    there = read_dataset(tmp_path / "share" / "calls" / calls.version)
    assert (there.version, there.erased_items) == (calls.version, 1)
    assert share.names(f"calls/{calls.version}") == [
        f"calls/{calls.version}/{name}" for name in ("dataset.json", "erased.json", "manifest.jsonl", "monday/a.wav")
    ]
