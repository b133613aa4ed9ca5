"""What a step decided about safety is in the trail when its insight is there, and says no word of it."""

import asyncio
import json
from collections.abc import Iterator

import pytest

from dragoman.domain.errors import StoreConflictError
from dragoman.domain.events import InsightReady
from dragoman.domain.insight import Claim
from dragoman.store.audit import AuditTrail
from dragoman.store.ports import Books, SessionRecord
from dragoman.store.sql import SqlStore
from tests.reviewing.spoken import INSIGHT
from tests.store.said import final


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    store = SqlStore.open(url)
    asyncio.run(store.create(SessionRecord("s_1", 1, "{}", tenant="acme")))
    yield store
    store.close()


def ready(seq: int, *, is_final: bool = True) -> InsightReady:
    judged = INSIGHT.model_copy(
        update={
            "summary": (Claim(text="A secret.", utterance_ids=("u_1",)),),
            "withheld": ("u_2", "u_3"),
            "dropped": 4,
            "blocked": ("hate", "violence"),
        }
    )
    return InsightReady(session_id="s_1", seq=seq, is_final=is_final, insight=judged)


def test_decisions_are_numbers_and_kinds(store: SqlStore) -> None:
    asyncio.run(store.commit("s_1", [final(1, "u_1"), ready(2, is_final=False), ready(3)], Books(1)))
    (entry,) = AuditTrail(store.engine).entries()
    assert (entry.tenant, entry.action, entry.resource) == ("acme", "safety.insight", "s_1")
    assert json.loads(entry.details) == {
        "withheld": 2,
        "dropped": 4,
        "blocked": "hate,violence",
        "prompt": "1",
        "engine": "extractive",
        "model": None,
    }
    assert AuditTrail(store.engine).first_broken() is None


def test_what_was_not_committed_was_not_decided(store: SqlStore) -> None:
    with pytest.raises(StoreConflictError):
        asyncio.run(store.commit("s_1", [ready(7)], Books(1)))
    assert list(AuditTrail(store.engine).entries()) == []
