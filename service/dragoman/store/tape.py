"""The audio of one session on its way to where it rests: what is handed over waits in memory until it is written."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from typing import Final, Protocol

from dragoman.domain.audio import SAMPLE_RATE_HZ, SAMPLE_WIDTH_BYTES, AudioFrame
from dragoman.domain.errors import DragomanError, SpoolFailedError, SpoolFullError
from dragoman.store.mark import Mark

_MAX_WAITING_BYTES: Final = 8_000_000
"""Audio of one session that may wait to be written: over four minutes of speech."""

_MOST_AT_ONCE_BYTES: Final = 4 << 20
"""What one write holds: the largest block that every version of Blob Storage appends."""

_FRAME_BYTES: Final = SAMPLE_RATE_HZ * SAMPLE_WIDTH_BYTES


class Tape(Protocol):
    """Where the audio of a session rests. One thread at a time writes; others may read."""

    @property
    def size_bytes(self) -> int:
        """What rests there, whole samples."""
        ...

    def write(self, pcm: bytes) -> None:
        """Append, and return when it is durable.

        Raises:
            SpoolFullError, SpoolFailedError: if that cannot be; nothing more is written then.
        """
        ...

    def read(self, first: int, last: int) -> bytes:
        """Return bytes ``[first, last)``, all of which rest there.

        Raises:
            SpoolFailedError: if they cannot be read.
        """
        ...

    def release(self) -> None:
        """Let go of it. Idempotent."""
        ...


class TapedAudio:
    """A spooled session, usable from any thread.

    ``is_dirty`` is called with it after every ``append``: somebody must then call ``sync``.
    """

    def __init__(self, tape: Tape, is_dirty: Callable[["TapedAudio"], None]) -> None:
        self._tape = tape
        self._is_dirty = is_dirty
        self._synced_bytes = tape.size_bytes
        self._waiting = bytearray()  # what follows on the tape, or will
        self._is_closing = False
        self._is_closed = False
        self._lock = threading.Lock()  # of the four above; held for moments only
        self._writing = threading.Lock()  # of the tape; held while it is written
        self._durable = Mark(self._synced_bytes // SAMPLE_WIDTH_BYTES)

    @property
    def is_closed(self) -> bool:
        """Whether the tape is released."""
        return self._is_closed

    @property
    def written(self) -> int:
        """Samples handed over."""
        with self._lock:
            return (self._synced_bytes + len(self._waiting)) // SAMPLE_WIDTH_BYTES

    @property
    def durable(self) -> int:
        """Samples that rest on the tape."""
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
                raise SpoolFullError("Storage does not keep up with the audio; send slower, or use a faster one.")
            self._waiting += pcm
        self._is_dirty(self)

    async def until_durable(self, samples: int) -> int:
        """Wait for the tape; see ``SpooledAudio``. Who waits does not wait for the next round of all sessions."""
        if self._durable.samples < samples <= self.written:
            await asyncio.to_thread(self.sync)
        return await self._durable.reached(samples)

    def read(self, start: int) -> AsyncIterator[AudioFrame]:
        """Yield what is written now; see ``SpooledAudio``."""
        return self._frames(start, self.written)

    async def close(self) -> None:
        """Write what waits and release the tape."""
        await asyncio.to_thread(self.release)

    def release(self) -> None:
        """Do what ``close`` does, waiting for the tape."""
        with self._lock:
            self._is_closing = True
        self.sync()
        with self._writing:
            self._tape.release()
            self._is_closed = True
        self._durable.stop(closed_error())

    def sync(self) -> None:
        """Write what waits and make it durable. Raises nothing: those who wait for it are told what is wrong."""
        with self._writing:
            while not self._is_closed and self._durable.end is None:
                with self._lock:
                    pcm = bytes(self._waiting[:_MOST_AT_ONCE_BYTES])
                if not pcm:
                    return
                try:
                    self._tape.write(pcm)
                except DragomanError as error:
                    self._durable.stop(error)
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
        """Return one frame's worth of ``[start, end)``, or less where the tape ends and memory goes on."""
        first = start * SAMPLE_WIDTH_BYTES
        last = min(end * SAMPLE_WIDTH_BYTES, first + _FRAME_BYTES)
        with self._lock:
            synced = self._synced_bytes
            if first >= synced:
                return bytes(self._waiting[first - synced : last - synced])
        last = min(last, synced)
        pcm = self._tape.read(first, last)
        if len(pcm) < last - first:
            raise SpoolFailedError("The session's audio is shorter than it was; something else cut it.")
        return pcm


def closed_error() -> SpoolFailedError:
    """Return what is raised once a session's audio is closed."""
    return SpoolFailedError("The session's audio is closed; open it again.")
