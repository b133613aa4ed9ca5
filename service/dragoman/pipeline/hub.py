"""All live sessions of a process: opened, resumed, recovered after a crash, and ended when nobody comes back."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final, Protocol

from dragoman.domain.errors import (
    CapacityError,
    DragomanError,
    DrainingError,
    SessionElsewhereError,
    SessionUnknownError,
    SpoolFailedError,
)
from dragoman.domain.events import DurableEvent, Event
from dragoman.domain.speech import Notice
from dragoman.pipeline.custody import HEARTBEAT_S, Custody
from dragoman.pipeline.inlet import Inlet
from dragoman.pipeline.live import LiveSession
from dragoman.pipeline.memory import Memory, recall
from dragoman.pipeline.observer import Observer
from dragoman.pipeline.outlet import Outlet
from dragoman.pipeline.session import Session
from dragoman.store.ports import Leases, SessionRecord, SessionStore, Spool

_PAGE: Final = 1_000


class SessionFactory(Protocol):
    """Makes the sessions that a hub runs."""

    async def __call__(
        self,
        record: SessionRecord,
        memory: Memory,
        arrived_s: Callable[[int], float | None],
        trouble: DragomanError | None,
    ) -> Session:
        """Return the session of a record; with ``trouble`` one that does no more than end because of it.

        Raises:
            DragomanError: if its wishes cannot be met.
        """
        ...


@dataclass(frozen=True, slots=True)
class HubRules:
    """``max_sessions`` may be live at once; one that nobody is connected to ends after ``resume_s``.

    ``keep_audio`` leaves the audio of sessions that have ended to others.
    """

    max_sessions: int = 16
    resume_s: float = 60.0
    keep_audio: bool = False


class Hub:
    """Owns the live sessions of a process. Call ``recover`` before the first is opened, and ``close`` at the end."""

    def __init__(
        self,
        make: SessionFactory,
        store: SessionStore,
        spool: Spool,
        observer: Observer,
        rules: HubRules,
        leases: Leases | None = None,
    ) -> None:
        self._make = make
        self._store = store
        self._spool = spool
        self._observer = observer
        self._rules = rules
        self._custody = Custody(store, leases)
        self._refused: set[str] = set()
        self._keeping: asyncio.Task[None] | None = None
        self._live: dict[str, LiveSession] = {}
        self._owners: dict[str, str | None] = {}
        self._connected: dict[str, int] = {}
        self._leaving: dict[str, asyncio.TimerHandle] = {}
        self._watching: set[asyncio.Task[None]] = set()
        self._starting = asyncio.Lock()
        self._is_draining = False

    @property
    def count(self) -> int:
        """Sessions that are live."""
        return len(self._live)

    @property
    def live(self) -> tuple[LiveSession, ...]:
        """The sessions that are live, oldest first."""
        return tuple(self._live.values())

    @property
    def is_draining(self) -> bool:
        """Whether the process stops."""
        return self._is_draining

    def count_of(self, owner: str) -> int:
        """How many sessions of an owner are live."""
        return sum(name == owner for session_id, name in self._owners.items() if session_id in self._live)

    @property
    def behind_samples(self) -> int:
        """How far the session that is furthest behind its audio is."""
        return max((live.behind for live in self._live.values()), default=0)

    def admit(self) -> None:
        """Find out whether one more session may be opened.

        Raises:
            CapacityError, DrainingError: if not.
        """
        if self._is_draining:
            raise DrainingError("The server is stopping; try again in a moment, here or at another one.")
        if len(self._live) >= self._rules.max_sessions:
            raise CapacityError(
                f"All {self._rules.max_sessions} sessions of this server are taken; try again later. "
                "Its operator can raise DRAGOMAN_MAX_SESSIONS."
            )

    async def open(self, record: SessionRecord) -> LiveSession:
        """Begin a session.

        Raises:
            CapacityError, DrainingError: as ``admit``.
            DragomanError: if its wishes cannot be met, or it cannot be stored.
        """
        async with self._starting:
            self.admit()
            return await self._start(record, None)

    async def resume(self, session_id: str) -> LiveSession | None:
        """Return an open session, started anew if need be; ``None`` if it has ended.

        Raises:
            SessionUnknownError: if there is none.
            DragomanError: if it cannot go on.
        """
        async with self._starting:
            if live := self._live.get(session_id):
                return live
            record = await self.record(session_id)
            if not record.is_open:
                return None
            self.admit()
            if not await self._custody.take(session_id, by_force=True):
                raise SessionElsewhereError("The session is at another server, which has its audio; resume it there.")
            return await self._go_on(session_id)

    async def recover(self) -> None:
        """Go on with every session that was open when the last process ended and that no other server goes on with.

        Audio of sessions that have ended is deleted, if it is not kept: that process did not come to it.
        """
        for session_id in () if self._rules.keep_audio else await self._spool.kept():
            if self._custody.may_delete(await self._store.session(session_id)):
                await self._spool.delete(session_id)
        await self._adopt()
        if not self._custody.is_alone:
            self._keeping = asyncio.create_task(self._keep())

    async def record(self, session_id: str) -> SessionRecord:
        """Return what is stored of a session.

        Raises:
            SessionUnknownError: if there is none.
        """
        record = await self._store.session(session_id)
        if record is None:
            raise SessionUnknownError("There is no such session; begin a new one.")
        return record

    async def follow(self, session_id: str, after_seq: int) -> AsyncGenerator[Event, None]:
        """Yield the events of a session after ``after_seq``, live or of the past."""
        if live := self._live.get(session_id):
            async for event in live.follow(after_seq):
                yield event
            return
        async for event in self.stored(session_id, after_seq):
            yield event

    async def stored(self, session_id: str, after_seq: int = 0) -> AsyncGenerator[DurableEvent, None]:
        """Yield what is stored of a session so far."""
        while page := await self._store.events(session_id, after_seq, _PAGE):
            for event in page:
                yield event
            after_seq = page[-1].seq

    @contextmanager
    def connected(self, session_id: str) -> Iterator[None]:
        """Keep a session from being given up."""
        self._connected[session_id] = self._connected.get(session_id, 0) + 1
        if timer := self._leaving.pop(session_id, None):
            timer.cancel()
        try:
            yield
        finally:
            self._connected[session_id] -= 1
            if not self._connected[session_id]:
                del self._connected[session_id]
                self._leave_later(session_id)

    async def close(self) -> None:
        """Stop; sessions that have not ended go on when the next process recovers them."""
        self._is_draining = True
        if self._keeping:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        for timer in self._leaving.values():
            timer.cancel()
        for live in list(self._live.values()):
            live.give_up(DrainingError("The server is stopping; resume the session in a moment."))
        await asyncio.gather(*self._watching, return_exceptions=True)

    async def _keep(self) -> None:
        """Keep the sessions of this server, let go of those that another one has taken, and take those left behind."""
        was_heard = False
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            live, is_heard = dict(self._live), False
            with suppress(DragomanError):  # commits are fenced whether we hear of it or not
                for session_id in await self._custody.lost(live.keys()):
                    live[session_id].give_up(
                        SessionElsewhereError("Another server has gone on with the session; resume it.")
                    )
                # Where the database was away, leases have run out of servers that live: they are given a turn first.
                if was_heard and len(self._live) < self._rules.max_sessions:
                    await self._adopt()
                is_heard = True
            was_heard = is_heard

    async def _adopt(self) -> None:
        """Go on with open sessions that nobody works on."""
        for session_id in await self._custody.free():
            if session_id in self._live or session_id in self._refused:
                continue
            async with self._starting:
                if self._is_draining or not await self._custody.take(session_id, by_force=False):
                    continue
                try:
                    await self._go_on(session_id)
                except DragomanError:  # it stays open in the store, and whoever resumes it is told why not
                    self._refused.add(session_id)

    async def _go_on(self, session_id: str) -> LiveSession | None:
        """Start a session that is ours, from where it stands by now; ``None`` if it has ended."""
        try:
            record = await self.record(session_id)
            return await self._start(record, await self._recall(record)) if record.is_open else None
        except BaseException:
            await self._custody.let_go(session_id)
            raise

    async def _recall(self, record: SessionRecord) -> Memory:
        return recall([event async for event in self.stored(record.session_id)], record.books)

    async def _start(self, record: SessionRecord, memory: Memory | None) -> LiveSession:
        """Run a session; without a memory it is a new one."""
        session_id = record.session_id
        known = memory or Memory()
        spooled = await self._spool.open(session_id)
        try:
            trouble = None
            if spooled.written < known.books.settled:
                trouble = SpoolFailedError("Audio of this session that was kept on disk is gone, so it cannot go on.")
            inlet = Inlet(spooled, known.books.settled)
            session = await self._make(record, known, inlet.arrived_s, trouble)
            if memory is None:
                await self._store.create(record)
        except BaseException:
            await spooled.close()
            raise
        outlet = Outlet(session_id, known.seq, self._store, self._spool.durability)
        live = LiveSession(session_id, session, inlet, outlet, spooled, self._store, self._observer)
        self._live[session_id] = live
        self._owners[session_id] = record.owner
        self._observer.opened(session_id, recovered=memory is not None, tenant=record.tenant)
        live.start()
        watching = asyncio.create_task(self._watch(live))
        self._watching.add(watching)
        watching.add_done_callback(self._watching.discard)
        self._leave_later(session_id)
        return live

    async def _watch(self, live: LiveSession) -> None:
        """Wait for the end of a session, and clear up after it."""
        await live.is_over.wait()
        async with self._starting:  # nobody resumes it while it closes
            await live.close()
            self._live.pop(live.session_id, None)
            if not live.has_ended:
                await self._custody.let_go(live.session_id)
            self._owners.pop(live.session_id, None)
        if timer := self._leaving.pop(live.session_id, None):
            timer.cancel()
        if live.has_ended and not self._rules.keep_audio:
            with suppress(DragomanError):  # what stays behind is deleted at the next start
                await self._spool.delete(live.session_id)
        self._observer.closed(live.session_id, ended=live.has_ended)

    def _leave_later(self, session_id: str) -> None:
        if session_id in self._live and session_id not in self._connected:
            loop = asyncio.get_running_loop()
            self._leaving[session_id] = loop.call_later(self._rules.resume_s, self._leave, session_id)

    def _leave(self, session_id: str) -> None:
        self._leaving.pop(session_id, None)
        if live := self._live.get(session_id):
            message = (
                f"Nobody was connected for {self._rules.resume_s:g} s, so the session ended with the audio it had."
            )
            live.leave(Notice("client_gone", message))
