"""What was said is found, by whom it belongs to, until it is erased."""

import asyncio
from collections.abc import Iterator

import pytest

from dragoman.domain.events import TranscriptFinal
from dragoman.store.ports import Books, SessionRecord
from dragoman.store.search import search
from dragoman.store.sql import SqlStore


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    store = SqlStore.open(url)
    yield store
    store.close()


def said(session_id: str, seq: int, text: str) -> TranscriptFinal:
    return TranscriptFinal(
        session_id=session_id,
        seq=seq,
        utterance_id=f"u_{seq}",
        rev=1,
        text=text,
        start_ms=1_000 * seq,
        end_ms=1_000 * seq + 900,
        locale="en-US",
        engine="e",
    )


def keep(store: SqlStore, session_id: str, created_ms: int, tenant: str, *texts: str) -> None:
    async def body() -> None:
        await store.create(SessionRecord(session_id, created_ms, "{}", tenant=tenant))
        for seq, text in enumerate(texts, 1):
            await store.commit(session_id, [said(session_id, seq, text)], Books(settled=seq))

    asyncio.run(body())


def texts(store: SqlStore, tenant: str, query: str, limit: int = 10) -> list[str]:
    return [hit.final.text for hit in search(store.engine, tenant, query, limit)]


def test_finals_are_found_by_their_words_newest_session_first(store: SqlStore) -> None:
    keep(store, "s_1", 1, "acme", "The kettle is red.", "No lamp here.", "Another KETTLE.")
    keep(store, "s_2", 2, "acme", "A kettle, and a lamp.")
    assert texts(store, "acme", "kettle") == ["A kettle, and a lamp.", "The kettle is red.", "Another KETTLE."]
    assert texts(store, "acme", "lamp kettle") == ["A kettle, and a lamp."]
    assert texts(store, "acme", "kettle", limit=1) == ["A kettle, and a lamp."]
    assert texts(store, "acme", "teapot") == []


def test_another_tenants_are_not_found(store: SqlStore) -> None:
    keep(store, "s_1", 1, "acme", "The kettle is red.")
    assert texts(store, "other", "kettle") == []


def test_letters_of_other_languages_are_words_too(store: SqlStore) -> None:
    keep(store, "s_1", 1, "acme", "Die Straße ist über München gesperrt.", "Mañana por la mañana.")
    assert texts(store, "acme", "über münchen") == ["Die Straße ist über München gesperrt."]
    assert texts(store, "acme", "MAÑANA") == ["Mañana por la mañana."]


@pytest.mark.parametrize("query", ["", " ", '"', "NEAR(", "a OR", "* ^ : - +", "kettle*", "'; DROP TABLE events; --"])
def test_a_query_is_words_and_nothing_else(store: SqlStore, query: str) -> None:
    keep(store, "s_1", 1, "acme", "The kettle is red.")
    assert texts(store, "acme", query) == (["The kettle is red."] if "kettle" in query else [])


def test_what_an_index_cannot_hold_is_kept_all_the_same(store: SqlStore) -> None:
    keep(store, "s_1", 1, "acme", "kettle \x00", "\\u0000 kettle", "a kettle")
    assert len(asyncio.run(store.events("s_1"))) == 3
    assert "a kettle" in texts(store, "acme", "kettle")


def test_what_is_deleted_is_not_found(store: SqlStore) -> None:
    keep(store, "s_1", 1, "acme", "The kettle is red.")
    keep(store, "s_2", 2, "acme", "Another kettle.")
    asyncio.run(store.delete("s_1"))
    assert texts(store, "acme", "kettle") == ["Another kettle."]
