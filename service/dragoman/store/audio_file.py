"""The audio of one session in a file."""

import errno
import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from dragoman.domain.audio import SAMPLE_WIDTH_BYTES
from dragoman.domain.errors import DragomanError, SpoolFailedError, SpoolFullError

_sync: Final[Callable[[int], None]] = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


class AudioFile:
    """A ``Tape`` that is a file, locked against other processes."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor
        self._size_bytes = os.fstat(descriptor).st_size

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open or create the file; a torn last sample is cut off.

        Raises:
            SpoolFullError, SpoolFailedError: if that is impossible, or somebody has it open.
        """
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                size = os.fstat(descriptor).st_size
                os.ftruncate(descriptor, size - size % SAMPLE_WIDTH_BYTES)
                os.fsync(descriptor)  # what an earlier process wrote and did not live to sync
                return cls(path, descriptor)
            except BaseException:
                os.close(descriptor)
                raise
        except BlockingIOError as error:
            raise SpoolFailedError("The session's audio is open already, here or in another process.") from error
        except OSError as error:
            raise spool_error(error) from error

    @property
    def size_bytes(self) -> int:
        """What is synced."""
        return self._size_bytes

    def write(self, pcm: bytes) -> None:
        """Append, and sync; see ``Tape``."""
        try:
            _write(self._descriptor, pcm)
            _sync(self._descriptor)
        except OSError as error:
            # Nothing is tried again: after a failed sync, a system may report success for what it has dropped.
            with suppress(OSError):
                os.ftruncate(self._descriptor, self._size_bytes)
            raise spool_error(error) from error
        self._size_bytes += len(pcm)

    def read(self, first: int, last: int) -> bytes:
        """Return bytes of the file; see ``Tape``."""
        try:
            # Opened anew, so that a reader may outlive the descriptor; its number may by then be another session's.
            with self._path.open("rb", buffering=0) as file:
                file.seek(first)
                return file.read(last - first)
        except OSError as error:
            raise spool_error(error) from error

    def release(self) -> None:
        """Close the file, and with that unlock it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def spool_error(error: OSError) -> DragomanError:
    """Return the error of ours that says what the system's means."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return SpoolFullError("The disk that holds the audio is full; free some space, then resume the session.")
    return SpoolFailedError(f"The audio cannot be kept on disk ({error.strerror}); check it, then resume the session.")


def _write(descriptor: int, pcm: bytes) -> None:
    rest = memoryview(pcm)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
