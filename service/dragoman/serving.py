"""What the doors of a server share: a runtime's engines, a store for what is said, a spool for what is heard."""

import asyncio
import fcntl
import hmac
import os
import secrets
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from dragoman import __version__
from dragoman.domain.audio import SAMPLE_RATE_HZ, Span, to_ms
from dragoman.domain.caller import UNLIMITED, Caller
from dragoman.domain.errors import (
    CapacityError,
    DragomanError,
    FolderTakenError,
    QuotaError,
    SessionUnknownError,
    StoreFailedError,
)
from dragoman.domain.events import DurableEvent, SessionEnded
from dragoman.domain.language import parse_locale, parse_target
from dragoman.domain.messages import AudioFormat, SessionWishes
from dragoman.domain.speech import AudioInput, Heard, Silence, TranscriptionRequest
from dragoman.monitoring.costs import Pace
from dragoman.monitoring.purse import EXHAUSTED, Purse
from dragoman.pipeline.hub import Hub, HubRules
from dragoman.pipeline.live import LiveSession
from dragoman.pipeline.memory import Memory
from dragoman.pipeline.observer import Observer
from dragoman.pipeline.session import Session
from dragoman.pipeline.spec import SessionSpec
from dragoman.runtime import DEMO_MODEL, Recording, Runtime, Transcription, Wishes
from dragoman.storage import database_password, holder_of, open_spool, prices_of
from dragoman.store.audit import AuditTrail
from dragoman.store.budgets import BudgetStore
from dragoman.store.digest import digest, subject_digest
from dragoman.store.folder import private_folder
from dragoman.store.keys import KeyStore
from dragoman.store.ports import Books, SessionRecord, Spool
from dragoman.store.sql import SqlStore
from dragoman.streams import ahead
from dragoman.versions import Versions, note_change, read_versions

_DAY_MS: Final = 86_400_000
_STREAM_ENDS_S: Final = 10
_MOST_DELAY_S: Final = 1.0
_AHEAD: Final = 64
"""Events of a file that may wait to be committed."""


class _Kept(BaseModel):
    """What is stored of a session, so that another process, with other models, goes on with the same."""

    model_config = ConfigDict(frozen=True)

    wishes: SessionWishes
    candidates: tuple[str, ...]
    targets: tuple[str, ...] = ()
    model: str | None


@dataclass(frozen=True, slots=True)
class Opened:
    """A new session. ``token`` lets who holds no key connect to it; it is shown once."""

    live: LiveSession
    token: str


class Serving:
    """The sessions of a server. Open it with ``serving``."""

    def __init__(self, runtime: Runtime, store: SqlStore, spool: Spool, observer: Observer, versions: Versions) -> None:
        self.settings = settings = runtime.settings
        self.runtime = runtime
        self.engine = store.engine
        """The database, for others who keep something in it."""
        self.spool = spool
        """Where accepted audio rests."""
        self.keys = KeyStore(store.engine)
        self.audit = AuditTrail(store.engine)
        self.versions = versions
        """Who does the work of its engines."""
        self.is_alone = store.leases is None
        """Whether no other server can share its database."""
        self._store = store
        self._files: set[KeptTranscription] = set()
        self._turned_away: Counter[str] = Counter()
        self._payers: dict[str, tuple[str, Pace]] = {}
        self.purse = Purse(BudgetStore(store.engine), prices_of(settings))
        """What tenants may spend."""
        rules = HubRules(settings.max_sessions, settings.resume_s, settings.keep_audio)
        self.hub = Hub(self._session, store, spool, observer, rules, store.leases)

    async def open(self, wishes: SessionWishes, caller: Caller) -> Opened:
        """Begin a live session.

        Raises:
            CapacityError, DrainingError: if no more can be taken.
            QuotaError: if the caller has used up what it may use.
            BudgetError: if its tenant has spent what it may spend.
            DragomanError: if its wishes cannot be met, or it cannot be stored.
        """
        self._admit(caller)
        await self.within(caller, is_live=True)
        spec = _shaped(await self.runtime.plan(wishes_of(wishes)), wishes)
        token = secrets.token_urlsafe(32)
        await self.purse.open(spec.session_id, caller.tenant, _pace(spec), is_live=True)
        try:
            await self._note(caller, "session.open", spec, wishes)
            live = await self.hub.open(_record(spec, wishes, caller, token))
        except BaseException:
            await self.purse.close(spec.session_id)
            raise
        if self.runtime.is_demo:
            live.tell(DEMO_MODEL)
        return Opened(live, token)

    async def _note(self, caller: Caller, action: str, spec: SessionSpec, wishes: SessionWishes) -> None:
        """Enter that a session begins, and who does its work; what is not entered is not done."""
        details = self.versions.of_session(wishes)
        await asyncio.to_thread(self.audit.add, caller.tenant, caller.owner, action, spec.session_id, details)

    def admit(self) -> None:
        """Find out whether one more session may be opened; raises as ``open``."""
        self.hub.admit()
        if (delay_s := self.runtime.delay_s) > _MOST_DELAY_S:
            raise CapacityError(
                f"The model is busy: finals wait {delay_s:.1f} s for it, so no new session is taken; try again later."
            )
        if not self._store.has_room:
            raise StoreFailedError("The disk is full, so no new session can be kept; make room on it.")

    def turned_away(self) -> Mapping[str, int]:
        """Return how often tenants found no room since this was asked last."""
        found, self._turned_away = self._turned_away, Counter()
        return found

    def _admit(self, caller: Caller) -> None:
        try:
            self.admit()
        except (CapacityError, StoreFailedError):
            self._turned_away[caller.tenant] += 1
            raise

    async def allowed(self, session_id: str, caller: Caller | None, token: str | None = None) -> SessionRecord:
        """Return a session that somebody may see: who is of its tenant, or has its token.

        Raises:
            SessionUnknownError: if there is none, or not for this caller.
        """
        record = await self.hub.record(session_id)
        has_token = token is not None and hmac.compare_digest(digest(token), record.token_hash or "")
        if has_token or (caller is not None and record.tenant == caller.tenant):
            return record
        raise SessionUnknownError("There is no such session; begin a new one.")

    async def transcribe(
        self,
        recording: Recording,
        wishes: Wishes,
        caller: Caller,
        uploaded_bytes: int = 0,
        subjects: Collection[str] = (),
    ) -> "KeptTranscription":
        """Return a recording on its way through a session that is stored; raises as ``open``.

        ``subjects`` are digests of whose data it is.
        """
        self._admit(caller)
        await self.within(caller, is_live=False, bytes_more=uploaded_bytes)
        transcription = await self.runtime.start(recording, wishes)
        kept = session_wishes(wishes, recording.channel, transcription.spec.source)
        record = _record(transcription.spec, kept, caller, None, uploaded_bytes)
        session_id, pace = record.session_id, _pace(transcription.spec)
        await self.purse.open(session_id, caller.tenant, pace, is_live=False)
        transcription.gate = self.purse.gate(session_id, caller.tenant, pace)
        try:
            await self._note(caller, "transcript.create", transcription.spec, kept)
            await self._store.create(replace(record, subjects=tuple(subjects)))
        except BaseException:
            await self.purse.close(session_id)
            raise
        running = KeptTranscription(transcription, self._store, self.purse)
        self._files.add(running)
        running.when_over(lambda: self._files.discard(running))
        return running

    async def within(self, caller: Caller, *, is_live: bool, bytes_more: int = 0) -> None:
        """Find out whether a caller may use more.

        Raises:
            QuotaError: if not, with when there is more.
        """
        quota = caller.quota
        if caller.owner is None or quota == UNLIMITED:
            return
        if is_live and quota.streams is not None and self.hub.count_of(caller.owner) >= quota.streams:
            raise QuotaError(f"This key may have {quota.streams} streams at once; end one first.", _STREAM_ENDS_S)
        if quota.minutes_per_day is None and quota.bytes_per_day is None:
            return
        now_ms = time.time_ns() // 1_000_000
        used = await self._store.used(caller.owner, now_ms - now_ms % _DAY_MS)
        until_s = -(-(_DAY_MS - now_ms % _DAY_MS) // 1_000)
        minutes = used.samples / SAMPLE_RATE_HZ / 60
        if quota.minutes_per_day is not None and minutes >= quota.minutes_per_day:
            raise QuotaError(f"This key may have {quota.minutes_per_day:g} minutes of audio a day.", until_s)
        if quota.bytes_per_day is not None and used.bytes + bytes_more > quota.bytes_per_day:
            raise QuotaError(f"This key may send {quota.bytes_per_day} bytes a day.", until_s)

    async def keep_within_budgets(self) -> None:
        """Reserve money for what live sessions take next; those for which there is none are ended, with all they have.

        Raises:
            DragomanError: if the database does not work.
        """
        live = {each.session_id: each for each in self.hub.live}
        for session_id in self._payers.keys() - live.keys():
            del self._payers[session_id]
            await self.purse.close(session_id)
        for session_id, each in live.items():
            if session_id not in self._payers:
                record = await self.hub.record(session_id)
                kept = _Kept.model_validate_json(record.spec_json)
                pace = Pace(len(kept.targets), kept.wishes.insight is not None)
                self._payers[session_id] = record.tenant, pace
            notice = await self.purse.keep(session_id, *self._payers[session_id], each.written)
            if notice is not None and notice.code == EXHAUSTED:
                each.leave(notice)
            elif notice is not None:
                each.tell(notice)

    async def forget(self, session_id: str) -> None:
        """Delete what an attempt that came to nothing has left, unless it is still under way."""
        record = await self._store.session(session_id)
        if record is not None and not record.is_open:
            await self._store.delete(session_id)

    async def close(self) -> None:
        """Stop: live sessions go on in the next process, files end with what was said of them."""
        await self.hub.close()
        await asyncio.gather(*(each.stop() for each in self._files))

    async def _session(
        self,
        record: SessionRecord,
        memory: Memory,
        arrived_s: Callable[[int], float | None],
        trouble: DragomanError | None,
    ) -> Session:
        kept = _Kept.model_validate_json(record.spec_json)
        spec = _shaped(
            SessionSpec(
                session_id=record.session_id,
                candidates=tuple(map(parse_locale, kept.candidates)),
                lid=kept.wishes.lid,
                targets=tuple(map(parse_target, kept.targets)),
                word_times=kept.wishes.word_times,
                recognition=kept.wishes.recognition,
                insight=parse_target(kept.wishes.insight) if kept.wishes.insight else None,
                polish=kept.wishes.polish,
                model=kept.model,
            ),
            kept.wishes,
        )
        if trouble:
            return Session(spec, _Broken(trouble), None, memory)
        return await self.runtime.session(spec, memory, arrived_s)


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


@asynccontextmanager
async def serving(runtime: Runtime, observer: Observer) -> AsyncIterator[Serving]:
    """Open the data folder of a runtime's settings, and go on with the sessions left there.

    Raises:
        FolderTakenError: if another server uses it.
        StoreFailedError: if it cannot be used.
    """
    settings = runtime.settings
    with _taken(settings.data):
        store = await asyncio.to_thread(
            SqlStore.open, settings.effective_database_url, database_password(settings), holder_of(settings)
        )
        try:
            spool = await asyncio.to_thread(open_spool, settings)
        except BaseException:
            await asyncio.to_thread(store.close)
            raise
        try:
            versions = await asyncio.to_thread(read_versions, settings, __version__)
            await asyncio.to_thread(note_change, AuditTrail(store.engine), versions)
            server = Serving(runtime, store, spool, observer, versions)
            await server.hub.recover()
            try:
                yield server
            finally:
                await server.close()
        finally:
            await spool.close()
            await asyncio.to_thread(store.close)


@contextmanager
def _taken(folder: Path) -> Iterator[None]:
    """Keep other servers out of a data folder: two would go on with the same sessions."""
    private_folder(folder)
    descriptor = os.open(folder / "server.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderTakenError(
                f"Another server uses the data in '{folder}'; stop it, or choose another folder with --data."
            ) from None
        yield
    finally:
        os.close(descriptor)


class _Broken:
    """A transcriber for a session that cannot go on."""

    name = "none"

    def __init__(self, error: DragomanError) -> None:
        self._error = error

    async def transcribe(
        self, audio: AsyncIterator[AudioInput], request: TranscriptionRequest
    ) -> AsyncGenerator[Heard, None]:
        if self._error:
            raise self._error
        yield Silence(Span(0, 0))  # never: it makes this a generator


def wishes_of(wishes: SessionWishes) -> Wishes:
    """Return what is wished of a recording by what is kept of it."""
    return Wishes(
        wishes.languages,
        wishes.lid,
        wishes.translate,
        wishes.word_times,
        wishes.recognition,
        wishes.insight,
        wishes.polish,
    )


def session_wishes(wishes: Wishes, channel: int | None, source: str | None) -> SessionWishes:
    """Return what is kept of what is wished of a recording."""
    return SessionWishes(
        languages=tuple(wishes.languages) if wishes.languages else None,
        lid=wishes.lid,
        translate=tuple(wishes.translate),
        word_times=wishes.word_times,
        recognition=wishes.recognition,
        insight=wishes.insight,
        polish=wishes.polish,
        partials=False,
        channel=channel,
        source=source,
    )


def digests(tenant: str, subjects: Iterable[str]) -> tuple[str, ...]:
    """Return what stands for the subjects of a session."""
    return tuple(sorted({subject_digest(tenant, each) for each in subjects}))


def _pace(spec: SessionSpec) -> Pace:
    return Pace(len(spec.targets), spec.insight is not None)


def _shaped(spec: SessionSpec, wishes: SessionWishes) -> SessionSpec:
    return replace(spec, source=wishes.source, channel=wishes.channel, live=True, partials=wishes.partials)


def _record(
    spec: SessionSpec, wishes: SessionWishes, caller: Caller, token: str | None, uploaded_bytes: int = 0
) -> SessionRecord:
    named, wishes = wishes.subjects, wishes.model_copy(update={"subjects": ()})  # of persons, digests are kept
    kept = _Kept(wishes=wishes, candidates=spec.candidates, targets=spec.targets, model=spec.model)
    return SessionRecord(
        session_id=spec.session_id,
        created_ms=time.time_ns() // 1_000_000,
        spec_json=kept.model_dump_json(),
        tenant=caller.tenant,
        owner=caller.owner,
        uploaded_bytes=uploaded_bytes,
        token_hash=digest(token) if token else None,
        subjects=digests(caller.tenant, named),
    )


def declared_audio(record: SessionRecord) -> tuple[AudioFormat, int | None]:
    """Return how a session's audio was declared, and the channel that is heard."""
    wishes = _Kept.model_validate_json(record.spec_json).wishes
    return wishes.audio, wishes.channel
