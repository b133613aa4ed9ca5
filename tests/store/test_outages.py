"""PostgreSQL crashes and comes back, again and again, while sessions are written to it."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from dragoman.domain.errors import StoreFailedError
from dragoman.store.ports import Books
from dragoman.store.sql import SqlStore
from tests.postgres import PostgresServer, postgres_server
from tests.store.said import final, record

pytestmark = pytest.mark.slow

RESTARTS = 5
SESSIONS = tuple(f"s_{number:x}" for number in range(8))


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[PostgresServer]:
    """A server that no other test uses."""
    with postgres_server() as server:
        yield server


def test_five_crashes_of_the_database_cost_nothing(own_postgres: PostgresServer) -> None:
    acknowledged = dict.fromkeys(SESSIONS, 0)
    stalls_s: list[float] = []

    async def body(store: SqlStore) -> None:
        over, enough = asyncio.Event(), asyncio.Event()

        async def write(session_id: str) -> None:
            await store.create(record(session_id))
            while not over.is_set():
                seq = acknowledged[session_id] + 1
                begun_s = time.monotonic()
                pair = [final(seq, f"u_{seq}", session_id), final(seq + 1, f"u_{seq + 1}", session_id)]
                await store.commit(session_id, pair, Books(settled=seq))
                stalls_s.append(time.monotonic() - begun_s)
                acknowledged[session_id] = seq + 1
                if len(stalls_s) % 100 == 0:
                    enough.set()

        writing = [asyncio.create_task(write(each)) for each in SESSIONS]
        for _ in range(RESTARTS):
            enough.clear()
            await enough.wait()
            await asyncio.to_thread(own_postgres.crash)
        over.set()
        await asyncio.gather(*writing)

    with own_postgres.database() as name:
        store = SqlStore.open(own_postgres.url(name))
        asyncio.run(body(store))
        store.close()
        again = SqlStore.open(own_postgres.url(name))
        for session_id in SESSIONS:
            events = asyncio.run(again.events(session_id, limit=1_000_000))
            last = acknowledged[session_id]
            assert events == [final(seq, f"u_{seq}", session_id) for seq in range(1, last + 1)]
        again.close()
    print(f"{sum(acknowledged.values())} events acknowledged, longest stall {max(stalls_s):.1f} s")  # noqa: T201


def test_a_database_that_stays_away_fails_what_waits(own_postgres: PostgresServer) -> None:
    async def body(store: SqlStore) -> None:
        await store.create(record())
        await asyncio.to_thread(own_postgres.stop)
        try:
            reading = asyncio.ensure_future(store.session("s_1"))
            with pytest.raises(StoreFailedError) as caught:
                await store.commit("s_1", [final(1, "u_1")], Books(settled=1))
            assert caught.value.retryable
            with pytest.raises(StoreFailedError):
                await reading
        finally:
            await asyncio.to_thread(own_postgres.start)
        await store.commit("s_1", [final(1, "u_1")], Books(settled=1))

    with own_postgres.database() as name:
        store = SqlStore.open(own_postgres.url(name))
        asyncio.run(body(store))
        store.close()
