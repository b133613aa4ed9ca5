"""Decisions are kept in both kinds of database."""

from collections.abc import Iterator

import pytest

from dragoman.domain.errors import FeedbackUnknownError
from dragoman.store.erasure import ASKED, erase
from dragoman.store.reviews import ReviewStore
from dragoman.store.sql import SqlStore
from tests.reviewing.spoken import corrected, keep, say


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    store = SqlStore.open(url)
    yield store
    store.close()


def test_the_last_decision_stands_and_goes_with_its_session(store: SqlStore) -> None:
    keep(store, "s_1", [("One.", 0.9)])
    said = say(store, "s_1", corrected("Won."))
    reviews = ReviewStore(store.engine, clock_ms=lambda: 7)
    reviews.decide(said, None, "rejected", reason="no")
    decided = reviews.decide(said, "acme", "accepted", actor="anna", text="Wan.")
    assert reviews.all() == reviews.all("acme") == {said: decided}
    assert (decided.state, decided.text, decided.reason, decided.decided_ms) == ("accepted", "Wan.", None, 7)
    assert reviews.all("rival") == {}
    assert next(event.type for event in reviews.events("s_1")) == "transcript.final"
    erase(store.engine, "s_1", ASKED)
    assert reviews.all() == {}


@pytest.mark.parametrize("tenant", [None, "acme", "rival"])
def test_what_is_not_there_is_not_decided(store: SqlStore, tenant: str | None) -> None:
    keep(store, "s_1", [("One.", 0.9)])
    said = "f_0" if tenant != "rival" else say(store, "s_1", corrected("Won."))
    with pytest.raises(FeedbackUnknownError):
        ReviewStore(store.engine).decide(said, tenant, "accepted")
