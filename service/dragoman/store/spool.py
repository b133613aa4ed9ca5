"""Where accepted audio rests until it is settled: on disk, or in memory."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from dragoman.domain.audio import SAMPLE_RATE_HZ, SAMPLE_WIDTH_BYTES, AudioFrame
from dragoman.domain.errors import SpoolFailedError
from dragoman.store.audio_file import AudioFile, spool_error
from dragoman.store.folder import private_folder, sync_folder
from dragoman.store.mark import Mark
from dragoman.store.ports import Durability, Recorded
from dragoman.store.session_id import check_session_id, is_session_id
from dragoman.store.shelf import ShelfSpool
from dragoman.store.tape import closed_error

_PARALLEL_SYNCS: Final = 4
"""Files that are synced at once: a journalling file system commits them together."""


class FileSpool(ShelfSpool):
    """Keeps a file per session in ``folder``.

    Raises:
        SpoolFullError, SpoolFailedError: if the folder cannot be made.
    """

    def __init__(self, folder: Path, sync_ms: int = 100) -> None:
        super().__init__(_Folder(folder), sync_ms, _PARALLEL_SYNCS)


class _Folder:
    """The ``Shelf`` of files."""

    def __init__(self, folder: Path) -> None:
        try:
            private_folder(folder)
        except OSError as error:
            raise spool_error(error) from error
        self._folder = folder

    @property
    def durability(self) -> Durability:
        """Durable audio survives the death of the process and of the machine."""
        return "file"

    def open(self, session_id: str) -> AudioFile:
        """Open a session's file, or create it."""
        audio = AudioFile.open(self._path(session_id))
        try:
            sync_folder(self._folder)
        except OSError as error:
            audio.release()
            raise spool_error(error) from error
        return audio

    def has(self, session_id: str) -> bool:
        """Return whether a session has a file."""
        return self._path(session_id).exists()

    def kept(self) -> list[str]:
        """Return the sessions that have a file."""
        try:
            return sorted(file.stem for file in self._folder.iterdir() if is_session_id(file.stem))
        except OSError as error:
            raise spool_error(error) from error

    def delete(self, session_id: str) -> None:
        """Delete a session's file."""
        try:
            self._path(session_id).unlink(missing_ok=True)
            sync_folder(self._folder)
        except OSError as error:
            raise spool_error(error) from error

    def close(self) -> None:
        """Do nothing: a folder needs no letting go."""

    def _path(self, session_id: str) -> Path:
        return self._folder / f"{session_id}.s16"


class MemorySpool:
    """Keeps audio for as long as the process lives."""

    def __init__(self) -> None:
        self._sessions: dict[str, MemoryAudio] = {}

    @property
    def durability(self) -> Durability:
        """Durable audio survives its session's connection, and no more."""
        return "memory"

    async def open(self, session_id: str) -> "MemoryAudio":
        """Return a session's audio; see ``Spool``."""
        check_session_id(session_id)
        left = self._sessions.get(session_id)
        if left is not None and not left.is_closed:
            raise SpoolFailedError("The session's audio is open already.")
        audio = self._sessions[session_id] = MemoryAudio(left.pcm if left else bytearray())
        return audio

    async def kept(self) -> list[str]:
        """Return the sessions that have audio; see ``Spool``."""
        return sorted(self._sessions)

    async def recorded(self, session_id: str) -> Recorded | None:
        """Return a session's audio; see ``Spool``."""
        audio = self._sessions.get(session_id)
        return None if audio is None else Recorded(len(audio.pcm) // SAMPLE_WIDTH_BYTES, _whole(bytes(audio.pcm)))

    async def delete(self, session_id: str) -> None:
        """Forget a session's audio; see ``Spool``."""
        check_session_id(session_id)
        if (audio := self._sessions.pop(session_id, None)) is not None:
            await audio.close()

    async def close(self) -> None:
        """Close all audio and forget it."""
        for session_id in list(self._sessions):
            await self.delete(session_id)


class MemoryAudio:
    """A session in memory; see ``SpooledAudio``."""

    def __init__(self, pcm: bytearray) -> None:
        self.pcm = pcm
        self._mark = Mark(len(pcm) // SAMPLE_WIDTH_BYTES)

    @property
    def is_closed(self) -> bool:
        """Whether another may take over the samples."""
        return self._mark.end is not None

    @property
    def written(self) -> int:
        """Samples handed over."""
        return self._mark.samples

    @property
    def durable(self) -> int:
        """The same: it is as durable here as it gets."""
        return self._mark.samples

    def append(self, pcm: bytes) -> None:
        """Take the next samples."""
        if len(pcm) % SAMPLE_WIDTH_BYTES:
            raise ValueError("audio must be handed over in whole 16-bit samples")
        if self._mark.end is not None:
            raise closed_error()
        self.pcm += pcm
        self._mark.rise(len(self.pcm) // SAMPLE_WIDTH_BYTES)

    async def until_durable(self, samples: int) -> int:
        """Wait for somebody to append that much."""
        return await self._mark.reached(samples)

    def read(self, start: int) -> AsyncIterator[AudioFrame]:
        """Yield what is written now."""
        return self._frames(start, self.written)

    async def close(self) -> None:
        """Let go of it."""
        self._mark.stop(closed_error())

    async def _frames(self, start: int, end: int) -> AsyncIterator[AudioFrame]:
        for first in range(start, end, SAMPLE_RATE_HZ):
            last = min(end, first + SAMPLE_RATE_HZ)
            yield AudioFrame(first, bytes(self.pcm[first * SAMPLE_WIDTH_BYTES : last * SAMPLE_WIDTH_BYTES]))


async def _whole(pcm: bytes) -> AsyncIterator[bytes]:
    yield pcm
