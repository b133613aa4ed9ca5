"""Of several servers, one works on a session, whoever that is."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from dragoman.domain.errors import SessionElsewhereError, StoreConflictError
from dragoman.store.leases import Holder, SqlLeases
from dragoman.store.ports import Books
from dragoman.store.sql import SqlStore
from tests.store.said import ended, record, warning

LONG_MS, OVER_MS = 3_600_000, -1


@contextmanager
def server(url: str, name: str, *, is_shared: bool = True, lease_ms: int = LONG_MS) -> Iterator[SqlStore]:
    store = SqlStore.open(url, None, Holder(name, is_shared, lease_ms))
    try:
        yield store
    finally:
        store.close()


def leases(store: SqlStore) -> SqlLeases:
    assert store.leases is not None
    return store.leases


def test_a_session_is_its_servers_until_another_takes_it(url: str) -> None:
    async def body(here: SqlStore, there: SqlStore) -> None:
        await here.create(record())
        with pytest.raises(SessionElsewhereError):
            await there.commit("s_1", [warning(1)], Books())
        assert await leases(there).free() == []
        assert not await leases(there).take("s_1", by_force=False)
        assert await leases(there).take("s_1", by_force=True)
        with pytest.raises(SessionElsewhereError) as caught:
            await here.commit("s_1", [warning(1)], Books())
        assert caught.value.retryable
        with pytest.raises(SessionElsewhereError):
            await here.commit("s_1", [], Books(settled=5))
        await there.commit("s_1", [warning(1)], Books())
        with pytest.raises(StoreConflictError, match="does not stand"):
            await there.commit("s_1", [warning(1)], Books())
        assert (await leases(here).renew(), await leases(there).renew()) == (set(), {"s_1"})

    with server(url, "a") as here, server(url, "b") as there:
        asyncio.run(body(here, there))


def test_what_a_server_leaves_behind_is_free_when_its_lease_is_over(url: str) -> None:
    async def body(gone: SqlStore, here: SqlStore) -> None:
        await gone.create(record("s_1"))
        await here.create(record("s_2"))
        assert await leases(here).free() == ["s_1", "s_2"]
        assert await leases(here).take("s_1", by_force=False)
        assert await leases(gone).free() == []
        assert await leases(here).renew() == {"s_1", "s_2"}

    with server(url, "a", lease_ms=OVER_MS) as gone, server(url, "b") as here:
        asyncio.run(body(gone, here))


def test_a_server_that_lets_go_need_not_be_waited_for(url: str) -> None:
    async def body(here: SqlStore, there: SqlStore) -> None:
        await here.create(record())
        await leases(there).let_go("s_1")
        assert await leases(there).free() == []
        await leases(here).let_go("s_1")
        assert await leases(there).take("s_1", by_force=False)

    with server(url, "a") as here, server(url, "b") as there:
        asyncio.run(body(here, there))


def test_without_its_audio_a_session_cannot_be_taken(url: str) -> None:
    """Where audio lies in a folder, the server that has it goes on, also after it was away for long."""

    async def body(here: SqlStore, there: SqlStore) -> None:
        await here.create(record())
        await leases(here).let_go("s_1")
        assert await leases(there).free() == []
        assert not await leases(there).take("s_1", by_force=True)
        assert await leases(here).free() == ["s_1"]
        assert await leases(here).take("s_1", by_force=True)

    with (
        server(url, "a", is_shared=False, lease_ms=OVER_MS) as here,
        server(url, "b", is_shared=False) as there,
    ):
        asyncio.run(body(here, there))


def test_a_session_that_has_ended_is_nobodys(url: str) -> None:
    async def body(here: SqlStore, there: SqlStore) -> None:
        await here.create(record())
        await here.commit("s_1", [ended(1)], Books())
        assert await leases(here).renew() == set()
        assert not await leases(there).take("s_1", by_force=True)

    with server(url, "a") as here, server(url, "b") as there:
        asyncio.run(body(here, there))


def test_of_many_that_take_a_free_session_at_once_one_has_it(url: str) -> None:
    async def body(gone: SqlStore, stores: list[SqlStore]) -> None:
        await gone.create(record())
        taken = await asyncio.gather(*(leases(store).take("s_1", by_force=False) for store in stores))
        assert sum(taken) == 1
        winner = stores[taken.index(True)]
        outcomes = await asyncio.gather(
            *(store.commit("s_1", [warning(1)], Books()) for store in stores), return_exceptions=True
        )
        assert [store for store, outcome in zip(stores, outcomes, strict=True) if outcome is None] == [winner]

    stores = [SqlStore.open(url, None, Holder(f"n{number}", True, LONG_MS)) for number in range(4)]
    with server(url, "a", lease_ms=OVER_MS) as gone:
        asyncio.run(body(gone, stores))
    for store in stores:
        store.close()
