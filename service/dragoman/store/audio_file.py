"""The audio of one session in a file: what is handed over waits in memory until a sync has made it durable."""

import asyncio
import errno
import fcntl
import os
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from dragoman.domain.audio import SAMPLE_RATE_HZ, SAMPLE_WIDTH_BYTES, AudioFrame
from dragoman.domain.errors import DragomanError, SpoolFailedError, SpoolFullError
from dragoman.store.mark import Mark

_MAX_WAITING_BYTES: Final = 8_000_000
"""Audio of one session that may wait for the disk: over four minutes of speech."""

_FRAME_BYTES: Final = SAMPLE_RATE_HZ * SAMPLE_WIDTH_BYTES

_sync: Final[Callable[[int], None]] = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


class AudioFile:
    """A spooled session, usable from any thread.

    ``is_dirty`` is called with it after every ``append``: somebody must then call ``sync``.
    """

    def __init__(self, path: Path, descriptor: int, is_dirty: Callable[["AudioFile"], None]) -> None:
        self._path = path
        self._descriptor = descriptor
        self._is_dirty = is_dirty
        self._synced_bytes = os.fstat(descriptor).st_size
        self._waiting = bytearray()  # what follows in the file, or will
        self._is_closing = False
        self._lock = threading.Lock()  # of the three above; held for moments only
        self._disk = threading.Lock()  # of the descriptor; held while the disk works
        self._durable = Mark(self._synced_bytes // SAMPLE_WIDTH_BYTES)

    @classmethod
    def open(cls, path: Path, is_dirty: Callable[["AudioFile"], None]) -> Self:
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
                return cls(path, descriptor, is_dirty)
            except BaseException:
                os.close(descriptor)
                raise
        except BlockingIOError as error:
            raise SpoolFailedError("The session's audio is open already, here or in another process.") from error
        except OSError as error:
            raise spool_error(error) from error

    @property
    def is_closed(self) -> bool:
        """Whether the file is released."""
        return self._descriptor < 0

    @property
    def written(self) -> int:
        """Samples handed over."""
        with self._lock:
            return (self._synced_bytes + len(self._waiting)) // SAMPLE_WIDTH_BYTES

    @property
    def durable(self) -> int:
        """Samples that are synced."""
        return self._durable.samples

    def append(self, pcm: bytes) -> None:
        """Take the next samples; see ``SpooledAudio``."""
        if len(pcm) % SAMPLE_WIDTH_BYTES:
            raise ValueError("audio must be handed over in whole 16-bit samples")
        if (end := self._durable.end) is not None:
            raise end
        with self._lock:
            if self._is_closing:
                raise closed_error()
            if len(self._waiting) + len(pcm) > _MAX_WAITING_BYTES:
                raise SpoolFullError("The disk does not keep up with the audio; send slower, or use a faster disk.")
            self._waiting += pcm
        self._is_dirty(self)

    async def until_durable(self, samples: int) -> int:
        """Wait for the disk; see ``SpooledAudio``. Who waits does not wait for the next round of all files."""
        if self._durable.samples < samples <= self.written:
            await asyncio.to_thread(self.sync)
        return await self._durable.reached(samples)

    def read(self, start: int) -> AsyncIterator[AudioFrame]:
        """Yield what is written now; see ``SpooledAudio``."""
        return self._frames(start, self.written)

    async def close(self) -> None:
        """Sync what waits and release the file."""
        await asyncio.to_thread(self.release)

    def release(self) -> None:
        """Do what ``close`` does, waiting for the disk."""
        with self._lock:
            self._is_closing = True
        self.sync()
        with self._disk:
            if not self.is_closed:
                os.close(self._descriptor)
                self._descriptor = -1
        self._durable.stop(closed_error())

    def sync(self) -> None:
        """Write what waits and make it durable. Raises nothing: those who wait for it are told what is wrong."""
        with self._disk:
            if self.is_closed or self._durable.end is not None:
                return
            with self._lock:
                pcm = bytes(self._waiting)
            if not pcm:
                return
            try:
                _write(self._descriptor, pcm)
                _sync(self._descriptor)
            except OSError as error:
                # Nothing is tried again: after a failed sync, a system may report success for what it has dropped.
                with suppress(OSError):
                    os.ftruncate(self._descriptor, self._synced_bytes)
                self._durable.stop(spool_error(error))
                return
            with self._lock:
                self._synced_bytes += len(pcm)
                del self._waiting[: len(pcm)]
            self._durable.rise(self._synced_bytes // SAMPLE_WIDTH_BYTES)

    async def _frames(self, start: int, end: int) -> AsyncIterator[AudioFrame]:
        while start < end:
            frame = AudioFrame(start, await asyncio.to_thread(self._pcm, start, end))
            yield frame
            start = frame.end

    def _pcm(self, start: int, end: int) -> bytes:
        """Return one frame's worth of ``[start, end)``, or less where the file ends and memory goes on."""
        first = start * SAMPLE_WIDTH_BYTES
        last = min(end * SAMPLE_WIDTH_BYTES, first + _FRAME_BYTES)
        with self._lock:
            synced = self._synced_bytes
            if first >= synced:
                return bytes(self._waiting[first - synced : last - synced])
        last = min(last, synced)
        try:
            # Opened anew, so that a reader may outlive the descriptor; its number may by then be another session's.
            with self._path.open("rb", buffering=0) as file:
                file.seek(first)
                pcm = file.read(last - first)
        except OSError as error:
            raise spool_error(error) from error
        if len(pcm) < last - first:
            raise SpoolFailedError("The session's audio is shorter on disk than it was; something else cut the file.")
        return pcm


def spool_error(error: OSError) -> DragomanError:
    """Return the error of ours that says what the system's means."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return SpoolFullError("The disk that holds the audio is full; free some space, then resume the session.")
    return SpoolFailedError(f"The audio cannot be kept on disk ({error.strerror}); check it, then resume the session.")


def closed_error() -> SpoolFailedError:
    """Return what is raised once a session's audio is closed."""
    return SpoolFailedError("The session's audio is closed; open it again.")


def _write(descriptor: int, pcm: bytes) -> None:
    rest = memoryview(pcm)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
