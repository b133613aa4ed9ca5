"""Calls that are streamed to us: who may stream one, the sessions of its participants, and what they say together."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from dragoman.api.acs_track import Packet, Track
from dragoman.domain.caller import Caller
from dragoman.domain.errors import MessageInvalidError, SessionUnknownError
from dragoman.domain.events import Event, SessionEnded, TranscriptFinal
from dragoman.pipeline.hub import Hub
from dragoman.store.calls import CallSession
from dragoman.store.scope import Scope

_MOST_CALLS: Final = 10_000
_QUIET_MS: Final = 1_000
"""How far a track is behind the call when nobody speaks on it: silence closes its utterance."""

_LONGEST_GAP_MS: Final = 4 * 3_600_000
_MOST_UNTOLD: Final = 64
_QUIET_S: Final = 15.0


class CallTokens(Protocol):
    """Checks the token that Azure signs for each connection: its issuer, its keys, our resource as its audience."""

    async def verify(self, token: str, scope: Scope) -> Caller:
        """Return for whom a call is streamed.

        Raises:
            KeyRefusedError: if the token is not good.
        """
        ...


@dataclass
class Call:
    """One call: its participants, in the order in which they were first heard, and all their sessions."""

    call_id: str
    caller: Caller
    ticket: str | None = None
    """Digest of the ticket that it is streamed with, if it is."""
    is_over: bool = False
    """Whether its stream was ended, and not only its connection."""
    sessions: list[Track | CallSession] = field(default_factory=list)
    speakers: dict[str | None, str | None] = field(default_factory=dict)
    """Pseudonyms: who somebody is stays in this process, and is in no event and no log."""
    tracks: dict[str | None, Track] = field(default_factory=dict)
    taken_over: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when another connection streams the call."""
    streaming: asyncio.Lock = field(default_factory=asyncio.Lock)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    began: datetime | None = None
    ms: float = 0.0

    def speaker(self, participant: str | None) -> str | None:
        """Return the pseudonym of a participant; who is mixed with others has none."""
        if participant not in self.speakers:
            self.speakers[participant] = None if participant is None else f"speaker-{len(self.speakers) + 1}"
        return self.speakers[participant]

    def add(self, participant: str | None, track: Track) -> None:
        """Take another session of a participant."""
        self.tracks[participant] = track
        self.sessions.append(track)
        self.changed()

    def clock(self, at: datetime | None) -> float | None:
        """Return a moment as milliseconds of the call, which began with its first packet.

        Raises:
            MessageInvalidError: if that cannot be.
        """
        if at is None:
            return None
        self.began = self.began or at
        at_ms = (at - self.began).total_seconds() * 1_000
        if at_ms > self.ms + _LONGEST_GAP_MS:
            raise MessageInvalidError("A timestamp is hours after the one before.")
        self.ms = max(self.ms, at_ms)
        return max(0.0, at_ms)

    async def keep_pace(self, tracks: Iterable[Track]) -> None:
        """Let the tracks on which nothing comes be silent."""
        for track in tracks:
            if self.ms - track.sent_ms > 2 * _QUIET_MS:
                await track.put(Packet(self.ms - _QUIET_MS, b""))

    def changed(self) -> None:
        """Tell who follows the call that there is something new of it."""
        self.news.set()
        self.news = asyncio.Event()


class Calls:
    """The calls of this process, the latest of them."""

    def __init__(self) -> None:
        self._calls: OrderedDict[tuple[str, str], Call] = OrderedDict()

    def named(self, call_id: str, caller: Caller) -> Call:
        """Return a call of a caller's tenant, a new one if there is none of this id."""
        key = (caller.tenant, call_id)
        call = self._calls.get(key) or Call(call_id, caller)
        self._calls[key] = call
        self._calls.move_to_end(key)
        while len(self._calls) > _MOST_CALLS:
            self._calls.popitem(last=False)
        return call

    def known(self, call_id: str, caller: Caller, kept: Sequence[CallSession]) -> Call:
        """Return a call of a caller's tenant: as this process knows it, or by the sessions that are kept of it.

        Raises:
            SessionUnknownError: if there is none of this id.
        """
        call = self._calls.get((caller.tenant, call_id))
        if kept and (call is None or not call.sessions):
            return Call(call_id, caller, sessions=[*kept])
        if call is None:
            raise SessionUnknownError("There is no such call.")
        return call


async def follow(call: Call, hub: Hub) -> AsyncGenerator[Event | None, None]:
    """Yield the events of all sessions of a call as they come, with their speakers; ``None`` if there is nothing new.

    It ends when no connection streams the call any more and its sessions are over.
    """
    told: asyncio.Queue[Event] = asyncio.Queue(_MOST_UNTOLD)

    async def pump(track: Track | CallSession) -> None:
        async with aclosing(hub.follow(track.session_id, 0)) as events:
            async for event in events:
                await told.put(with_speaker(event, track.speaker))
                if isinstance(event, SessionEnded):
                    return

    pumps: dict[str, asyncio.Task[None]] = {}
    try:
        while True:
            for track in call.sessions:
                if track.session_id not in pumps:
                    pumps[track.session_id] = asyncio.create_task(pump(track))
            while not told.empty():
                yield told.get_nowait()
            running = {task for task in pumps.values() if not task.done()}
            for task in pumps.values():
                if task.done():
                    task.result()
            if pumps and not running and told.empty() and not call.streaming.locked():
                return
            getting, news = asyncio.create_task(told.get()), asyncio.create_task(call.news.wait())
            try:
                waiting = {getting, news, *running}
                done, _ = await asyncio.wait(waiting, timeout=_QUIET_S, return_when=asyncio.FIRST_COMPLETED)
                if getting.done():
                    yield getting.result()
                elif not done:
                    yield None
            finally:
                getting.cancel()
                news.cancel()
    finally:
        for task in pumps.values():
            task.cancel()
        await asyncio.gather(*pumps.values(), return_exceptions=True)


def with_speaker(event: Event, speaker: str | None) -> Event:
    """Return an event with the pseudonym of who was heard, if the engine knows no speakers itself."""
    if speaker and isinstance(event, TranscriptFinal) and event.speaker is None:
        return event.model_copy(update={"speaker": speaker})
    return event
