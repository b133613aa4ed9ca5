"""What is erased is gone from every version and from the disk, and the rest can still be used and checked."""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dragoman.datasets.dataset import ERASED, Dataset, read_dataset
from dragoman.datasets.erasing import Origin, erase_items
from dragoman.datasets.items import Card, CaseItem, RecordingItem, Reference
from dragoman.datasets.objects import sha256_of
from dragoman.datasets.pulling import pull
from dragoman.datasets.store import DatasetStore
from dragoman.datasets.validating import validate
from tests.datasets.sounds import tone, write_wav

if TYPE_CHECKING:
    from pydantic import JsonValue

CANARY = "the blue heron eats zucchini"


@pytest.fixture
def store(tmp_path: Path) -> DatasetStore:
    return DatasetStore(tmp_path / "store")


def recording(
    folder: Path, file: str, hertz: float, text: str, session: str | None, subject: str | None = None
) -> RecordingItem:
    path = write_wav(folder / file, tone(0.2, hertz))
    said = Reference(start_ms=0, end_ms=200, locale="en-US", text=text)
    return RecordingItem(
        file=file,
        sha256=sha256_of(path),
        duration_ms=200,
        utterances=(said,),
        session=session,
        subject=subject,
        tenant="acme" if session else None,
    )


@pytest.fixture
def calls(store: DatasetStore, tmp_path: Path) -> Dataset:
    """Three recordings in the store; the second is of session s_2 and says the canary."""
    folder = tmp_path / "in"
    items = (
        recording(folder, "a.wav", 300, "Good morning.", "s_1", "anna"),
        recording(folder, "monday/b.wav", 400, CANARY, "s_2", "ben"),
        recording(folder, "c.wav", 500, "Good bye.", None),
    )
    card = Card(name="calls", license="CC0-1.0", consent="signed", provenance="made here")
    dataset = Dataset(card, items, (), folder)
    store.keep_files(dataset)
    return store.keep(dataset).dataset


def child(store: DatasetStore, parent: Dataset) -> Dataset:
    """Keep another version with the same recordings, and another dataset whose manifest does not say whose it is."""
    made = parent.with_card(parent.card.model_copy(update={"parent": parent.version, "change": "split"}))
    store.keep(made)
    nobody = tuple(item.model_copy(update={"session": None, "subject": None}) for item in parent.recordings)
    other = Dataset(parent.card.model_copy(update={"name": "copies"}), nobody, (), parent.root)
    store.keep_files(other)
    store.keep(other)
    return made


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_a_session_leaves_every_version_and_the_disk(store: DatasetStore, calls: Dataset, tmp_path: Path) -> None:
    made = child(store, calls)
    sound = (tmp_path / "in" / "monday" / "b.wav").read_bytes()
    before = everything(store.folder)
    assert CANARY.encode() in before
    assert sound in before
    order = store.versions("calls")
    erased = erase_items(store, Origin(sessions={"s_2"}), "session")
    assert erased.items == 3  # the same bytes are the same voice, whatever a manifest says
    assert set(erased.versions) == {
        f"calls@{calls.version}",
        f"calls@{made.version}",
        f"copies@{store.latest('copies')}",
    }
    after = everything(store.folder)
    assert CANARY.encode() not in after
    assert sound not in after
    assert store.versions("calls") == order
    assert erase_items(store, Origin(sessions={"s_2"}), "session").items == 0


def test_what_is_left_keeps_its_version_and_is_sound(store: DatasetStore, calls: Dataset, tmp_path: Path) -> None:
    erase_items(store, Origin(sessions={"s_2"}), "subject", "e_1")
    left = store.open("calls", calls.version)
    assert (left.version, left.erased_items, [item.file for item in left.recordings]) == (
        calls.version,
        1,
        ["a.wav", "c.wav"],
    )
    assert left.erased is not None
    assert [(each.reason, each.items, each.erasure_id) for each in left.erased.erasures] == [("subject", 1, "e_1")]
    assert asyncio.run(validate(left)) == []
    pull(left, tmp_path / "out")
    out = read_dataset(tmp_path / "out")
    assert (out.version, out.erased_items, len(out.recordings)) == (calls.version, 1, 2)
    erase_items(store, Origin(tenant="acme", is_subject="anna".__eq__), "subject", "e_2")
    again = store.open("calls", calls.version)
    assert (again.version, again.erased_items, len(again.recordings)) == (calls.version, 2, 1)


def test_who_changes_what_is_left_is_found_out(store: DatasetStore, calls: Dataset) -> None:
    erase_items(store, Origin(sessions={"s_2"}), "session")
    manifest = calls.root / "manifest.jsonl"
    manifest.write_text(manifest.read_text().replace("Good morning.", "Good evening."))
    changed = read_dataset(calls.root)
    assert changed.version != calls.version
    assert [problem.check for problem in asyncio.run(validate(changed))] == ["checksum"]


def test_whoever_is_interrupted_begins_again(store: DatasetStore, calls: Dataset) -> None:
    whole = (calls.root / "manifest.jsonl").read_bytes()
    erase_items(store, Origin(sessions={"s_2"}), "session")
    (calls.root / "manifest.jsonl").write_bytes(whole)  # as if it had not come that far
    assert store.open("calls").version == calls.version
    assert erase_items(store, Origin(sessions={"s_2"}), "session").items == 1
    left = store.open("calls")
    assert (left.version, left.erased_items) == (calls.version, 1)


def test_what_is_another_tenants_stays(store: DatasetStore, calls: Dataset) -> None:
    assert erase_items(store, Origin(tenant="other", is_subject=lambda _: True), "subject").items == 0
    assert erase_items(store, Origin(tenant="acme", is_subject="nobody".__eq__), "subject").items == 0
    assert store.open("calls").erased is None


def test_cases_are_erased_and_the_others_keep_their_names(store: DatasetStore, tmp_path: Path) -> None:
    given: list[dict[str, JsonValue]] = [
        {"question": "When?", "conversation": {"session_id": "s_1"}},
        {"question": CANARY, "conversation": {"session_id": "s_2"}},
        {"question": "Where?", "subject": "anna", "tenant": "acme"},
        {"question": "Who?"},
    ]
    cases = tuple(CaseItem(id=f"case_{number}", given=each) for number, each in enumerate(given, 1))
    kept = store.keep(Dataset(Card(name="asked", schema_name="cases/1"), (), cases, Path())).dataset
    erase_items(store, Origin(sessions={"s_2"}, tenant="acme", is_subject="anna".__eq__), "subject")
    left = store.open("asked")
    assert [case.id for case in left.cases] == ["case_1", "case_4"]
    assert (left.version, left.erased_items) == (kept.version, 2)
    assert CANARY.encode() not in everything(store.folder)
    pull(left, tmp_path / "out")
    assert [case.id for case in read_dataset(tmp_path / "out").cases] == ["case_1", "case_4"]
    assert "zucchini" not in json.dumps(json.loads((kept.root / ERASED).read_text()))


def test_all_of_a_version_may_be_erased(store: DatasetStore, calls: Dataset) -> None:
    erase_items(store, lambda _: True, "subject")
    left = store.open("calls")
    assert (left.version, left.erased_items, left.recordings) == (calls.version, 3, ())
    assert asyncio.run(validate(left)) == []
