"""Where accepted audio rests until it is settled: on disk, or in memory."""

import asyncio
import re
import threading
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from dragoman.domain.audio import SAMPLE_RATE_HZ, SAMPLE_WIDTH_BYTES, AudioFrame
from dragoman.domain.errors import SpoolFailedError
from dragoman.store.audio_file import AudioFile, closed_error, spool_error
from dragoman.store.folder import private_folder, sync_folder
from dragoman.store.mark import Mark
from dragoman.store.ports import Durability

_SESSION_ID: Final = re.compile(r"s_[0-9a-f]+")

_PARALLEL_SYNCS: Final = 4
"""Files that are synced at once: a journalling file system commits them together."""


class FileSpool:
    """Keeps a file per session in ``folder``. One thread syncs all that have news, every ``sync_ms`` at most.

    With more files than that leaves time for, one pass follows the other. Event loops and threads may share one.

    Raises:
        SpoolFullError, SpoolFailedError: if the folder cannot be made.
    """

    def __init__(self, folder: Path, sync_ms: int = 100) -> None:
        try:
            private_folder(folder)
        except OSError as error:
            raise spool_error(error) from error
        self._folder = folder
        self._sync_s = sync_ms / 1000
        self._open: dict[str, AudioFile] = {}
        self._dirty: set[AudioFile] = set()
        self._lock = threading.Lock()  # of the two above
        self._news = threading.Event()
        self._closing = threading.Event()
        self._pool = ThreadPoolExecutor(_PARALLEL_SYNCS, thread_name_prefix="spool-sync")
        self._thread = threading.Thread(target=self._work, name="spool", daemon=True)
        self._thread.start()

    @property
    def durability(self) -> Durability:
        """Durable audio survives the death of the process and of the machine."""
        return "file"

    async def open(self, session_id: str) -> AudioFile:
        """Open a session's file, or create it; see ``Spool``."""
        return await asyncio.to_thread(self._open_file, session_id, self._path(session_id))

    async def kept(self) -> list[str]:
        """Return the sessions that have a file; see ``Spool``."""
        return await asyncio.to_thread(self._list)

    async def delete(self, session_id: str) -> None:
        """Delete a session's file; see ``Spool``."""
        await asyncio.to_thread(self._delete_file, session_id, self._path(session_id))

    async def close(self) -> None:
        """Close all files and end the threads."""
        await asyncio.to_thread(self._close)

    def _path(self, session_id: str) -> Path:
        _check(session_id)
        return self._folder / f"{session_id}.s16"

    def _open_file(self, session_id: str, path: Path) -> AudioFile:
        audio = AudioFile.open(path, self._mark_dirty)
        try:
            sync_folder(self._folder)
        except OSError as error:
            audio.release()
            raise spool_error(error) from error
        with self._lock:
            is_late = self._closing.is_set()
            if not is_late:
                self._open = {name: each for name, each in self._open.items() if not each.is_closed}
                self._open[session_id] = audio
        if is_late:
            audio.release()
            raise SpoolFailedError("The spool is shut down; start a new one.")
        return audio

    def _list(self) -> list[str]:
        try:
            return sorted(file.stem for file in self._folder.iterdir() if _SESSION_ID.fullmatch(file.stem))
        except OSError as error:
            raise spool_error(error) from error

    def _delete_file(self, session_id: str, path: Path) -> None:
        with self._lock:
            audio = self._open.pop(session_id, None)
        if audio is not None:
            audio.release()
        try:
            path.unlink(missing_ok=True)
            sync_folder(self._folder)
        except OSError as error:
            raise spool_error(error) from error

    def _close(self) -> None:
        with self._lock:
            files, self._open = self._open.values(), {}
            self._closing.set()
        list(self._pool.map(AudioFile.release, files))
        self._news.set()
        self._thread.join()
        self._pool.shutdown()

    def _mark_dirty(self, audio: AudioFile) -> None:
        with self._lock:
            self._dirty.add(audio)
        self._news.set()

    def _work(self) -> None:
        while not self._closing.is_set():
            self._news.wait()
            self._news.clear()
            next_s = time.monotonic() + self._sync_s
            with self._lock:
                dirty, self._dirty = self._dirty, set()
            list(self._pool.map(AudioFile.sync, dirty))
            self._closing.wait(next_s - time.monotonic())


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
        _check(session_id)
        left = self._sessions.get(session_id)
        if left is not None and not left.is_closed:
            raise SpoolFailedError("The session's audio is open already.")
        audio = self._sessions[session_id] = MemoryAudio(left.pcm if left else bytearray())
        return audio

    async def kept(self) -> list[str]:
        """Return the sessions that have audio; see ``Spool``."""
        return sorted(self._sessions)

    async def delete(self, session_id: str) -> None:
        """Forget a session's audio; see ``Spool``."""
        _check(session_id)
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


def _check(session_id: str) -> None:
    """Let nothing become a path that is not the id of a session."""
    if not _SESSION_ID.fullmatch(session_id):
        raise ValueError("a session id is s_ and hexadecimal digits")
