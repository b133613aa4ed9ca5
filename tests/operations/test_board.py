"""The answer for operators is exact for scripted sessions."""

import asyncio
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from pydantic import JsonValue
from sqlalchemy import event

from dragoman.domain.feedback import Correction, Rating
from dragoman.engines.breaker import Breaker
from dragoman.evaluation.cost import Prices
from dragoman.operations.board import Board
from dragoman.operations.pulse import Pulse
from dragoman.operations.sections import Here
from dragoman.store.feedback import FeedbackStore
from dragoman.store.overview import Overview
from dragoman.store.ports import SessionRecord
from dragoman.store.sql import SqlStore
from tests.operations.scripted import BOOKS, scripted

NOW_S = 1_700_000_000.0
PRICES = Prices(
    as_of=date(2024, 12, 1),
    source="a list",
    speech_usd_per_hour=3_600,
    language_identification_usd_per_hour=360,
    translation_usd_per_million_characters=1_000_000,
    prompt_usd_per_million_tokens=1,
    completion_usd_per_million_tokens=1,
)


class Clock:
    now_s = NOW_S

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    store = SqlStore.open(f"sqlite:///{tmp_path / 'dragoman.db'}")
    yield store
    store.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def board(store: SqlStore, clock: Clock) -> Board:
    feedback = FeedbackStore(store.engine, lambda: round(1_000 * clock()))
    return Board(Overview(store.engine), feedback, Pulse(clock), PRICES, clock)


def keep(store: SqlStore, session_id: str, tenant: str, age_h: float = 0.5, *, is_over: bool = True) -> None:
    record = SessionRecord(session_id, round(1_000 * (NOW_S - 3_600 * age_h)), "{}", tenant=tenant)

    async def body() -> None:
        await store.create(record)
        await store.commit(session_id, scripted(session_id, is_over=is_over), BOOKS)

    asyncio.run(body())


def asked(board: Board, tenant: str | None, hours: int = 24, **here: Here) -> dict[str, JsonValue]:
    return board.snapshot(tenant, hours, here, {})


def test_the_ledger_balances_tenant_by_tenant(board: Board, store: SqlStore) -> None:
    keep(store, "s_1", "acme")
    keep(store, "s_2", "acme", is_over=False)
    keep(store, "s_3", "other")
    found = asked(board, None, s_2=Here(written=200_000, settled=170_000))["ledger"]
    assert found == [
        {
            "tenant": "acme",
            "sessions": 2,
            "open": 1,
            "accepted": 360_000,
            "final": 224_000,
            "text": 160_000,
            "lost": 64_000,
            "discarded": 32_000,
            "waiting": 40_000,
        },
        {
            "tenant": "other",
            "sessions": 1,
            "open": 0,
            "accepted": 160_000,
            "final": 112_000,
            "text": 80_000,
            "lost": 32_000,
            "discarded": 16_000,
            "waiting": 0,
        },
    ]


def test_a_tenant_is_told_of_itself_only(board: Board, store: SqlStore) -> None:
    keep(store, "s_1", "acme")
    keep(store, "s_3", "other")
    found = asked(board, "other")
    assert "s_1" not in str(found)
    assert "acme" not in str(found)
    assert found["counted"] == {"sessions": 1, "open": 0, "added_up": 1}


def test_every_figure_of_a_session(board: Board, store: SqlStore) -> None:
    keep(store, "s_1", "acme", is_over=False)
    found = asked(board, "acme", s_1=Here(written=176_000, settled=160_000))
    assert found["sessions"] == [
        {
            "session_id": "s_1",
            "tenant": "acme",
            "created_ms": round(1_000 * (NOW_S - 1_800)),
            "is_open": True,
            "reason": None,
            "kind": "stream",
            "source": "call.wav",
            "lid": "continuous",
            "locale": "es-ES",
            "engine": "whisper",
            "engine_changes": 1,
            "finals": 2,
            "settled_ms": 10_000,
            "lost_ms": 2_000,
            "discarded_ms": 1_000,
            "waiting_ms": 1_000,
            "final_p50_ms": 300,
            "final_p95_ms": 900,
            "errors": 2,
            "warnings": 2,
            "holder": None,
        }
    ]
    assert found["languages"] == [
        {"locale": "es-ES", "speech_ms": 3_000, "share": 0.6},
        {"locale": "de-DE", "speech_ms": 2_000, "share": 0.4},
    ]
    assert found["latency"] == {"finals": 2, "p50_ms": 300, "p95_ms": 900}
    assert found["translations"] == [{"target": "en", "final": 1, "failed": 1}]
    assert found["codes"] == [
        {"severity": "error", "code": "audio_lost", "number": 1},
        {"severity": "error", "code": "translation_failed", "number": 1},
        {"severity": "warning", "code": "engine_changed", "number": 1},
        {"severity": "warning", "code": "lagging", "number": 1},
    ]
    problems = found["problems"]
    assert isinstance(problems, list)
    assert [each["code"] for each in problems if isinstance(each, dict)] == [
        "lagging",
        "audio_lost",
        "translation_failed",
        "engine_changed",
    ]


def test_what_waits_at_another_server_is_not_known(board: Board, store: SqlStore) -> None:
    keep(store, "s_1", "acme", is_over=False)
    (session,) = _dicts(asked(board, "acme")["sessions"])
    assert session["waiting_ms"] is None


def test_costs_are_audio_and_characters_at_a_dated_price(board: Board, store: SqlStore) -> None:
    keep(store, "s_1", "acme")
    assert asked(board, "acme")["costs"] == {
        "as_of": "2024-12-01",
        "source": "a list",
        "tenants": [
            {
                "tenant": "acme",
                "audio_s": 10.0,
                "characters": 20,
                "prompt_tokens": 0,
                "completion_tokens": 0,
                "usd": 10 + 1 + 20,
            }
        ],
    }


def test_what_began_earlier_does_not_count_unless_it_goes_on(board: Board, store: SqlStore) -> None:
    keep(store, "s_1", "acme", age_h=30)
    keep(store, "s_2", "acme", age_h=30, is_over=False)
    assert [each["session_id"] for each in _dicts(asked(board, None)["sessions"])] == ["s_2"]
    assert asked(board, None, 48)["counted"] == {"sessions": 2, "open": 1, "added_up": 2}


def test_only_what_is_new_is_read(board: Board, store: SqlStore, clock: Clock) -> None:
    keep(store, "s_1", "acme", is_over=False)
    read: list[str] = []

    @event.listens_for(store.engine, "before_cursor_execute")
    def executed(_: object, __: object, statement: str, *___: object) -> None:
        read.append(statement)

    asked(board, None)
    assert sum("FROM events" in each for each in read) == 1
    asked(board, None)  # within a second nothing is asked at all
    assert sum("FROM sessions" in each for each in read) == 2
    clock.now_s += 2
    asked(board, None)
    assert sum("FROM events" in each for each in read) == 1
    asyncio.run(store.commit("s_1", scripted("s_1")[-1:], BOOKS))
    clock.now_s += 2
    (session,) = _dicts(asked(board, None)["sessions"])
    assert (session["is_open"], session["reason"], session["finals"]) == (False, "cancelled", 2)
    assert sum("FROM events" in each for each in read) == 2


def test_what_is_too_much_for_one_answer_comes_with_the_next(store: SqlStore, clock: Clock) -> None:
    board = Board(Overview(store.engine), FeedbackStore(store.engine), Pulse(clock), PRICES, clock, most_read=1)
    for number in range(3):
        keep(store, f"s_{number}", "acme", age_h=number + 1)
    for expected in (1, 2, 3, 3):
        assert asked(board, "acme")["counted"] == {"sessions": 3, "open": 0, "added_up": expected}
        clock.now_s += 2
    assert asked(board, "acme")["latency"] == {"finals": 6, "p50_ms": 300, "p95_ms": 900}


def test_engines_say_how_they_are(board: Board, store: SqlStore) -> None:
    now_s = [0.0]
    breaker = Breaker(clock=lambda: now_s[0])
    health = {"transcription": (breaker.health("azure"),)}
    keep(store, "s_1", "acme")
    assert board.snapshot(None, 24, {}, health)["engines"] == {
        "health": {"transcription": [{"name": "azure", "state": "closed", "failures": 0, "rests_s": 0.0}]},
        "failovers": 1,
        "speech_ms": {"whisper": 3_000, "azure": 2_000},
    }


def test_feedback_is_summed(board: Board, store: SqlStore) -> None:
    keep(store, "s_1", "acme")
    feedback = FeedbackStore(store.engine, lambda: round(1_000 * NOW_S))
    for rating in (5, 2, 2):
        feedback.add("s_1", "acme", None, Rating(part="transcript", rating=rating))
    feedback.add("s_1", "acme", None, Correction(part="transcript", utterance_id="u_1", text="Servus."))
    assert asked(board, "acme")["feedback"] == {
        "ratings": {"1": 0, "2": 2, "3": 0, "4": 0, "5": 1},
        "mean": 3.0,
        "corrections": 1,
    }
    assert asked(board, "other")["feedback"] == {
        "ratings": {"1": 0, "2": 0, "3": 0, "4": 0, "5": 0},
        "mean": None,
        "corrections": 0,
    }


def test_of_nothing_there_is_nothing(board: Board) -> None:
    found = asked(board, None)
    assert (found["sessions"], found["ledger"], found["languages"], found["problems"]) == ([], [], [], [])


def _dicts(found: JsonValue) -> list[dict[str, JsonValue]]:
    assert isinstance(found, list)
    return [each for each in found if isinstance(each, dict)]


def test_books_without_anything_are_nothing(board: Board, store: SqlStore) -> None:
    asyncio.run(store.create(SessionRecord("s_1", round(1_000 * NOW_S), "{}", tenant="acme")))
    (ledger,) = _dicts(asked(board, "acme")["ledger"])
    assert ledger["accepted"] == 0
