"""What the doors of a server share: its sessions, and who may have how many of them."""

import asyncio
import hmac
import secrets
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

from dragoman.domain.audio import SAMPLE_RATE_HZ, Span
from dragoman.domain.caller import UNLIMITED, Caller
from dragoman.domain.errors import (
    CapacityError,
    DragomanError,
    QuotaError,
    SessionUnknownError,
    StoreFailedError,
)
from dragoman.domain.language import parse_locale, parse_target
from dragoman.domain.messages import SessionWishes
from dragoman.domain.speech import AudioInput, Heard, Silence, TranscriptionRequest
from dragoman.monitoring.costs import Pace
from dragoman.monitoring.purse import EXHAUSTED, Purse
from dragoman.pipeline.hub import Hub, HubRules
from dragoman.pipeline.live import LiveSession
from dragoman.pipeline.memory import Memory
from dragoman.pipeline.observer import Observer
from dragoman.pipeline.session import Session
from dragoman.pipeline.spec import SessionSpec
from dragoman.runtime import DEMO_MODEL, Recording, Runtime, Wishes
from dragoman.serving.kept import KeptTranscription
from dragoman.serving.records import Kept, record_of, session_wishes, wishes_of
from dragoman.storage import prices_of
from dragoman.store.audit import AuditTrail
from dragoman.store.budgets import BudgetStore
from dragoman.store.digest import digest
from dragoman.store.keys import KeyStore
from dragoman.store.ports import SessionRecord, Spool
from dragoman.store.sql import SqlStore
from dragoman.versions import Versions

_DAY_MS: Final = 86_400_000
_STREAM_ENDS_S: Final = 10
_MOST_DELAY_S: Final = 1.0


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
            live = await self.hub.open(record_of(spec, wishes, caller, token))
        except BaseException:
            await self.purse.drop(spec.session_id)
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
        record = record_of(transcription.spec, kept, caller, None, uploaded_bytes)
        session_id, pace = record.session_id, _pace(transcription.spec)
        await self.purse.open(session_id, caller.tenant, pace, is_live=False)
        transcription.gate = self.purse.gate(session_id, caller.tenant, pace)
        try:
            await self._note(caller, "transcript.create", transcription.spec, kept)
            await self._store.create(replace(record, subjects=tuple(subjects)))
        except BaseException:
            await self.purse.drop(session_id)
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
                kept = Kept.model_validate_json(record.spec_json)
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
        kept = Kept.model_validate_json(record.spec_json)
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


def _pace(spec: SessionSpec) -> Pace:
    return Pace(len(spec.targets), spec.insight is not None)


def _shaped(spec: SessionSpec, wishes: SessionWishes) -> SessionSpec:
    return replace(spec, source=wishes.source, channel=wishes.channel, live=True, partials=wishes.partials)
