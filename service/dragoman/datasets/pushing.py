"""A version → somewhere else: a folder or Blob Storage, under ``NAME/VERSION/``, and only with its papers in order."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from dragoman.datasets.dataset import CARD, Dataset, write_dataset
from dragoman.datasets.objects import sha256_of
from dragoman.domain.errors import DatasetInvalidError, DatasetRefusedError


class Destination(Protocol):
    """Takes files under names with ``/``."""

    def has(self, name: str) -> bool:
        """Return whether there is a file of this name."""
        ...

    def write(self, name: str, file: Path) -> None:
        """Write a file under a name, in place of what was there."""
        ...

    def names(self, folder: str) -> list[str]:
        """Return the names of all files that begin with ``folder/``."""
        ...

    def remove(self, name: str) -> None:
        """Remove the file of a name."""
        ...


class FolderDestination:
    """A folder on this machine, or one that is mounted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def has(self, name: str) -> bool:
        """Return whether there is a file of this name."""
        return (self._folder / name).is_file()

    def write(self, name: str, file: Path) -> None:
        """Write a file under a name: beside it first, so that nobody sees half of it."""
        target = self._folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        new = target.with_name(f".{target.name}.part")
        shutil.copyfile(file, new)
        new.replace(target)

    def names(self, folder: str) -> list[str]:
        """Return the names of all files in a folder, at any depth."""
        found = (path for path in (self._folder / folder).rglob("*") if path.is_file())
        return sorted(path.relative_to(self._folder).as_posix() for path in found)

    def remove(self, name: str) -> None:
        """Remove the file of a name."""
        (self._folder / name).unlink(missing_ok=True)


def check_papers(dataset: Dataset) -> None:
    """Do nothing if everything is said that must be before others may use a dataset.

    Raises:
        DatasetRefusedError: naming what is not.
    """
    missing = dataset.card.missing
    if missing:
        options = " ".join(f"--{field} …" for field in missing)
        raise DatasetRefusedError(
            f"Nobody says the {' and '.join(missing)} of '{dataset.card.name}', so it stays here; "
            f"say it with: dragoman data add {dataset.card.name} SOURCE {options}"
        )


def push(dataset: Dataset, destination: Destination, on_done: Callable[[str], None] = lambda _: None) -> bool:
    """Write a version; return false if it was there already, as it is. The card comes last: where it is, everything is.

    What was erased of a version here is erased there.

    Raises:
        DatasetRefusedError: if it is not said by what right it is used.
        DatasetInvalidError: if a recording is not what the manifest says.
        SourceFailedError: if the destination does not take it.
    """
    check_papers(dataset)
    place = f"{dataset.card.name}/{dataset.version}"
    if destination.has(f"{place}/{CARD}"):
        if dataset.erased_items:
            _erase_there(dataset, destination, place)
        return dataset.erased_items > 0
    for item in dataset.recordings:
        path = dataset.path(item)
        if not path.is_file() or sha256_of(path) != item.sha256:
            raise DatasetInvalidError(
                f"'{item.file}' is not there, or not what the manifest says; look with: dragoman data validate"
            )
        destination.write(f"{place}/{item.file}", path)
        on_done(item.id)
    _write_papers(dataset, destination, place)
    return True


def _write_papers(dataset: Dataset, destination: Destination, place: str) -> set[str]:
    with tempfile.TemporaryDirectory() as name:
        write_dataset(dataset, Path(name))
        files = sorted(Path(name).iterdir(), key=lambda file: file.name == CARD)
        for file in files:
            destination.write(f"{place}/{file.name}", file)
        return {f"{place}/{file.name}" for file in files}


def _erase_there(dataset: Dataset, destination: Destination, place: str) -> None:
    """Leave at a destination what is left of a version."""
    left = {f"{place}/{item.file}" for item in dataset.recordings} | _write_papers(dataset, destination, place)
    for name in destination.names(place):
        if name not in left:
            destination.remove(name)
