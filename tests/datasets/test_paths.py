"""Which names lie inside a dataset."""

import pytest

from dragoman.datasets.paths import check_recording, inside
from dragoman.domain.errors import DatasetInvalidError


@pytest.mark.parametrize("name", ["a.wav", "monday/a b.wav", "./a.wav", "Größe/ü.wav", "call 12:30.wav", "..a.wav"])
def test_a_name_inside_is_taken(name: str) -> None:
    assert str(inside(name)) == name.removeprefix("./")


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../a.wav", "a/../../b.wav", "/a.wav", "C:/a.wav", "c:a.wav", "a\\b.wav", "a\nb.wav", "a\0.wav"],
)
def test_a_name_outside_is_refused(name: str) -> None:
    with pytest.raises(DatasetInvalidError, match="no path inside"):
        inside(name)


@pytest.mark.parametrize("name", ["dataset.json", "manifest.jsonl", "data.jsonl", "./manifest.jsonl"])
def test_names_of_the_datasets_own_files_are_taken_already(name: str) -> None:
    with pytest.raises(DatasetInvalidError, match="themselves"):
        check_recording(name)
