"""All sessions at a glance, on both kinds of database."""

import asyncio
from collections.abc import Iterator

import pytest

from dragoman.store.jobs import JobRecord, JobStore
from dragoman.store.overview import Overview, TenantSums
from dragoman.store.ports import Books, SessionRecord
from dragoman.store.sql import SqlStore
from tests.store.said import ended, warning


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    store = SqlStore.open(url)
    yield store
    store.close()


def keep(store: SqlStore, session_id: str, created_ms: int, tenant: str, *, is_open: bool = False) -> None:
    async def body() -> None:
        await store.create(SessionRecord(session_id, created_ms, "{}", tenant=tenant))
        await store.commit(session_id, [warning(1, session_id)], Books(100, 40, 10, 5))
        if not is_open:
            await store.commit(session_id, [ended(2, session_id)], Books(200, 80, 20, 10))

    asyncio.run(body())


def test_sessions_of_a_time_and_what_they_add_up_to(store: SqlStore) -> None:
    for session_id, created_ms, tenant, is_open in (
        ("s_1", 10, "acme", False),
        ("s_2", 10, "acme", True),
        ("s_3", 30, "acme", False),
        ("s_4", 40, "other", False),
    ):
        keep(store, session_id, created_ms, tenant, is_open=is_open)
    overview = Overview(store.engine)
    assert [each.session_id for each in overview.sessions(None, 20, 10)] == ["s_2", "s_4", "s_3"]
    assert [each.session_id for each in overview.sessions("acme", 0, 2)] == ["s_2", "s_3"]
    assert overview.sums(None, 20) == [
        TenantSums("acme", 2, 1, Books(300, 120, 30, 15)),
        TenantSums("other", 1, 0, Books(200, 80, 20, 10)),
    ]
    assert overview.sums("nobody", 0) == []
    assert [each.seq for each in overview.events("s_1", 1)] == [2]


def test_jobs_by_their_state(store: SqlStore) -> None:
    jobs = JobStore(store.engine)
    for number, tenant in enumerate(("acme", "acme", "other")):
        jobs.submit(JobRecord(f"j_{number}", tenant, None, "h", 1, "{}", "here", None, 1))
    jobs.cancel("j_0", "acme")
    assert Overview(store.engine).jobs("acme") == {"cancelled": 1, "queued": 1}
    assert Overview(store.engine).jobs(None) == {"cancelled": 1, "queued": 2}
