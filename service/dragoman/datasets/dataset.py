"""A dataset is a folder (``dataset.json``, ``manifest.jsonl``, recordings) or a file of cases (``data.jsonl``)."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

from pydantic import BaseModel, TypeAdapter, ValidationError

from dragoman.datasets.items import Card, CaseItem, Erased, RecordingItem
from dragoman.domain.errors import DatasetInvalidError
from dragoman.domain.validation import first_problem

CARD: Final = "dataset.json"
MANIFEST: Final = "manifest.jsonl"
CASES: Final = "data.jsonl"
ERASED: Final = "erased.json"

_VERSION_CHARS: Final = 12
_GIVEN: Final[TypeAdapter[dict[str, object]]] = TypeAdapter(dict[str, object])


@dataclass(frozen=True)
class Dataset:
    """A card and items, in the order of the file. ``root`` is the folder that their paths begin in.

    ``erased`` says of a version that items of it were erased.
    """

    card: Card
    recordings: tuple[RecordingItem, ...]
    cases: tuple[CaseItem, ...]
    root: Path
    erased: Erased | None = None

    @property
    def version(self) -> str:
        """Twelve hex digits that change with every bit of the card, of any item and of any recording.

        The order of items does not matter, nor does where the dataset lies. A version of which items were erased keeps
        its name while exactly the rest is there.
        """
        return self.erased.version if self.erased and self.erased.left == self.content else self.content

    @property
    def erased_items(self) -> int:
        """How many items of this version were erased."""
        return self.erased.items if self.erased and self.erased.left == self.content else 0

    @cached_property
    def content(self) -> str:
        """The version of what is there."""
        lines = sorted(_canonical(item) for item in (*self.recordings, *self.cases))
        return hashlib.sha256("\n".join([_canonical(self.card), *lines]).encode()).hexdigest()[:_VERSION_CHARS]

    @property
    def reference(self) -> str:
        """What means exactly this version."""
        return f"{self.card.name}@{self.version}"

    @property
    def audio_ms(self) -> int:
        """How long all recordings are, together."""
        return sum(item.duration_ms for item in self.recordings)

    def path(self, item: RecordingItem) -> Path:
        """Return where a recording lies.

        Raises:
            DatasetInvalidError: if its path leads out of the dataset.
        """
        path = (self.root / item.file).resolve()
        if not path.is_relative_to(self.root.resolve()):
            raise DatasetInvalidError(f"'{item.file}' lies outside of the dataset '{self.card.name}'.")
        return path

    def with_card(self, card: Card) -> "Dataset":
        """Return the same items under another card."""
        return replace(self, card=card)

    def only(self, *, tags: Sequence[str] = (), split: str | None = None, limit: int | None = None) -> "Dataset":
        """Return the items that have one of the tags, are in the split, and are among the first ``limit`` of these."""
        recordings = [
            item for item in self.recordings if (not tags or set(tags) & set(item.tags)) and split in (None, item.split)
        ]
        cases = [item for item in self.cases if split in (None, item.split)]
        return replace(self, recordings=tuple(recordings[:limit]), cases=tuple(cases[:limit]))


def read_dataset(path: Path) -> Dataset:
    """Return the dataset in a folder or a file of cases; recordings are not touched.

    Raises:
        DatasetInvalidError: naming the file, the line and what is wrong.
    """
    if path.is_file():
        return _read_cases(path)
    manifest = path / MANIFEST
    if manifest.is_file():
        recordings = tuple(_read_lines(manifest))
        _check_unique(manifest, [item.id for item in recordings])
        return Dataset(read_card(path, path.resolve().name), recordings, (), path, read_erased(path))
    if (path / CASES).is_file():
        return _read_cases(path / CASES)
    raise DatasetInvalidError(
        f"There is no dataset at '{path}': neither {MANIFEST} nor {CASES}. "
        f"For a folder of recordings make one with: dragoman data add NAME {path}"
    )


def write_dataset(dataset: Dataset, folder: Path) -> None:
    """Write card and items into a folder; recordings are not copied."""
    folder.mkdir(parents=True, exist_ok=True)
    card = dataset.card.model_dump(mode="json", by_alias=True, exclude_none=True)
    (folder / CARD).write_text(json.dumps(card, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    if dataset.erased and dataset.erased_items:
        (folder / ERASED).write_text(dataset.erased.model_dump_json(indent=2) + "\n", encoding="utf-8")
    if dataset.card.schema_name == "cases/1":
        lines = list(_case_lines(dataset.cases))
        (folder / CASES).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return
    lines = [item.model_dump_json(exclude_defaults=True) for item in dataset.recordings]
    (folder / MANIFEST).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _read_lines(manifest: Path) -> list[RecordingItem]:
    items = []
    for number, line in enumerate(_text(manifest).splitlines(), 1):
        try:
            items += [RecordingItem.model_validate_json(line)] if line.strip() else []
        except ValidationError as error:
            raise DatasetInvalidError(f"{manifest}, line {number}: {first_problem(error)}") from error
    return items


def _case_lines(cases: Sequence[CaseItem]) -> Iterator[str]:
    """Yield the lines of a file of cases: a case is called by its line, so those that are not there leave it empty."""
    at = 0
    for case in cases:
        named = re.fullmatch(r"case_(\d+)", case.id)
        number = max(int(named[1]), at + 1) if named else at + 1
        yield from [""] * (number - at - 1)
        yield json.dumps(dict(case.given), ensure_ascii=False)
        at = number


def _read_cases(file: Path) -> Dataset:
    cases = []
    for number, line in enumerate(_text(file).splitlines(), 1):
        try:
            given = _GIVEN.validate_json(line) if line.strip() else None
        except ValidationError as error:
            raise DatasetInvalidError(f"{file}, line {number}: {first_problem(error)}") from error
        if given is not None:
            cases.append(CaseItem.model_validate({"id": f"case_{number}", "given": given, "split": given.get("split")}))
    name = file.resolve().parent.name if file.name == CASES else file.stem
    card = read_card(file.parent, name).model_copy(update={"schema_name": "cases/1"})
    erased = read_erased(file.parent) if file.name == CASES else None
    return Dataset(card, (), tuple(cases), file.parent, erased)


def read_erased(folder: Path) -> Erased | None:
    """Return what a folder says of items that were erased; ``None`` if none were.

    Raises:
        DatasetInvalidError: naming what is wrong with it.
    """
    file = folder / ERASED
    if not file.is_file():
        return None
    try:
        return Erased.model_validate_json(_text(file))
    except ValidationError as error:
        raise DatasetInvalidError(f"{file}: {first_problem(error)}") from error


def read_card(folder: Path, name: str) -> Card:
    """Return the card of a folder; without one, that of a dataset with this name, about which nobody says anything.

    Raises:
        DatasetInvalidError: naming what is wrong with it.
    """
    file = folder / CARD
    if not file.is_file():
        plain = "".join(char if char.isascii() and char.isalnum() else "-" for char in name.lower()).strip("-")
        return Card(name=plain[:64] or "dataset")
    try:
        return Card.model_validate_json(_text(file))
    except ValidationError as error:
        raise DatasetInvalidError(f"{file}: {first_problem(error)}") from error


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetInvalidError(f"'{file}' cannot be read: {error}") from error


def _check_unique(file: Path, ids: Sequence[str]) -> None:
    twice = sorted(id_ for id_, times in Counter(ids).items() if times > 1)
    if twice:
        raise DatasetInvalidError(f"{file} names '{twice[0]}' more than once.")


def _canonical(item: BaseModel) -> str:
    return json.dumps(item.model_dump(mode="json", by_alias=True, exclude_defaults=True), sort_keys=True)
