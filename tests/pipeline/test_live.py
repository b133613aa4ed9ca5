"""A live session that falls behind says so, once, and again if it does so again."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import pytest

from dragoman.domain.audio import AudioFrame, Span
from dragoman.domain.events import DurableEvent, Event, SessionEnded, TranscriptPartial, WarningEvent
from dragoman.domain.language import LidMode, parse_locale
from dragoman.domain.speech import AudioInput, Heard, Silence, TranscriptionRequest
from dragoman.pipeline import live as live_module
from dragoman.pipeline.inlet import Inlet
from dragoman.pipeline.live import LiveSession
from dragoman.pipeline.outlet import Outlet
from dragoman.pipeline.session import Session
from dragoman.pipeline.spec import SessionSpec
from dragoman.store.ports import SessionRecord
from dragoman.store.spool import MemorySpool
from dragoman.store.sql import SqlStore


class SlowTranscriber:
    """Hears only silence, and tells of it when its gate is open."""

    name = "slow"

    def __init__(self) -> None:
        self.gate = asyncio.Event()

    async def transcribe(
        self, audio: AsyncIterator[AudioInput], request: TranscriptionRequest
    ) -> AsyncGenerator[Heard, None]:
        async for item in audio:
            assert isinstance(item, AudioFrame)
            await self.gate.wait()
            yield Silence(Span(item.start, item.end))


class NoObserver:
    def opened(self, session_id: str, *, recovered: bool, tenant: str) -> None:
        pass

    def shown(
        self, session_id: str, partial: TranscriptPartial, since_start_ms: int | None, since_end_ms: int | None
    ) -> None:
        pass

    def committed(self, session_id: str, event: DurableEvent) -> None:
        pass

    def closed(self, session_id: str, *, ended: bool) -> None:
        pass


def lags(events: list[Event]) -> int:
    return sum(isinstance(event, WarningEvent) and event.code == "lagging" for event in events)


@pytest.mark.slow
def test_who_follows_is_told_once_each_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in (("_LAGGING_S", 0.2), ("_CAUGHT_UP_S", 0.1), ("_ACK_EVERY_S", 0.02)):
        monkeypatch.setattr(live_module, name, value)

    async def run() -> list[Event]:
        spool, slow = MemorySpool(), SlowTranscriber()
        spooled = await spool.open("s_1")
        session = Session(SessionSpec("s_1", (parse_locale("en-US"),), LidMode.CONTINUOUS), slow, None)
        store = SqlStore.open(f"sqlite:///{tmp_path / 'dragoman.db'}")
        await store.create(SessionRecord("s_1", 0, "{}"))
        inlet, outlet = Inlet(spooled, 0), Outlet("s_1", 0, store, spool.durability)
        live = LiveSession("s_1", session, inlet, outlet, spooled, store, NoObserver())
        live.start()
        feed = await live.take_over()
        for _ in range(2):
            feed.append(bytes(3_200))
            await asyncio.sleep(0.5)  # behind
            slow.gate.set()
            await asyncio.sleep(0.2)  # caught up
            slow.gate.clear()
        slow.gate.set()
        feed.end()
        events = [event async for event in live.follow(0)]
        await live.close()
        store.close()
        return events

    events = asyncio.run(run())
    assert lags(events) == 2
    assert isinstance(events[-1], SessionEnded)
