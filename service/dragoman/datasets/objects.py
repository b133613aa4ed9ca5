"""Files under the names of their contents: each is kept once, whole, and never changed."""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import BinaryIO, Final

from dragoman.domain.errors import SourceFailedError

_BLOCK_BYTES: Final = 1 << 20
_READ_ONLY: Final = 0o400
"""Of the owner: whose voice it is did not agree to more."""


def sha256_of(path: Path) -> str:
    """Return the digest of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Objects:
    """Files in ``folder/ab/abcd…``; what is there is whole, however the process that wrote it ended."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, sha256: str) -> Path:
        """Return where a file of this digest lies, if it is there."""
        return self._folder / sha256[:2] / sha256

    def put(self, source: Path) -> str:
        """Keep a copy of a file, and return its digest once it is on the disk.

        Raises:
            SourceFailedError: if it cannot be read, or the disk is full.
        """
        try:
            return self._put(source)
        except OSError as error:
            raise SourceFailedError(f"'{source.name}' cannot be kept in '{self._folder}': {error.strerror}.") from error

    def lay_out(self, sha256: str, target: Path) -> None:
        """Let a file appear under another name: as a second name of it where the file system can, else as a copy."""
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(self.path(sha256), target)
        except OSError:  # no such thing here, or too many names already
            shutil.copyfile(self.path(sha256), target)

    def _put(self, source: Path) -> str:
        make_private(self._folder)
        fd, name = tempfile.mkstemp(prefix=".new-", dir=self._folder)
        new = Path(name)
        try:
            with os.fdopen(fd, "wb") as file, source.open("rb") as read:
                digest = _copy(read, file)
            target = self.path(digest)
            if not target.exists():
                new.chmod(_READ_ONLY)
                target.parent.mkdir(exist_ok=True)
                new.replace(target)
                sync(target.parent)
        finally:
            new.unlink(missing_ok=True)
        return digest


def make_private(folder: Path) -> None:
    """Make a folder into which nobody else may look, if it is not there."""
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)


def sync(path: Path) -> None:
    """Return once a file, or the names in a folder, are on the disk."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _copy(read: BinaryIO, write: BinaryIO) -> str:
    digest = hashlib.sha256()
    while block := read.read(_BLOCK_BYTES):
        digest.update(block)
        write.write(block)
    write.flush()
    os.fsync(write.fileno())
    return digest.hexdigest()
