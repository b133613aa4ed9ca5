"""A live session's way out: what is committed reaches every follower in order, drafts only who keeps up."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Final

from dragoman.domain.events import (
    AudioAck,
    DurableEvent,
    EphemeralEvent,
    Event,
    SessionEnded,
    TranscriptPartial,
    TranslationPartial,
)
from dragoman.store.ports import Durability, SessionStore

_RECENT: Final = 256
"""Committed events kept at hand; a follower that is further behind reads from the store, so that memory stays flat."""


@dataclass(frozen=True, slots=True)
class _Draft:
    version: int
    event: TranscriptPartial | TranslationPartial


class Outlet:
    """Lets any number of followers read one session's events, each at its own pace."""

    def __init__(self, session_id: str, last_seq: int, store: SessionStore, durability: Durability) -> None:
        self._session_id = session_id
        self._store = store
        self._durability = durability
        self._last_seq = last_seq
        self._recent: deque[DurableEvent] = deque(maxlen=_RECENT)
        self._drafts: dict[str, _Draft] = {}
        self._version = 0
        self._acknowledged = 0
        self._failure: Exception | None = None
        self._changed = asyncio.Event()

    def publish(self, events: Sequence[DurableEvent]) -> None:
        """Hand on events that are committed."""
        self._recent.extend(events)
        self._last_seq = events[-1].seq
        self._wake()

    def show(self, event: EphemeralEvent) -> None:
        """Hand on a draft, in place of the one before it."""
        if isinstance(event, AudioAck):
            return
        key = event.target if isinstance(event, TranslationPartial) else ""
        self._version += 1
        self._drafts[key] = _Draft(self._version, event)
        self._wake()

    def acknowledge(self, samples: int) -> None:
        """Hand on how much audio is safe."""
        if samples != self._acknowledged:
            self._acknowledged = samples
            self._wake()

    def fail(self, error: Exception) -> None:
        """Let every follower end with an error: this process cannot go on with the session."""
        self._failure = error
        self._wake()

    async def follow(self, after_seq: int) -> AsyncGenerator[Event, None]:
        """Yield events after ``after_seq``, to ``session.ended``; drafts and acknowledgements as they stand by then."""
        cursor, acknowledged = after_seq, -1
        shown: dict[str, int] = {}
        while True:
            changed = self._changed
            for event in await self._after(cursor):
                yield event
                cursor = event.seq
                if isinstance(event, SessionEnded):
                    return
            if cursor < self._last_seq:
                continue
            if self._failure:
                raise self._failure
            if cursor and acknowledged != self._acknowledged:  # the first word is session.started
                acknowledged = self._acknowledged
                yield AudioAck(
                    session_id=self._session_id,
                    after_seq=cursor,
                    accepted_samples=acknowledged,
                    durability=self._durability,
                )
            for key, draft in sorted(self._drafts.items(), key=lambda item: item[1].version):
                # A draft belongs between two durable events: before its time it waits, after it nobody wants it.
                if draft.version > shown.get(key, 0) and draft.event.after_seq == cursor:
                    shown[key] = draft.version
                    yield draft.event
            if changed is self._changed:
                await changed.wait()

    async def _after(self, cursor: int) -> Sequence[DurableEvent]:
        if cursor >= self._last_seq:
            return ()
        if self._recent and self._recent[0].seq <= cursor + 1:
            return [event for event in self._recent if event.seq > cursor]
        return [event for event in await self._store.events(self._session_id, cursor) if event.seq <= self._last_seq]

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
