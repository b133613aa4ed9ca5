"""The store keeps versions whole, recordings once, and finds what a person means."""

import stat
from pathlib import Path

import pytest

from dragoman.datasets.dataset import Dataset, read_dataset, write_dataset
from dragoman.datasets.items import Card, CaseItem, RecordingItem
from dragoman.datasets.objects import sha256_of
from dragoman.datasets.store import DatasetStore, open_dataset
from dragoman.domain.errors import DatasetInvalidError, DatasetUnknownError, SourceFailedError
from tests.datasets.sounds import tone, write_wav


def made(folder: Path, *files: str, name: str = "calls", change: str | None = None) -> Dataset:
    items = []
    for number, file in enumerate(files):
        path = write_wav(folder / file, tone(0.2, 300.0 + 50 * number))
        items.append(RecordingItem(file=file, sha256=sha256_of(path), duration_ms=200))
    return Dataset(Card(name=name, change=change), tuple(items), (), folder)


@pytest.fixture
def store(tmp_path: Path) -> DatasetStore:
    return DatasetStore(tmp_path / "store")


def kept(store: DatasetStore, dataset: Dataset) -> Dataset:
    store.keep_files(dataset)
    return store.keep(dataset).dataset


def test_what_is_kept_is_found_again_with_its_recordings(store: DatasetStore, tmp_path: Path) -> None:
    calls = made(tmp_path / "in", "a.wav", "monday/b.wav")
    assert kept(store, calls).version == calls.version
    found = open_dataset("calls", store)
    assert found.version == calls.version
    assert [found.path(item).read_bytes() for item in found.recordings] == [
        (tmp_path / "in" / file).read_bytes() for file in ("a.wav", "monday/b.wav")
    ]


def test_a_recording_in_two_versions_is_on_the_disk_once(store: DatasetStore, tmp_path: Path) -> None:
    kept(store, made(tmp_path / "in", "a.wav"))
    kept(store, made(tmp_path / "in", "a.wav", change="another card"))
    objects = [path for path in (store.folder / "objects").rglob("*") if path.is_file()]
    assert [path.stat().st_nlink for path in objects] == [3]


def test_the_same_content_is_the_same_version(store: DatasetStore, tmp_path: Path) -> None:
    calls = made(tmp_path / "in", "a.wav")
    store.keep_files(calls)
    assert [store.keep(calls).is_new, store.keep(calls).is_new] == [True, False]
    assert len(store.versions("calls")) == 1


def test_a_name_means_what_was_kept_last(store: DatasetStore, tmp_path: Path) -> None:
    one, two = made(tmp_path / "in", "a.wav"), made(tmp_path / "in", "a.wav", "b.wav")
    for calls in (one, two):
        kept(store, calls)
    assert open_dataset("calls", store).version == two.version
    assert open_dataset(f"calls@{one.version}", store).version == one.version
    kept(store, one)
    assert open_dataset("calls", store).version == one.version
    assert set(store.versions("calls")) == {one.version, two.version}
    assert store.names() == ("calls",)


def test_cases_are_kept_too(store: DatasetStore) -> None:
    cases = Dataset(
        Card(name="asked", schema_name="cases/1"), (), (CaseItem(id="case_1", given={"q": "When?"}),), Path()
    )
    assert kept(store, cases).cases == cases.cases


def test_a_path_is_a_path_and_a_word_a_name(
    store: DatasetStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = made(tmp_path / "calls", "a.wav")
    write_dataset(folder, tmp_path / "calls")
    assert open_dataset("calls", store).root == Path("calls")
    other = kept(store, made(tmp_path / "in", "a.wav", "b.wav"))
    assert open_dataset("calls", store).version == other.version
    assert open_dataset("./calls", store).version == folder.version


@pytest.mark.parametrize("reference", ["nothing", "calls@000000000000", "@", "objects", "..@x", "UPPER"])
def test_what_is_not_there_is_said_with_what_is(store: DatasetStore, tmp_path: Path, reference: str) -> None:
    calls = kept(store, made(tmp_path / "in", "a.wav"))
    with pytest.raises(DatasetUnknownError) as caught:
        open_dataset(reference, store)
    assert "There are: " in str(caught.value)
    if reference.startswith("calls"):
        assert calls.version in str(caught.value)


def test_a_changed_recording_is_not_kept(store: DatasetStore, tmp_path: Path) -> None:
    calls = made(tmp_path / "in", "a.wav")
    write_wav(tmp_path / "in" / "a.wav", tone(0.3))
    with pytest.raises(DatasetInvalidError, match=r"'a\.wav'.*dragoman data validate"):
        store.keep_files(calls)
    with pytest.raises(DatasetInvalidError, match="not in the store"):
        store.keep(calls)
    assert store.names() == ()


def test_what_is_kept_is_the_owners_to_read_and_nobodys_to_write(store: DatasetStore, tmp_path: Path) -> None:
    found = kept(store, made(tmp_path / "in", "a.wav"))
    assert stat.S_IMODE(found.path(found.recordings[0]).stat().st_mode) == 0o400
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in (found.root, found.root.parent)} == {0}


def test_a_disk_that_takes_nothing_is_named(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file where a folder should be")
    with pytest.raises(SourceFailedError, match=r"'a\.wav' cannot be kept"):
        DatasetStore(tmp_path / "store").keep_files(made(tmp_path / "in", "a.wav"))


def test_the_store_keeps_its_own_name(store: DatasetStore, tmp_path: Path) -> None:
    with pytest.raises(DatasetInvalidError, match="'objects'"):
        kept(store, made(tmp_path / "in", "a.wav", name="objects"))


def test_a_version_reads_like_any_folder(store: DatasetStore, tmp_path: Path) -> None:
    calls = kept(store, made(tmp_path / "in", "a.wav"))
    assert read_dataset(calls.root).version == calls.version
