"""One live session: what is heard is committed before anyone is told, and audio is safe before it is acknowledged."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from typing import Final

from dragoman.domain.audio import to_samples
from dragoman.domain.errors import DragomanError, SpoolFailedError, SpoolFullError, StoreFailedError
from dragoman.domain.events import DurableEvent, EphemeralEvent, Event, TranscriptPartial
from dragoman.domain.speech import Notice
from dragoman.pipeline.inlet import Inlet
from dragoman.pipeline.observer import Observer
from dragoman.pipeline.outlet import Outlet
from dragoman.pipeline.session import Session
from dragoman.store.ports import Books, SessionStore, SpooledAudio

_ACK_EVERY_S: Final = 0.5
_QUIET_COMMIT_S: Final = 10.0
"""How often the books of a silent session are committed, so that a restart need not hear the silence again."""

_LAGGING_S, _CAUGHT_UP_S = 20.0, 15.0
"""How old audio without an outcome must be for the session to lag, and to have caught up: an utterance may be long."""

_RETRIES_S: Final = (0.1, 0.5, 2.0, 5.0, 5.0, 5.0, 5.0, 5.0)
_MOST_UNCOMMITTED: Final = 256


class Feed:
    """One connection's way into a live session, until another one takes it over."""

    def __init__(self, inlet: Inlet, give_up: Callable[[DragomanError], None]) -> None:
        self._inlet = inlet
        self._give_up = give_up
        self.taken_over = asyncio.Event()
        """Set when another connection sends the audio; what this one sends is no longer taken."""

    def append(self, pcm: bytes) -> None:
        """Send the next samples (s16le, mono, 16 kHz).

        Raises:
            SpoolFullError, SpoolFailedError: and then none of them was taken.
        """
        if self.taken_over.is_set():
            return
        try:
            self._inlet.append(pcm)
        except (SpoolFullError, SpoolFailedError) as error:
            self._give_up(error)  # a spool that failed once is of no more use: the session goes on with a new one
            raise

    def flush(self) -> None:
        """Close the open utterance here."""
        if not self.taken_over.is_set():
            self._inlet.flush()

    def end(self) -> None:
        """Send no more: the session ends when all is heard."""
        if not self.taken_over.is_set():
            self._inlet.end()

    async def room(self) -> None:
        """Wait while the session is too far behind."""
        await self._inlet.room()


class LiveSession:
    """Runs a session on its inlet and commits what comes out of it. Start it once, and close it."""

    def __init__(
        self,
        session_id: str,
        session: Session,
        inlet: Inlet,
        outlet: Outlet,
        spooled: SpooledAudio,
        store: SessionStore,
        observer: Observer,
    ) -> None:
        self.session_id = session_id
        self.is_over = asyncio.Event()
        """Set when the session has ended or this process can no longer go on with it."""
        self.has_ended = False
        self._inlet = inlet
        self._feed: Feed | None = None
        self._session = session
        self._outlet = outlet
        self._spooled = spooled
        self._store = store
        self._observer = observer
        self._uncommitted: asyncio.Queue[tuple[DurableEvent | None, Books]] = asyncio.Queue(_MOST_UNCOMMITTED)
        self._committed = session.books
        self._is_lagging = False
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to work."""
        self._tasks = [
            asyncio.create_task(self._guarded(work)) for work in (self._run(), self._commit(), self._acknowledge())
        ]

    def follow(self, after_seq: int) -> AsyncGenerator[Event, None]:
        """Yield the events after ``after_seq``, to ``session.ended``.

        Raises:
            DragomanError: if this process cannot go on with the session.
        """
        return self._outlet.follow(after_seq)

    @property
    def written(self) -> int:
        """Samples that were taken."""
        return self._inlet.written

    @property
    def settled(self) -> int:
        """Samples whose outcome is certain."""
        return self._session.settled_samples

    @property
    def behind(self) -> int:
        """Samples that were taken and are not heard yet."""
        return self._inlet.behind

    async def take_over(self) -> Feed:
        """Return the way in, for one connection; the one that had it before has it no more.

        All audio that was taken is safe and acknowledged by then: the next sample is the one after it.

        Raises:
            SpoolFullError, SpoolFailedError: if that cannot be.
        """
        if self._feed:
            self._feed.taken_over.set()
        self._feed = feed = Feed(self._inlet, self.give_up)
        try:
            self._outlet.acknowledge(await self._spooled.until_durable(self._inlet.written))
        except (SpoolFullError, SpoolFailedError) as error:
            self.give_up(error)
            raise
        return feed

    def tell(self, notice: Notice) -> None:
        """Say something to who follows the session, as a warning."""
        self._inlet.tell(notice)

    def leave(self, notice: Notice) -> None:
        """End the session with the audio it has: nobody will send more."""
        self._inlet.end(notice)

    def give_up(self, error: DragomanError) -> None:
        """Let go of the session, which goes on when it is resumed; followers are told why."""
        self._outlet.fail(error)
        self.is_over.set()

    async def close(self) -> None:
        """Stop working, whether or not the session has ended; one that has not can go on in another process."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._spooled.close()

    async def _guarded(self, work: Coroutine[None, None, None]) -> None:
        """Do the work; what goes wrong with it ends this process's part in the session, and its followers are told."""
        try:
            await work
        except DragomanError as error:
            self.give_up(error)
        except Exception as error:  # noqa: BLE001 - not swallowed: followers get it
            failure = StoreFailedError(f"The session cannot go on here ({type(error).__name__}); resume it.")
            failure.__cause__ = error
            self.give_up(failure)

    async def _run(self) -> None:
        async with aclosing(self._session.run(self._inlet.audio())) as events:
            async for event in events:
                if isinstance(event, EphemeralEvent):
                    self._outlet.show(event)
                    if isinstance(event, TranscriptPartial):
                        since_start_ms, since_end_ms = self._since_ms(event.start_ms), self._since_ms(event.end_ms)
                        self._observer.shown(self.session_id, event, since_start_ms, since_end_ms)
                else:
                    await self._uncommitted.put((event, self._session.books))
        await self._uncommitted.put((None, self._session.books))

    async def _commit(self) -> None:
        """Commit all that waits at once, when the audio that it settles is safe."""
        goes_on = True
        while goes_on:
            waiting = await self._waiting()
            events = [event for event, _ in waiting if event is not None]
            books = waiting[-1][1] if waiting else self._session.books
            goes_on = not waiting or waiting[-1][0] is not None
            if not events and books == self._committed:
                continue
            await self._spooled.until_durable(books.settled)
            await self._write(events, books)
            if events:
                self._outlet.publish(events)
            for event in events:
                self._observer.committed(self.session_id, event)
        self.has_ended = True
        self.is_over.set()

    async def _waiting(self) -> list[tuple[DurableEvent | None, Books]]:
        """Return everything that waits to be committed; nothing if nothing came for a while."""
        waiting = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_QUIET_COMMIT_S):
                waiting.append(await self._uncommitted.get())
        while not self._uncommitted.empty():
            waiting.append(self._uncommitted.get_nowait())
        return waiting

    async def _write(self, events: list[DurableEvent], books: Books) -> None:
        for pause_s in (*_RETRIES_S, None):
            try:
                await self._store.commit(self.session_id, events, books)
            except StoreFailedError:
                if pause_s is None:
                    raise
                await asyncio.sleep(pause_s)
            else:
                self._committed = books
                return

    async def _acknowledge(self) -> None:
        while True:
            self._outlet.acknowledge(self._spooled.durable)
            self._watch_lag()
            await asyncio.sleep(_ACK_EVERY_S)

    def _since_ms(self, at_ms: int) -> int | None:
        """Return how long ago audio came."""
        arrived_s = self._inlet.arrived_s(to_samples(at_ms))
        return None if arrived_s is None else max(0, round((time.monotonic() - arrived_s) * 1000))

    def _watch_lag(self) -> None:
        """Tell who follows the session when it falls behind."""
        arrived_s = self._inlet.arrived_s(self._session.settled_samples + 1)
        lag_s = time.monotonic() - arrived_s if arrived_s else 0.0
        was_lagging, self._is_lagging = self._is_lagging, lag_s > (_CAUGHT_UP_S if self._is_lagging else _LAGGING_S)
        if self._is_lagging and not was_lagging:
            self.tell(Notice("lagging", f"The server is busy: text comes {lag_s:.0f} s late. Nothing is lost."))
