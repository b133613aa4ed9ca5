"""Where datasets are kept: every version of each, and recordings that several versions share only once.

``objects/ab/abcd…`` are the recordings, ``NAME/VERSION/`` is a version as a folder that reads like any dataset, and
``NAME/latest`` says which version its name alone means.
"""

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dragoman.datasets.dataset import CASES, MANIFEST, Dataset, read_dataset, write_dataset
from dragoman.datasets.items import NAME
from dragoman.datasets.objects import Objects, make_private, sync
from dragoman.domain.errors import DatasetInvalidError, DatasetUnknownError, SourceFailedError

_OBJECTS: Final = "objects"
_LATEST: Final = "latest"


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a dataset that was to be kept; ``is_new`` is false if this version was there already."""

    dataset: Dataset
    is_new: bool


class DatasetStore:
    """Datasets in a folder. Several processes may use it at once: a version appears whole, or not at all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.objects = Objects(folder / _OBJECTS)

    def keep(self, dataset: Dataset) -> Kept:
        """Keep a dataset whose recordings are among the objects, as the latest of its name.

        Raises:
            DatasetInvalidError: if the store needs its name itself, or a recording is not among the objects.
            SourceFailedError: if it cannot be written.
        """
        name, version = dataset.card.name, dataset.version
        if name == _OBJECTS:
            raise DatasetInvalidError(f"The store needs the name '{name}' itself; choose another.")
        target = self.folder / name / version
        is_new = not target.exists()
        try:
            with self.locked(is_shared=True):
                if is_new:
                    self._write(dataset, target)
                self._point(target.parent, version)
        except OSError as error:
            raise SourceFailedError(f"'{target}' cannot be written: {error.strerror}.") from error
        return Kept(read_dataset(target), is_new)

    def hold(self, dataset: Dataset) -> Dataset:
        """Return a dataset as a folder of the store, which has nothing else in it; what its name means stays.

        Raises:
            DatasetInvalidError: if it cannot be kept.
        """
        name, version = dataset.card.name, dataset.version
        if version not in self.versions(name):
            before = self.latest(name)
            self.keep_files(dataset)
            self.keep(dataset)
            if before is not None:
                self._point(self.folder / name, before)
        return self.open(name, version)

    @contextmanager
    def locked(self, *, is_shared: bool) -> Iterator[None]:
        """Keep versions from being made while one is changed: those who make some share the lock."""
        make_private(self.folder)
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def keep_files(self, dataset: Dataset) -> None:
        """Take the recordings of a dataset, wherever they lie, among the objects.

        Raises:
            DatasetInvalidError: naming one that is not there, or not what the manifest says.
        """
        for item in dataset.recordings:
            if self.objects.path(item.sha256).exists():
                continue
            path = dataset.path(item)
            if not path.is_file() or self.objects.put(path) != item.sha256:
                raise DatasetInvalidError(
                    f"'{item.file}' is not there, or not what the manifest says; look with: dragoman data validate"
                )

    def names(self) -> tuple[str, ...]:
        """Return what datasets are here, sorted."""
        return tuple(sorted(filter(_is_name, (file.parent.name for file in self.folder.glob(f"*/{_LATEST}")))))

    def versions(self, name: str) -> tuple[str, ...]:
        """Return the versions of a dataset, oldest first; empty if there is none of this name."""
        if not _is_name(name):
            return ()
        folders = [path for path in (self.folder / name).glob("*") if path.is_dir() and not path.name.startswith(".")]
        return tuple(path.name for path in sorted(folders, key=lambda path: (path.stat().st_mtime_ns, path.name)))

    def latest(self, name: str) -> str | None:
        """Return the version that a name alone means, if there is one of this name."""
        file = self.folder / name / _LATEST
        return file.read_text(encoding="utf-8").strip() if _is_name(name) and file.is_file() else None

    def open(self, name: str, version: str | None = None) -> Dataset:
        """Return a version of a dataset, by default the latest; all its recordings lie in its folder.

        Raises:
            DatasetUnknownError: saying what there is instead.
        """
        chosen = version or self.latest(name)
        if chosen is None:
            known = ", ".join(self.names()) or "none yet"
            raise DatasetUnknownError(f"There is no dataset '{name}' in '{self.folder}'. There are: {known}.")
        if chosen not in self.versions(name):
            known = ", ".join(self.versions(name)) or "none"
            raise DatasetUnknownError(f"There is no version '{chosen}' of '{name}'. There are: {known}.")
        return read_dataset(self.folder / name / chosen)

    def _write(self, dataset: Dataset, target: Path) -> None:
        make_private(target.parent)
        new = Path(tempfile.mkdtemp(prefix=".new-", dir=target.parent))
        try:
            for item in dataset.recordings:
                if not self.objects.path(item.sha256).exists():
                    raise DatasetInvalidError(f"The recording '{item.file}' is not in the store.")
                self.objects.lay_out(item.sha256, new / item.file)
            write_dataset(dataset, new)
            for written in (*new.glob("*.json*"), new):
                sync(written)
            try:
                new.rename(target)
            except OSError:
                if not target.is_dir():  # else somebody was faster, with the same
                    raise
        finally:
            shutil.rmtree(new, ignore_errors=True)

    def _point(self, folder: Path, version: str) -> None:
        fd, name = tempfile.mkstemp(prefix=".new-", dir=folder)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(f"{version}\n")
            file.flush()
            os.fsync(fd)
        Path(name).replace(folder / _LATEST)
        sync(folder)


def open_dataset(reference: str, store: DatasetStore) -> Dataset:
    """Return the dataset that a person means: ``NAME``, ``NAME@VERSION``, or the path of a folder or a file of cases.

    A path has a ``/`` or ends in ``.jsonl``; a plain word is looked up in the store first, then as a folder.

    Raises:
        DatasetInvalidError, DatasetUnknownError: if it is neither.
    """
    path = Path(reference)
    if os.sep in reference or reference in (".", "..") or path.suffix == ".jsonl":
        return read_dataset(path)
    name, at, version = reference.partition("@")
    if not at and store.latest(name) is None and any((path / file).is_file() for file in (MANIFEST, CASES)):
        return read_dataset(path)
    return store.open(name, version or None)


def _is_name(name: str) -> bool:
    return name != _OBJECTS and re.fullmatch(NAME, name) is not None
