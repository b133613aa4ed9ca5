"""What changed between two datasets."""

from pathlib import Path

import pytest

from dragoman.datasets.comparing import Changed, compare
from dragoman.datasets.dataset import Dataset
from dragoman.datasets.items import Card, CaseItem, RecordingItem
from dragoman.domain.errors import DatasetInvalidError


def item(file: str, duration_ms: int = 1_000, split: str | None = None) -> RecordingItem:
    return RecordingItem(file=file, sha256="0" * 64, duration_ms=duration_ms, split=split)


def dataset(*items: RecordingItem, terms: str | None = None) -> Dataset:
    return Dataset(Card(name="calls", license=terms), items, (), Path())


def test_items_are_added_removed_and_changed() -> None:
    old = dataset(item("a"), item("b"), item("c"))
    new = dataset(item("b"), item("c", 4_000, "test"), item("d"), terms="MIT")
    found = compare(old, new)
    assert (found.card, found.added, found.removed) == (("license",), ("d",), ("a",))
    assert found.changed == (Changed("c", ("duration_ms", "split")),)
    assert (found.items, found.audio_ms) == (0, 3_000)


def test_a_dataset_is_not_different_from_itself() -> None:
    assert compare(dataset(item("a")), dataset(item("a"))).is_none


def test_recordings_cannot_be_compared_with_cases() -> None:
    cases = Dataset(Card(name="asked", schema_name="cases/1"), (), (CaseItem(id="case_1", given={}),), Path())
    with pytest.raises(DatasetInvalidError, match="different things"):
        compare(dataset(item("a")), cases)
