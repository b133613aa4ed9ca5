import asyncio
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest

from dragoman.domain.errors import DrainingError
from dragoman.domain.events import (
    AudioAck,
    Event,
    LedgerTotals,
    SessionEnded,
    TranscriptPartial,
    WarningEvent,
)
from dragoman.pipeline.outlet import Outlet
from dragoman.store.ports import Books, SessionRecord
from dragoman.store.sql import SqlStore

ID = "s_01"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = SqlStore.open(f"sqlite:///{tmp_path / 'test.db'}")
    yield opened
    opened.close()


def warning(seq: int) -> WarningEvent:
    return WarningEvent(session_id=ID, seq=seq, code="test", message=str(seq))


def ended(seq: int) -> SessionEnded:
    totals = LedgerTotals(
        accepted_samples=0, final_samples=0, text_samples=0, lost_samples=0, discarded_samples=0, sample_rate_hz=16_000
    )
    return SessionEnded(session_id=ID, seq=seq, reason="completed", ledger=totals, utterances=0)


def draft(after_seq: int, text: str) -> TranscriptPartial:
    return TranscriptPartial(
        session_id=ID,
        after_seq=after_seq,
        utterance_id="u_1",
        rev=1,
        text=text,
        stable_len=0,
        start_ms=0,
        end_ms=1,
        locale="de-DE",
    )


async def several(events: AsyncGenerator[Event, None], count: int) -> list[Event]:
    return [await anext(events) for _ in range(count)]


def outlet(store: SqlStore) -> Outlet:
    return Outlet(ID, 0, store, "memory")


def test_a_follower_gets_everything_however_late_it_comes(store: SqlStore) -> None:
    async def body() -> None:
        out = outlet(store)
        events = [warning(seq) for seq in range(1, 400)]
        await store.create(SessionRecord(ID, 0, "{}"))
        await store.commit(ID, [*events, ended(400)], Books())
        out.publish([*events, ended(400)])
        for after in (0, 100, 398, 399):
            found = [event async for event in out.follow(after) if not isinstance(event, AudioAck)]
            assert found == [*events, ended(400)][after:]

    asyncio.run(body())


def test_a_draft_comes_between_its_durable_neighbours_or_not_at_all(store: SqlStore) -> None:
    async def body() -> None:
        out = outlet(store)
        out.publish([warning(1)])
        out.show(draft(1, "early"))
        out.show(draft(1, "newer"))  # only the newest counts
        follower = out.follow(0)
        found = await several(follower, 3)
        assert [event.type for event in found] == ["warning", "audio.ack", "transcript.partial"]
        assert found[2] == draft(1, "newer")
        out.show(draft(2, "ahead"))  # what it follows is not committed yet
        out.publish([warning(2)])
        assert await several(follower, 2) == [warning(2), draft(2, "ahead")]
        out.show(draft(2, "stale"))
        out.publish([ended(3)])
        assert await several(follower, 1) == [ended(3)]

    asyncio.run(body())


def test_followers_learn_that_the_session_goes_on_elsewhere(store: SqlStore) -> None:
    async def body() -> None:
        out = outlet(store)
        out.publish([warning(1)])
        out.fail(DrainingError("Resume in a moment."))
        follower = out.follow(0)
        assert await anext(follower) == warning(1)
        try:
            await anext(follower)
        except DrainingError:
            return
        raise AssertionError("it went on")

    asyncio.run(body())
