"""Where datasets come from: folders, archives, files of cases, the web, Blob Storage."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from dragoman.datasets.archive import is_archive, unpack
from dragoman.datasets.dataset import CARD, CASES, MANIFEST, Dataset, read_card, read_dataset
from dragoman.datasets.drafts import Draft, read_drafts
from dragoman.datasets.items import Card
from dragoman.datasets.limits import Allowance
from dragoman.datasets.objects import make_private
from dragoman.datasets.places import BlobAccess, BlobPlace, parse_place
from dragoman.domain.errors import DependencyMissingError, SourceFailedError

_SCHEMES: Final = ("https://", "http://")


@dataclass(frozen=True, slots=True)
class Recordings:
    """Recordings that a source offers. ``locate`` returns where one lies; it may have to fetch it first."""

    card: Card
    drafts: tuple[Draft, ...]
    locate: Callable[[str], Path]


@contextmanager
def open_source(source: str, scratch: Path, allowance: Allowance, access: BlobAccess) -> Iterator[Recordings | Dataset]:
    """Give what a source offers: recordings, or a dataset of cases.

    ``scratch`` is a folder on a disk that is large enough; what is fetched lies in it until the context is left.

    Raises:
        SourceFailedError: if it cannot be had.
        DatasetInvalidError: if it holds no dataset.
    """
    try:
        make_private(scratch)
    except OSError as error:
        raise SourceFailedError(f"'{scratch}' cannot be made: {error.strerror}; choose another with --data.") from error
    with tempfile.TemporaryDirectory(prefix=".incoming-", dir=scratch) as name:
        fetched = Path(name)
        if not source.startswith(_SCHEMES):
            yield _from_path(Path(source), fetched, allowance)
        elif (place := parse_place(source, access)) is not None:
            yield _from_blobs(place, access, fetched, allowance)
        else:
            with _from_web(source, fetched, allowance) as found:
                yield found


def _from_path(path: Path, fetched: Path, allowance: Allowance) -> Recordings | Dataset:
    if is_archive(path):
        path = unpack(path, fetched / "unpacked", allowance)
    if path.is_file() and path.suffix == ".jsonl" and path.name != MANIFEST:
        return read_dataset(path)
    folder = path.parent if path.name == MANIFEST else path
    if not folder.is_dir():
        raise SourceFailedError(f"'{path}' is no folder, archive, manifest, or file of cases (.jsonl).")
    if (folder / CASES).is_file() and not (folder / MANIFEST).is_file():
        return read_dataset(folder)
    return Recordings(read_card(folder, folder.resolve().name), read_drafts(folder), lambda file: folder / file)


def _from_blobs(place: BlobPlace, access: BlobAccess, fetched: Path, allowance: Allowance) -> Recordings | Dataset:
    try:
        from dragoman.datasets.blob import open_place
    except ImportError as error:
        raise _missing("Blob Storage") from error
    folder = fetched / "blobs"
    with open_place(place, access) as blobs:
        blobs.fetch(folder, allowance)
    found = list(folder.iterdir())
    return _from_path(found[0] if len(found) == 1 and found[0].is_file() else folder, fetched, allowance)


@contextmanager
def _from_web(url: str, fetched: Path, allowance: Allowance) -> Iterator[Recordings | Dataset]:
    try:
        from dragoman.datasets.download import beside, web
    except ImportError as error:
        raise _missing("The web") from error
    name = urlsplit(url).path.rpartition("/")[2]
    folder = fetched / "web"
    file = folder / (MANIFEST if name == MANIFEST else "cases.jsonl" if name.endswith(".jsonl") else "download")
    with web(allowance) as opened:
        opened.fetch(url, file)
        if name == MANIFEST:
            opened.has(beside(url, CARD), folder / CARD)
        found = _from_path(file, fetched, allowance)
        if name != MANIFEST or isinstance(found, Dataset):
            yield found
            return

        def locate(wanted: str) -> Path:
            opened.fetch(beside(url, wanted), folder / wanted)
            return folder / wanted

        yield replace(found, locate=locate)


def _missing(what: str) -> DependencyMissingError:
    return DependencyMissingError(f"{what} as a source needs the extra 'data': pip install 'dragoman[data]'.")
