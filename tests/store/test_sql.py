import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event

from dragoman.domain.errors import StoreConflictError, StoreFailedError
from dragoman.domain.events import (
    DurableEvent,
    LanguageDetected,
    LocaleScore,
    SessionStarted,
    TranscriptFinal,
    TranslationFailed,
    WarningEvent,
    WordTime,
)
from dragoman.domain.language import LidMode
from dragoman.store.ports import Books, SessionRecord, SessionStore
from dragoman.store.sql import SqlStore
from dragoman.store.writer import Writer
from tests.store.piling import piled_up
from tests.store.said import ended, final, record, translation, warning


@contextmanager
def opened(url: str) -> Iterator[SqlStore]:
    """Open a store that does not wait for the disk; what survives a death is tested in ``test_durability.py``."""
    store = SqlStore.open(url)
    if store.engine.dialect.name == "sqlite":
        event.listen(store.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF"))
        store.engine.dispose()
    try:
        yield store
    finally:
        store.close()


def test_a_session_is_kept_as_it_was_given(url: str) -> None:
    given_record = SessionRecord("s_1", 1_700_000_000_000, '{"a": 1}', "0a1b2c3d", "f" * 64, 7, True, Books(9, 5, 2, 1))

    async def body(store: SessionStore) -> None:
        await store.create(given_record)
        assert await store.session("s_1") == given_record
        assert await store.session("s_2") is None
        assert await store.open_sessions() == [given_record]

    with opened(url) as store:
        asyncio.run(body(store))
    with opened(url) as store:
        assert asyncio.run(store.session("s_1")) == given_record


def test_events_and_books_are_committed_together(url: str) -> None:
    said: list[DurableEvent] = [warning(1), final(2, "u_1"), translation(3, "u_1", "en"), warning(4)]

    async def body(store: SessionStore) -> None:
        await store.create(record())
        await store.commit("s_1", said[:2], Books(settled=100, text=80))
        await store.commit("s_1", said[2:], Books(settled=100, text=80))
        await store.commit("s_1", [], Books(settled=300, text=80, lost=20))
        now = await store.session("s_1")
        assert now is not None
        assert (now.last_seq, now.is_open, now.books) == (4, True, Books(300, 80, 20))
        assert await store.events("s_1") == said
        assert await store.events("s_1", after_seq=1, limit=2) == said[1:3]
        assert await store.events("s_2") == []

    with opened(url) as store:
        asyncio.run(body(store))


def test_the_end_closes_the_session_for_good(url: str) -> None:
    async def body(store: SessionStore) -> None:
        await store.create(record("s_1"))
        await store.create(record("s_2"))
        await store.commit("s_1", [warning(1), ended(2)], Books())
        assert [each.session_id for each in await store.open_sessions()] == ["s_2"]
        for more in ([warning(3)], []):
            with pytest.raises(StoreConflictError):
                await store.commit("s_1", more, Books())
        assert len(await store.events("s_1")) == 2

    with opened(url) as store:
        asyncio.run(body(store))


@pytest.mark.parametrize(
    ("events", "books"),
    [
        ([warning(1)], Books(settled=10)),  # said already
        ([warning(3)], Books(settled=10)),  # a gap before
        ([warning(2), warning(4)], Books(settled=10)),  # a gap within
        ([warning(2), warning(2)], Books(settled=10)),
        ([warning(2, "s_2")], Books(settled=10)),  # another session's
        ([warning(2), final(3, "u_2"), final(4, "u_1")], Books(settled=10)),  # a final that is there
        ([translation(2, "u_9", "en"), translation(3, "u_9", "en")], Books(settled=10)),
        ([warning(2)], Books(settled=9)),  # books never run backwards
        ([], Books(settled=9)),
    ],
)
def test_what_does_not_go_on_from_here_is_refused_whole(url: str, events: list[DurableEvent], books: Books) -> None:
    async def body(store: SessionStore) -> None:
        await store.create(record())
        await store.commit("s_1", [final(1, "u_1")], Books(settled=10))
        before = await store.session("s_1")
        with pytest.raises(StoreConflictError):
            await store.commit("s_1", events, books)
        assert await store.session("s_1") == before
        assert await store.events("s_1") == [final(1, "u_1")]

    with opened(url) as store:
        asyncio.run(body(store))


def test_unknown_and_repeated_sessions_are_conflicts(url: str) -> None:
    async def body(store: SessionStore) -> None:
        await store.create(record())
        with pytest.raises(StoreConflictError):
            await store.create(record())
        with pytest.raises(StoreConflictError):
            await store.commit("s_2", [warning(1, "s_2")], Books())
        with pytest.raises(StoreConflictError):
            await store.commit("s_2", [], Books())

    with opened(url) as store:
        asyncio.run(body(store))


def test_a_second_process_cannot_write_into_a_session_that_went_on(url: str) -> None:
    async def body(here: SessionStore, there: SessionStore) -> None:
        await here.create(record())
        await there.commit("s_1", [warning(1)], Books())
        with pytest.raises(StoreConflictError):
            await here.commit("s_1", [final(1, "u_1")], Books())
        assert await here.events("s_1") == [warning(1)]

    with opened(url) as here, opened(url) as there:
        asyncio.run(body(here, there))


def test_a_deleted_session_is_gone_with_its_events(url: str) -> None:
    async def body(store: SessionStore) -> None:
        await store.create(record("s_1"))
        await store.create(record("s_2"))
        await store.commit("s_1", [warning(1)], Books())
        await store.commit("s_2", [warning(1, "s_2")], Books())
        await store.delete("s_1")
        await store.delete("s_1")
        assert await store.session("s_1") is None
        assert await store.events("s_1") == []
        assert await store.events("s_2") == [warning(1, "s_2")]

    with opened(url) as store:
        asyncio.run(body(store))


def test_sessions_that_commit_at_once_share_transactions(url: str) -> None:
    ids = [f"s_{number:x}" for number in range(100)]
    transactions: list[object] = []

    async def body(store: SqlStore) -> None:
        await asyncio.gather(*(store.create(record(each)) for each in ids))
        event.listen(store.engine, "commit", transactions.append)
        await asyncio.gather(*(store.commit(each, [warning(1, each)], Books()) for each in ids))
        for each in ids:
            assert await store.events(each) == [warning(1, each)]

    with opened(url) as store:
        asyncio.run(body(store))
    assert len(transactions) <= 10


def test_a_bad_item_fails_alone(url: str) -> None:
    async def body(store: SqlStore) -> None:
        await store.create(record("s_1"))
        await store.create(record("s_2"))
        async with piled_up(store):
            results = asyncio.gather(
                store.commit("s_1", [warning(1)], Books()),
                store.commit("s_1", [warning(3)], Books()),  # a gap
                store.commit("s_2", [final(1, "u", "s_2"), final(2, "u", "s_2")], Books()),  # a final twice
                store.commit("s_1", [warning(2)], Books()),
                store.commit("s_2", [final(1, "u", "s_2")], Books()),
                return_exceptions=True,
            )
            await asyncio.sleep(0)
        assert [type(result) for result in await results] == [
            type(None),
            StoreConflictError,
            StoreConflictError,
            type(None),
            type(None),
        ]
        assert await store.events("s_1") == [warning(1), warning(2)]
        assert await store.events("s_2") == [final(1, "u", "s_2")]

    with opened(url) as store:
        asyncio.run(body(store))


def test_a_cancelled_commit_is_carried_out(url: str) -> None:
    async def body(store: SqlStore) -> None:
        await store.create(record())
        async with piled_up(store):
            commit = asyncio.ensure_future(store.commit("s_1", [warning(1)], Books()))
            await asyncio.sleep(0)
            commit.cancel()
        await store.commit("s_1", [warning(2)], Books())
        assert await store.events("s_1") == [warning(1), warning(2)]

    with opened(url) as store:
        asyncio.run(body(store))


def test_closing_finishes_what_waits_and_then_refuses(url: str) -> None:
    async def body(store: SqlStore) -> None:
        await store.create(record())
        async with piled_up(store):
            commit = asyncio.ensure_future(store.commit("s_1", [warning(1)], Books()))
            await asyncio.sleep(0)
        await asyncio.to_thread(store.close)
        await commit
        with pytest.raises(StoreFailedError, match="shut down"):
            await store.commit("s_1", [warning(2)], Books())
        with pytest.raises(StoreFailedError, match="shut down"):
            await store.events("s_1")

    store = SqlStore.open(url)
    asyncio.run(body(store))
    store.close()
    with opened(url) as again:
        assert asyncio.run(again.events("s_1")) == [warning(1)]


def test_the_writer_survives_work_that_breaks(url: str) -> None:
    def broken(_: Connection) -> None:
        raise ZeroDivisionError

    async def body(writer: Writer, store: SqlStore) -> None:
        with pytest.raises(StoreFailedError, match="ZeroDivisionError"):
            await writer.carry_out(broken)
        with pytest.raises(StoreFailedError):
            await writer.carry_out(lambda connection: connection.exec_driver_sql("DROP TABLE nothing").close())
        await writer.carry_out(lambda connection: connection.exec_driver_sql("SELECT 1").close())

    with opened(url) as store:
        writer = Writer(store.engine, None)
        asyncio.run(body(writer, store))
        writer.close()


TEXT = st.text(max_size=20)
TAG = st.text(st.characters(categories=["L", "N", "P"]), max_size=20)
PROBABILITY = st.floats(0, 1)
POSITION = st.integers(0, 2**40)


def events_of(session_id: str) -> st.SearchStrategy[DurableEvent]:
    common = {"session_id": st.just(session_id), "seq": st.just(1)}
    words = st.builds(WordTime, text=TEXT, start_ms=POSITION, end_ms=POSITION, confidence=st.none() | PROBABILITY)
    scores = st.builds(LocaleScore, locale=TEXT, probability=PROBABILITY)
    return st.one_of(
        st.builds(SessionStarted, **common, engine=TEXT, lid=st.sampled_from(LidMode), candidates=st.tuples(TEXT)),
        st.builds(
            LanguageDetected,
            **common,
            locale=TEXT,
            confidence=st.none() | PROBABILITY,
            at_ms=POSITION,
            mode=st.sampled_from(LidMode),
            candidates=st.tuples(scores, scores),
        ),
        st.builds(
            TranscriptFinal,
            **common,
            utterance_id=st.uuids().map(str),
            rev=st.just(1),
            text=TEXT,
            start_ms=POSITION,
            end_ms=POSITION,
            locale=TEXT,
            confidence=st.none() | PROBABILITY,
            words=st.tuples(words),
            engine=TEXT,
        ),
        st.builds(TranslationFailed, **common, utterance_id=st.uuids().map(str), target=TAG, code=TEXT, message=TEXT),
        st.builds(WarningEvent, **common, code=TEXT, message=TEXT),
    )


def test_any_sequence_of_commits_gives_back_equal_events(url: str) -> None:
    with opened(url) as store:

        @given(events=st.lists(events_of("s_a"), max_size=8), cuts=st.lists(st.integers(0, 8), max_size=3))
        @settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
        def holds(events: list[DurableEvent], cuts: list[int]) -> None:
            numbered = [each.model_copy(update={"seq": seq}) for seq, each in enumerate(events, start=1)]

            async def body() -> list[DurableEvent]:
                await store.delete("s_a")
                await store.create(record("s_a"))
                for first, last in pairwise(sorted([0, *cuts, 8])):
                    await store.commit("s_a", numbered[first:last], Books(settled=last))
                return await store.events("s_a")

            assert asyncio.run(body()) == numbered

        holds()
