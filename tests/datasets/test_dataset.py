"""Datasets are read, and their version is their content."""

import json
from pathlib import Path

import pytest

from dragoman.datasets.dataset import MANIFEST, Dataset, read_dataset, write_dataset
from dragoman.domain.errors import DatasetInvalidError
from dragoman.resources import flows_folder, samples_folder

LINE = {
    "file": "a.wav",
    "sha256": "0" * 64,
    "duration_ms": 1_000,
    "utterances": [{"start_ms": 0, "end_ms": 900, "locale": "en-US", "text": "Hello."}],
}


def written(folder: Path, *lines: object) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / MANIFEST).write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    return folder


def test_the_samples_are_a_dataset() -> None:
    samples = read_dataset(samples_folder() / "audio")
    assert (samples.card.name, samples.card.license, len(samples.recordings)) == ("samples", "CC0-1.0", 40)
    assert samples.recordings[0].locales == ("en-US",)
    assert all(samples.path(item).is_file() for item in samples.recordings)


def test_cases_of_a_flow_are_a_dataset() -> None:
    insight = read_dataset(flows_folder() / "insight")
    assert (insight.card.schema_name, len(insight.cases)) == ("cases/1", 72)
    assert insight.version == read_dataset(flows_folder() / "insight" / "data.jsonl").version


def test_the_version_is_the_content_and_neither_the_place_nor_the_order(tmp_path: Path) -> None:
    other = {**LINE, "file": "b.wav"}
    one = read_dataset(written(tmp_path / "calls", LINE, other))
    (tmp_path / "elsewhere").mkdir()
    two = read_dataset(written(tmp_path / "elsewhere" / "calls", other, LINE))
    assert one.version == two.version
    changed = read_dataset(written(tmp_path / "calls", LINE, {**other, "sha256": "1" * 64}))
    assert changed.version != one.version


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    samples = read_dataset(samples_folder() / "audio")
    write_dataset(samples, tmp_path / "copy")
    assert read_dataset(tmp_path / "copy").version == samples.version
    answers = read_dataset(flows_folder() / "answer")
    write_dataset(answers, tmp_path / "answers")
    assert read_dataset(tmp_path / "answers").cases == answers.cases


def test_items_are_chosen_by_tag_split_and_number(tmp_path: Path) -> None:
    lines = [{**LINE, "file": f"{n}.wav", "tags": ["noisy"] if n % 2 else [], "split": "test"} for n in range(6)]
    calls = read_dataset(written(tmp_path, *lines))

    def names(chosen: Dataset) -> list[str]:
        return [item.id for item in chosen.recordings]

    assert names(calls.only(tags=["noisy"])) == ["1.wav", "3.wav", "5.wav"]
    assert names(calls.only(tags=["noisy"], limit=1)) == ["1.wav"]
    assert names(calls.only(split="train")) == []


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "line 1"),
        (json.dumps({**LINE, "sha256": "short"}), "sha256"),
        (json.dumps({**LINE, "loudness": 3}), "loudness"),
        (f"{json.dumps(LINE)}\n{json.dumps(LINE)}", "'a.wav' more than once"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, says: str) -> None:
    (tmp_path / MANIFEST).write_text(line, encoding="utf-8")
    with pytest.raises(DatasetInvalidError, match=says):
        read_dataset(tmp_path)


def test_a_folder_without_a_dataset_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(DatasetInvalidError, match="dragoman data add"):
        read_dataset(tmp_path)


def test_no_path_leads_out_of_a_dataset(tmp_path: Path) -> None:
    calls = read_dataset(written(tmp_path / "calls", {**LINE, "file": "../secret.wav"}))
    with pytest.raises(DatasetInvalidError, match="outside"):
        calls.path(calls.recordings[0])
