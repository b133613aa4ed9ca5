"""Sessions are erased when they are asked to be, or have been kept long enough."""

import asyncio
from collections.abc import Iterator

import pytest

from dragoman.domain.errors import SessionOpenError
from dragoman.store.erasure import ASKED, erase, is_erased
from dragoman.store.ports import Books, SessionRecord
from dragoman.store.search import search
from dragoman.store.sql import SqlStore
from tests.store.said import ended, final


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    store = SqlStore.open(url)
    yield store
    store.close()


def keep(store: SqlStore, session_id: str, created_ms: int, *, is_open: bool = False) -> None:
    async def body() -> None:
        await store.create(SessionRecord(session_id, created_ms, "{}", tenant="acme"))
        said = final(1, "u_1").model_copy(update={"session_id": session_id, "text": "the kettle"})
        await store.commit(session_id, [said], Books(1))
        if not is_open:
            await store.commit(session_id, [ended(2).model_copy(update={"session_id": session_id})], Books(1))

    asyncio.run(body())


def test_what_is_erased_leaves_a_tombstone(store: SqlStore) -> None:
    keep(store, "s_1", 1)
    keep(store, "s_2", 2)
    erase(store.engine, "s_1", ASKED)
    erase(store.engine, "s_1", ASKED)  # once is enough
    assert asyncio.run(store.session("s_1")) is None
    assert asyncio.run(store.events("s_1")) == []
    assert [hit.final.session_id for hit in search(store.engine, "acme", "kettle", 10)] == ["s_2"]
    assert is_erased(store.engine, "s_1", "acme")
    assert not is_erased(store.engine, "s_1", "other")
    assert not is_erased(store.engine, "s_2", "acme")


def test_what_has_not_ended_is_not_erased(store: SqlStore) -> None:
    keep(store, "s_1", 1, is_open=True)
    with pytest.raises(SessionOpenError):
        erase(store.engine, "s_1", ASKED)
    assert asyncio.run(store.session("s_1")) is not None
