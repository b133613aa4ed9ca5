"""What people say of sessions is kept in both kinds of database, and goes with its session."""

import asyncio
from collections.abc import Iterator

import pytest

from dragoman.domain.errors import FeedbackFullError, FeedbackInvalidError, SessionUnknownError
from dragoman.domain.events import DurableEvent, InsightReady
from dragoman.domain.feedback import Correction, Rating
from dragoman.domain.insight import Insight
from dragoman.store.erasure import ASKED, erase
from dragoman.store.feedback import FeedbackStore
from dragoman.store.ports import Books, SessionRecord
from dragoman.store.sql import SqlStore
from tests.store.said import ended, final, translation

RATED = Rating(part="transcript", rating=4)
INSIGHT = Insight(
    summary=(),
    topics=(),
    action_items=(),
    open_questions=(),
    sentiment=(),
    language="en",
    languages=(),
    engine="extractive",
    model=None,
    prompt_version="1",
    withheld=(),
    dropped=0,
    blocked=(),
    costs=(),
)


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    store = SqlStore.open(url)
    yield store
    store.close()


def keep(store: SqlStore, session_id: str = "s_1", tenant: str = "acme") -> None:
    """Store a session that goes on, with one utterance in German and English."""

    async def body() -> None:
        await store.create(SessionRecord(session_id, 1, "{}", tenant=tenant))
        said: list[DurableEvent] = [final(1, "u_1", session_id), translation(2, "u_1", "en", session_id)]
        await store.commit(session_id, said, Books(1))

    asyncio.run(body())


def end(store: SqlStore, session_id: str, seq: int = 3) -> None:
    asyncio.run(store.commit(session_id, [ended(seq, session_id)], Books(1)))


def test_what_was_said_is_read_in_its_order(store: SqlStore) -> None:
    keep(store)
    keep(store, "s_2")
    times = iter((10, 20, 30))
    kept = FeedbackStore(store.engine, lambda: next(times))
    corrected = Correction(
        part="transcript", utterance_id="u_1", text="Guten Abend! 🌙", locale="de-AT", comment="late"
    )
    first = kept.add("s_1", "acme", "key1", RATED)
    second = kept.add("s_1", "acme", None, corrected)
    other = kept.add("s_2", "acme", "key2", Rating(part="translation", target="en", utterance_id="u_1", rating=1))
    assert [(each.created_ms, each.actor, each.said) for each in (first, second)] == [
        (10, "key1", RATED),
        (20, None, corrected),
    ]
    assert kept.of_session("s_1") == [first, second]
    assert kept.since(20, "acme") == [other, second]
    assert kept.since(0, "other") == []
    assert kept.since(0, limit=1) == [other]


def test_another_tenants_session_is_not_there(store: SqlStore) -> None:
    keep(store)
    kept = FeedbackStore(store.engine)
    for session_id, tenant in (("s_1", "other"), ("s_9", "acme")):
        with pytest.raises(SessionUnknownError):
            kept.add(session_id, tenant, None, RATED)
    assert kept.of_session("s_1") == []


@pytest.mark.parametrize(
    "said",
    [
        Rating(part="transcript", utterance_id="u_2", rating=1),
        Rating(part="transcript", utterance_id="u_1/en", rating=1),
        Rating(part="translation", target="fr", rating=1),
        Rating(part="translation", target="fr", utterance_id="u_1", rating=1),
        Rating(part="insight", rating=1),
        Correction(part="transcript", utterance_id="u_2", text="no"),
        Correction(part="insight", text="no"),
    ],
)
def test_what_the_session_does_not_hold_is_refused(store: SqlStore, said: Rating | Correction) -> None:
    keep(store)
    with pytest.raises(FeedbackInvalidError):
        FeedbackStore(store.engine).add("s_1", "acme", None, said)


def test_an_insight_can_be_rated_once_there_is_one(store: SqlStore) -> None:
    keep(store)
    asyncio.run(store.commit("s_1", [InsightReady(session_id="s_1", seq=3, is_final=True, insight=INSIGHT)], Books(1)))
    kept = FeedbackStore(store.engine).add("s_1", "acme", None, Correction(part="insight", text="They agreed."))
    assert kept.said.part == "insight"


def test_it_is_gone_with_its_session(store: SqlStore) -> None:
    kept = FeedbackStore(store.engine)
    for session_id in ("s_1", "s_2", "s_3"):
        keep(store, session_id)
        kept.add(session_id, "acme", None, RATED)
        end(store, session_id)
    erase(store.engine, "s_1", ASKED)
    asyncio.run(store.delete("s_2"))
    assert [each.session_id for each in kept.since(0)] == ["s_3"]
    with pytest.raises(SessionUnknownError):
        kept.add("s_1", "acme", None, RATED)


def test_a_session_bears_so_much_and_no_more(store: SqlStore) -> None:
    keep(store)
    kept = FeedbackStore(store.engine, most_entries=3)
    for _ in range(3):
        kept.add("s_1", "acme", None, RATED)
    with pytest.raises(FeedbackFullError, match="3"):
        kept.add("s_1", "acme", None, RATED)
    assert len(kept.of_session("s_1")) == 3
