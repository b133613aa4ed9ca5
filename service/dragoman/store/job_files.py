"""The files of jobs, safe before a job is promised: in a folder, or in a container that all servers reach."""

import errno
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from dragoman.domain.errors import AudioNotFoundError, SpoolFailedError, SpoolFullError
from dragoman.store.folder import private_folder, sync_folder


class FileShelf(Protocol):
    """Where files of jobs lie. Calls wait for storage, and come from any thread."""

    @property
    def place(self) -> str:
        """Names it: who has the same can read the same files."""
        ...

    def keep(self, job_id: str, source: BinaryIO) -> None:
        """Copy a file, all of it, so that it survives what the place survives.

        Raises:
            SpoolFullError, SpoolFailedError: if it cannot be kept; nothing of it is then.
        """
        ...

    def fetched(self, job_id: str) -> AbstractContextManager[Path]:
        """Give the file of a job as a file on this machine.

        Raises:
            AudioNotFoundError: if there is none.
            SpoolFullError, SpoolFailedError: if it cannot be had now.
        """
        ...

    def drop(self, job_id: str) -> None:
        """Delete the file of a job; one that is not there is no error. Raises as ``keep``."""
        ...

    def close(self) -> None:
        """Let go of storage."""
        ...


class FolderFiles:
    """A folder with one file per job: other machines cannot read it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.place = f"{socket.gethostname()}:{folder.resolve()}"

    def keep(self, job_id: str, source: BinaryIO) -> None:
        """Copy a file to the disk; see ``FileShelf``."""
        path, part = self._folder / job_id, self._folder / f"{job_id}.part"
        try:
            private_folder(self._folder)
            source.seek(0)
            with part.open("wb") as out:
                shutil.copyfileobj(source, out, 1 << 20)
                out.flush()
                os.fsync(out.fileno())
            part.replace(path)
            sync_folder(self._folder)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise file_error(error) from error

    @contextmanager
    def fetched(self, job_id: str) -> Iterator[Path]:
        """Give the file itself."""
        path = self._folder / job_id
        if not path.exists():
            raise gone_error()
        yield path

    def drop(self, job_id: str) -> None:
        """Delete the file."""
        try:
            (self._folder / job_id).unlink(missing_ok=True)
        except OSError as error:
            raise file_error(error) from error

    def close(self) -> None:
        """Do nothing: a folder needs no letting go."""


class JobFiles:
    """The folder of a server, and the container of all, if there is one: then new files go there."""

    def __init__(self, folder: FolderFiles, shared: FileShelf | None = None) -> None:
        self.folder = folder
        self._newest: FileShelf = shared or folder
        self._shelves: dict[str, FileShelf] = {each.place: each for each in (folder, self._newest)}

    @property
    def place(self) -> str:
        """Where new files go."""
        return self._newest.place

    @property
    def places(self) -> tuple[str, ...]:
        """All places whose files can be read here."""
        return tuple(self._shelves)

    def keep(self, job_id: str, source: BinaryIO) -> None:
        """Keep a new file; see ``FileShelf``."""
        self._newest.keep(job_id, source)

    def fetched(self, job_id: str, place: str) -> AbstractContextManager[Path]:
        """Give a file of a place; see ``FileShelf``."""
        return self._shelves[place].fetched(job_id)

    def drop(self, job_id: str) -> None:
        """Delete a file, wherever it is."""
        for shelf in self._shelves.values():
            shelf.drop(job_id)

    def close(self) -> None:
        """Let go of storage."""
        for shelf in self._shelves.values():
            shelf.close()


def file_error(error: OSError) -> SpoolFullError | SpoolFailedError:
    """Return the error of ours that says what the system's means."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return SpoolFullError("There is no room for this file; try again later.")
    return SpoolFailedError(f"The file cannot be kept ({error.strerror}).")


def gone_error() -> AudioNotFoundError:
    """Return what is raised where the file of a job should be and is not."""
    return AudioNotFoundError("The file of this job is gone; send it again.")
