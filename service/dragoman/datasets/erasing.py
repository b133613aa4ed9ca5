"""Items leave every version that holds them, and what they were leaves the disk; a tombstone says how many are gone.

A version that lost items keeps its name. ``erased.json`` in it says what its content is now, so that the rest can still
be checked.
"""

import os
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import JsonValue

from dragoman.datasets.dataset import ERASED, Dataset, write_dataset
from dragoman.datasets.items import CaseItem, Erased, Erasing, RecordingItem
from dragoman.datasets.objects import sync
from dragoman.datasets.store import DatasetStore
from dragoman.domain.errors import SourceFailedError

Matches = Callable[[RecordingItem | CaseItem], bool]


@dataclass(frozen=True, slots=True)
class ErasedCopies:
    """What was erased: so many items, of so many versions (``NAME@VERSION``)."""

    items: int
    versions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """Finds items by where they come from: sessions of a server, and a subject of a tenant.

    ``is_subject`` is told what an item names as its subject. Without a ``tenant``, items of all tenants are meant, and
    of none.
    """

    sessions: Collection[str] = ()
    tenant: str | None = None
    is_subject: Callable[[str], bool] = lambda _: False

    def __call__(self, item: RecordingItem | CaseItem) -> bool:
        """Return whether an item comes from there."""
        if isinstance(item, RecordingItem):
            return item.session in self.sessions or self._is_theirs(item.subject, item.tenant)
        said = item.given
        return self._is_theirs(said.get("subject"), said.get("tenant")) or any(
            text in self.sessions for text in _texts(said)
        )

    def _is_theirs(self, subject: JsonValue, tenant: JsonValue) -> bool:
        return isinstance(subject, str) and self.tenant in (None, tenant) and self.is_subject(subject)


def erase_items(store: DatasetStore, matches: Matches, reason: str, erasure_id: str | None = None) -> ErasedCopies:
    """Erase items from all versions of a store, and recordings of the same bytes, whatever those are said to be.

    Raises:
        DatasetInvalidError: if a version cannot be read.
        SourceFailedError: if it cannot be written; begin again when it can.
    """
    if not store.folder.is_dir():
        return ErasedCopies(0, ())
    try:
        with store.locked(is_shared=False):
            erasing = Erasing(erased_ms=_now_ms(), reason=reason, items=1, erasure_id=erasure_id)
            return _erase_items(store, matches, erasing)
    except OSError as error:
        raise SourceFailedError(f"'{store.folder}' cannot be written: {error.strerror}.") from error


def _erase_items(store: DatasetStore, matches: Matches, erasing: Erasing) -> ErasedCopies:
    versions = {
        (name, version): store.open(name, version) for name in store.names() for version in store.versions(name)
    }
    gone = {item.sha256 for dataset in versions.values() for item in dataset.recordings if matches(item)}
    for sha256 in gone:
        store.objects.path(sha256).unlink(missing_ok=True)
    erased: dict[str, int] = {}
    for (name, version), dataset in versions.items():
        recordings = tuple(item for item in dataset.recordings if item.sha256 not in gone)
        cases = tuple(case for case in dataset.cases if not matches(case))
        items = len(dataset.recordings) + len(dataset.cases) - len(recordings) - len(cases)
        if items:
            rest = replace(dataset, recordings=recordings, cases=cases)
            _leave(dataset, rest, version, erasing.model_copy(update={"items": items}))
            erased[f"{name}@{version}"] = items
    return ErasedCopies(sum(erased.values()), tuple(erased))


def _leave(dataset: Dataset, rest: Dataset, version: str, erasing: Erasing) -> None:
    """Leave the rest of a version in its folder.

    The manifest goes last: until then whoever is interrupted finds the items again. The tombstone goes first, and says
    nothing before the rest is there.
    """
    folder, before = dataset.root, dataset.erased
    is_again = before is not None and before.left == rest.content
    erasures = before.erasures if before else ()
    erasures = erasures if is_again else (*erasures, erasing)
    items = sum(each.items for each in erasures)
    rest = replace(rest, erased=Erased(version=version, left=rest.content, items=items, erasures=erasures))
    made = folder.stat()
    with tempfile.TemporaryDirectory(prefix=".new-", dir=folder.parent) as name:
        new = Path(name)
        write_dataset(rest, new)
        for file in new.iterdir():
            sync(file)
        (new / ERASED).replace(folder / ERASED)
        sync(folder)
        kept = {item.file for item in rest.recordings}
        for item in dataset.recordings:
            if item.file not in kept:
                dataset.path(item).unlink(missing_ok=True)
        for file in new.iterdir():
            file.replace(folder / file.name)
    _drop_empty(folder)
    sync(folder)
    os.utime(folder, ns=(made.st_atime_ns, made.st_mtime_ns))  # versions are in the order in which they were made


def _drop_empty(folder: Path) -> None:
    for root, _, files in os.walk(folder, topdown=False):
        if not files and Path(root) != folder and not any(Path(root).iterdir()):
            Path(root).rmdir()


def _texts(value: Mapping[str, JsonValue] | JsonValue) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for each in value.values():
                yield from _texts(each)
        case list():
            for each in value:
                yield from _texts(each)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
