"""Archives (zip, tar) → folders. Whoever made one may be no friend: nothing lands outside, links are refused."""

import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Final

from dragoman.datasets.limits import Allowance
from dragoman.datasets.paths import inside
from dragoman.domain.errors import DatasetInvalidError, SourceFailedError

_BLOCK_BYTES: Final = 1 << 20
_LINK: Final = 0o120_000
_KIND: Final = 0o170_000
_MACOS: Final = "__MACOSX"


def is_archive(path: Path) -> bool:
    """Return whether a file is a zip or a tar, compressed or not, whatever it is called."""
    return path.is_file() and (zipfile.is_zipfile(path) or tarfile.is_tarfile(path))


def unpack(archive: Path, folder: Path, allowance: Allowance) -> Path:
    """Write the files of an archive into a folder; return it, or the one folder in it that holds everything.

    Raises:
        SourceFailedError: if it is broken, encrypted or too large.
        DatasetInvalidError: if a name in it leads outside, or is that of a link.
    """
    try:
        for name, content in _zip(archive) if zipfile.is_zipfile(archive) else _tar(archive):
            if _MACOS not in name.parts:
                with content:
                    _write(content, folder / name, allowance)
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise SourceFailedError(f"The archive cannot be unpacked: {error}") from error
    inner = list(folder.iterdir())
    return inner[0] if len(inner) == 1 and inner[0].is_dir() else folder


def _zip(archive: Path) -> Iterator[tuple[PurePosixPath, IO[bytes]]]:
    with zipfile.ZipFile(archive) as opened:
        for entry in opened.infolist():
            if (entry.external_attr >> 16) & _KIND == _LINK:
                raise _not_a_file(entry.filename)
            if not entry.is_dir():
                yield inside(entry.filename), opened.open(entry)


def _tar(archive: Path) -> Iterator[tuple[PurePosixPath, IO[bytes]]]:
    with tarfile.open(archive) as opened:
        for entry in opened:
            if entry.isdir():
                continue
            content = opened.extractfile(entry) if entry.isreg() else None
            if content is None:
                raise _not_a_file(entry.name)
            yield inside(entry.name), content


def _not_a_file(name: str) -> DatasetInvalidError:
    return DatasetInvalidError(f"'{name}' in the archive is a link or a device; pack the files themselves.")


def _write(content: IO[bytes], target: Path, allowance: Allowance) -> None:
    deadline_s = allowance.one_file()
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with target.open("xb") as file:
            # What an archive says of its sizes may be untrue; what comes out of it is counted.
            while block := content.read(_BLOCK_BYTES):
                allowance.spend(len(block), deadline_s)
                file.write(block)
    except FileExistsError as error:
        raise DatasetInvalidError(f"The archive has two files '{target.name}' in one folder.") from error
