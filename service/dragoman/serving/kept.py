"""A recording on its way through a session that is stored."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from typing import Final

from dragoman.domain.audio import to_ms
from dragoman.domain.errors import (
    DragomanError,
)
from dragoman.domain.events import DurableEvent, SessionEnded
from dragoman.monitoring.purse import Purse
from dragoman.runtime import Transcription
from dragoman.store.ports import Books
from dragoman.store.sql import SqlStore
from dragoman.streams import ahead

_AHEAD: Final = 64
"""Events of a file that may wait to be committed."""


class KeptTranscription:
    """A recording on its way through a session whose events are committed before they are told.

    It ends when nobody reads it any more, with what was said until then.
    """

    def __init__(self, transcription: Transcription, store: SqlStore, purse: Purse) -> None:
        self._transcription = transcription
        self._store = store
        self._purse = purse
        self._told: asyncio.Queue[DurableEvent | Exception] = asyncio.Queue()
        self._running = asyncio.create_task(self._run())

    @property
    def session_id(self) -> str:
        """Under which it is kept."""
        return self._transcription.spec.session_id

    @property
    def progress(self) -> tuple[int, int | None]:
        """How much of the recording is settled, and how long it says it is, in milliseconds."""
        return to_ms(self._transcription.settled_samples), self._transcription.duration_ms

    async def events(self) -> AsyncGenerator[DurableEvent, None]:
        """Yield the events, ``session.started`` to ``session.ended``. Read them once."""
        try:
            while True:
                told = await self._told.get()
                if isinstance(told, Exception):
                    raise told
                yield told
                if isinstance(told, SessionEnded):
                    return
        finally:
            self._transcription.stop()

    def when_over(self, call: Callable[[], object]) -> None:
        """Call something once the recording is no longer read."""
        self._running.add_done_callback(lambda _: call())

    async def stop(self) -> None:
        """End it now, and wait until that is stored."""
        self._transcription.stop()
        await asyncio.wait([self._running])

    async def _run(self) -> None:
        try:
            async with aclosing(ahead(self._booked(), _AHEAD)) as events:
                async for event, books in events:
                    await self._store.commit(self.session_id, [event], books)
                    self._told.put_nowait(event)
        except Exception as error:  # noqa: BLE001 - not swallowed: raised where the events are read
            self._told.put_nowait(error)
        with suppress(DragomanError):  # a reservation that is not given back ends by itself
            await self._purse.close(self.session_id)

    async def _booked(self) -> AsyncGenerator[tuple[DurableEvent, Books], None]:
        async with aclosing(self._transcription.events()) as events:
            async for event in events:
                yield event, self._transcription.books
