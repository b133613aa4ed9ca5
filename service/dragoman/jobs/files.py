"""The files of jobs, safe on the disk before a job is promised."""

import errno
import os
import shutil
import socket
from pathlib import Path
from typing import BinaryIO

from dragoman.domain.errors import SpoolFailedError, SpoolFullError
from dragoman.store.folder import private_folder


class JobFiles:
    """A folder with one file per job. ``place`` says where it is: other machines cannot read it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.place = f"{socket.gethostname()}:{folder.resolve()}"

    def keep(self, job_id: str, source: BinaryIO) -> None:
        """Copy a file so that it survives the machine.

        Raises:
            SpoolFullError, SpoolFailedError: if it cannot be kept; nothing of it is then.
        """
        path, part = self.path(job_id), self._folder / f"{job_id}.part"
        try:
            private_folder(self._folder)
            with part.open("wb") as out:
                shutil.copyfileobj(source, out, 1 << 20)
                out.flush()
                os.fsync(out.fileno())
            part.replace(path)
            folder = os.open(self._folder, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            part.unlink(missing_ok=True)
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise SpoolFullError("There is no room for this file; try again later.") from error
            raise SpoolFailedError(f"The file cannot be kept ({error.strerror}).") from error

    def path(self, job_id: str) -> Path:
        """Return where the file of a job is."""
        return self._folder / job_id

    def drop(self, job_id: str) -> None:
        """Delete the file of a job; one that is not there is no error."""
        self.path(job_id).unlink(missing_ok=True)
