"""A spool that writes what all its sessions have waiting in rounds."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

from dragoman.domain.audio import SAMPLE_WIDTH_BYTES
from dragoman.domain.errors import SpoolFailedError
from dragoman.store.ports import Durability, Recorded
from dragoman.store.session_id import check_session_id
from dragoman.store.tape import Tape, TapedAudio

_READ_BYTES: Final = 1 << 20


class Shelf(Protocol):
    """Where the tapes of sessions lie. Calls wait for storage, and come from any thread."""

    @property
    def durability(self) -> Durability:
        """What a tape survives."""
        ...

    def open(self, session_id: str) -> Tape:
        """Open a session's tape, new or left by somebody.

        Raises:
            SpoolFullError, SpoolFailedError: if that cannot be.
        """
        ...

    def has(self, session_id: str) -> bool:
        """Return whether a session has a tape. Raises as ``open``."""
        ...

    def kept(self) -> list[str]:
        """Return the sessions that have a tape, sorted. Raises as ``open``."""
        ...

    def delete(self, session_id: str) -> None:
        """Delete a session's tape, if there is one. Raises as ``open``."""
        ...

    def close(self) -> None:
        """Let go of storage."""
        ...


class ShelfSpool:
    """The ``Spool`` of a shelf: one thread sees to it that all that have news are written, every ``sync_ms`` at most.

    ``parallel`` tapes are written at once; with more than that leaves time for, one round follows the other. Event
    loops and threads may share one.
    """

    def __init__(self, shelf: Shelf, sync_ms: int, parallel: int) -> None:
        self._shelf = shelf
        self._sync_s = sync_ms / 1000
        self._open: dict[str, TapedAudio] = {}
        self._dirty: set[TapedAudio] = set()
        self._lock = threading.Lock()  # of the two above
        self._news = threading.Event()
        self._closing = threading.Event()
        self._pool = ThreadPoolExecutor(parallel, thread_name_prefix="spool-sync")
        self._thread = threading.Thread(target=self._work, name="spool", daemon=True)
        self._thread.start()

    @property
    def durability(self) -> Durability:
        """What durable audio survives."""
        return self._shelf.durability

    async def open(self, session_id: str) -> TapedAudio:
        """Open a session's audio, or create it; see ``Spool``."""
        check_session_id(session_id)
        return await asyncio.to_thread(self._open_tape, session_id)

    async def kept(self) -> list[str]:
        """Return the sessions that have audio; see ``Spool``."""
        return await asyncio.to_thread(self._shelf.kept)

    async def recorded(self, session_id: str) -> Recorded | None:
        """Return the audio of a session that has ended; see ``Spool``."""
        check_session_id(session_id)
        if not await asyncio.to_thread(self._shelf.has, session_id):
            return None
        tape = await asyncio.to_thread(self._shelf.open, session_id)
        tape.release()  # it can still be read, and others may read it too
        return Recorded(tape.size_bytes // SAMPLE_WIDTH_BYTES, _pcm(tape))

    async def delete(self, session_id: str) -> None:
        """Delete a session's audio; see ``Spool``."""
        check_session_id(session_id)
        await asyncio.to_thread(self._delete_tape, session_id)

    async def close(self) -> None:
        """Close all audio and end the threads."""
        await asyncio.to_thread(self._close)

    def _open_tape(self, session_id: str) -> TapedAudio:
        with self._lock:
            known = self._open.get(session_id)
            if known is not None and not known.is_closed:
                raise SpoolFailedError("The session's audio is open already.")
            if self._closing.is_set():
                raise SpoolFailedError("The spool is shut down; start a new one.")
        audio = TapedAudio(self._shelf.open(session_id), self._mark_dirty)
        with self._lock:
            is_late = self._closing.is_set()
            if not is_late:
                self._open = {name: each for name, each in self._open.items() if not each.is_closed}
                self._open[session_id] = audio
        if is_late:
            audio.release()
            raise SpoolFailedError("The spool is shut down; start a new one.")
        return audio

    def _delete_tape(self, session_id: str) -> None:
        with self._lock:
            audio = self._open.pop(session_id, None)
        if audio is not None:
            audio.release()
        self._shelf.delete(session_id)

    def _close(self) -> None:
        with self._lock:
            open_now, self._open = self._open.values(), {}
            is_first = not self._closing.is_set()
            self._closing.set()
        list(self._pool.map(TapedAudio.release, open_now))
        self._news.set()
        self._thread.join()
        self._pool.shutdown()
        if is_first:
            self._shelf.close()

    def _mark_dirty(self, audio: TapedAudio) -> None:
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
            list(self._pool.map(TapedAudio.sync, dirty))
            self._closing.wait(next_s - time.monotonic())


async def _pcm(tape: Tape) -> AsyncIterator[bytes]:
    size = tape.size_bytes
    for first in range(0, size, _READ_BYTES):
        yield await asyncio.to_thread(tape.read, first, min(size, first + _READ_BYTES))
