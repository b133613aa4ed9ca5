"""What became of an export: files, what is not in them and why, and what somebody should know."""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from dragoman.datasets.dataset import Dataset
from dragoman.datasets.objects import sha256_of
from dragoman.domain.errors import DatasetInvalidError

RECORD: Final = "export.json"


class Reason(StrEnum):
    """Why something is left out. The values are public and never change."""

    AUDIO = "audio"
    CHARACTERS = "characters"
    DUPLICATE = "duplicate"
    EVALUATION = "evaluation"
    LENGTH = "length"
    LONG = "long"
    NUMBER = "number"
    OVERLAP = "overlap"
    REPEATS = "repeats"
    REVIEW = "review"
    SHAPE = "shape"
    SHARED = "shared"
    TEXT = "text"
    TIMES = "times"


class Part(StrEnum):
    """What something is for."""

    TRAIN = "train"
    TUNE = "tune"
    TEST = "test"


_PARTS: Final = {
    None: Part.TRAIN,
    "train": Part.TRAIN,
    "dev": Part.TUNE,
    "tune": Part.TUNE,
    "valid": Part.TUNE,
    "validation": Part.TUNE,
    "test": Part.TEST,
}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that a service would not take, or would drop without a word."""

    item: str
    reason: Reason
    why: str


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was written, by its path in the folder, and how many entries are in it."""

    file: str
    entries: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Exported:
    """Files, what is in none of them, and notes for whoever uploads them."""

    files: tuple[Written, ...]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...] = ()


def part_of(split: str | None) -> Part:
    """Return what a split is for; what is in none is there to be taught with.

    Raises:
        DatasetInvalidError: if nobody can tell.
    """
    if split not in _PARTS:
        raise DatasetInvalidError(
            f"Nobody can tell what the split '{split}' is for; they are called train, dev and test. "
            "Make them with: dragoman data split"
        )
    return _PARTS[split]


def written(folder: Path, path: Path, entries: int) -> Written:
    """Return what to say of a file that is complete."""
    return Written(path.relative_to(folder).as_posix(), entries, path.stat().st_size, sha256_of(path))


def check_empty(folder: Path) -> None:
    """Do nothing if a folder is new or empty: what lies there already would be uploaded as well.

    Raises:
        DatasetInvalidError: if something is in it.
    """
    if folder.exists() and any(folder.iterdir()):
        raise DatasetInvalidError(f"'{folder}' is not empty; name a new folder.")


def write_record(folder: Path, dataset: Dataset, target: str, exported: Exported) -> None:
    """Write beside the files where they are from and by what right, so that a model can be traced to its data."""
    card = dataset.card
    papers = {"license": card.license, "consent": card.consent, "provenance": card.provenance}
    record = {"dataset": dataset.reference, "to": target, **papers, **asdict(exported)}
    (folder / RECORD).write_text(json.dumps(record, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
