"""What people say waits in the order in which it matters, is decided by a person, and is a tenant's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dragoman.domain.errors import FeedbackInvalidError, FeedbackUnknownError
from dragoman.domain.feedback import Correction, Rating
from dragoman.reviewing.entries import changes
from dragoman.reviewing.queue import ReviewQueue
from dragoman.store.audit import AuditTrail
from dragoman.store.erasure import ASKED, erase
from dragoman.store.reviews import ReviewStore
from dragoman.store.sql import SqlStore
from tests.reviewing.spoken import corrected, keep, say


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    store = SqlStore.open(f"sqlite:///{tmp_path / 'dragoman.db'}")
    yield store
    store.close()


def queue(store: SqlStore, tenant: str | None = None) -> ReviewQueue:
    return ReviewQueue(store.engine, tenant)


def order(store: SqlStore) -> list[str]:
    return [entry.record.feedback_id for entry in queue(store).entries()]


def test_the_least_sure_is_looked_at_first(store: SqlStore) -> None:
    keep(store, "s_1", [("One.", 0.9), ("Two.", 0.2), ("Three.", None)])
    sure, unsure, unknown = (say(store, "s_1", corrected("Else.", f"u_{number}")) for number in (1, 2, 3))
    assert order(store) == [unsure, unknown, sure]


def test_what_was_rated_badly_matters_more(store: SqlStore) -> None:
    keep(store, "s_1", [("One.", 0.9), ("Two.", 0.9)])
    plain, disliked = (say(store, "s_1", corrected(f"Else {number}.", f"u_{number}")) for number in (1, 2))
    say(store, "s_1", Rating(part="transcript", utterance_id="u_1", rating=5))
    bad = say(store, "s_1", Rating(part="transcript", utterance_id="u_2", rating=1))
    assert order(store) == [disliked, bad, plain]
    assert queue(store).one(disliked).impact.dislike == 1.0
    assert queue(store).one(plain).impact.dislike == 0.0


def test_what_many_say_matters_more(store: SqlStore) -> None:
    keep(store, "s_1", [("Call Shivon now.", 0.9), ("Shivon is out.", 0.9), ("It rains.", 0.9)])
    many = [say(store, "s_1", corrected(text, f"u_{number}")) for number, text in
            enumerate(("Call Siobhan now.", "Siobhan is out."), 1)]  # fmt: skip
    once = say(store, "s_1", corrected("It trains.", "u_3"))
    found = {entry.record.feedback_id: entry.impact for entry in queue(store).entries()}
    assert order(store)[-1] == once
    assert [found[each].alike for each in many] == [2, 2]
    queue(store).reject(many[0], None, "no")
    assert queue(store).one(many[1]).impact.alike == 1  # what was decided waits no more


def test_the_latest_correction_of_a_text_holds_and_praise_asks_for_nothing(store: SqlStore) -> None:
    keep(store, "s_1", [("One.", 0.9)])
    first = say(store, "s_1", corrected("Once."))
    latest = say(store, "s_1", corrected("Won."))
    praise = say(store, "s_1", Rating(part="transcript", rating=4))
    assert order(store) == [latest]
    for gone in (first, praise, "f_0"):
        with pytest.raises(FeedbackUnknownError, match="dragoman feedback list"):
            queue(store).accept(gone, None)


def test_a_decision_stands_until_another_and_both_are_in_the_trail_without_the_text(store: SqlStore) -> None:
    keep(store, "s_1", [("One secret.", 0.9)])
    said = say(store, "s_1", corrected("Two secrets."))
    queue(store).accept(said, "anna")
    assert (queue(store).one(said).state, queue(store).one(said).text) == ("accepted", "Two secrets.")
    queue(store).accept(said, "anna", "Three secrets.")
    assert queue(store).one(said).text == "Three secrets."
    queue(store).reject(said, "bert", "He said secret twice.")
    review = queue(store).one(said).review
    assert review is not None
    assert (review.state, review.reason, review.actor) == ("rejected", "He said secret twice.", "bert")
    noted = [entry for entry in AuditTrail(store.engine).entries() if entry.action.startswith("feedback.")]
    assert [(entry.actor, entry.action) for entry in noted] == [
        ("anna", "feedback.accept"),
        ("anna", "feedback.accept"),
        ("bert", "feedback.reject"),
    ]
    assert not any("secret" in entry.details for entry in noted)


def test_a_rating_becomes_a_correction_by_a_reviewer(store: SqlStore) -> None:
    keep(store, "s_1", [("One.", 0.9)])
    rating = say(store, "s_1", Rating(part="transcript", utterance_id="u_1", rating=2))
    whole = say(store, "s_1", Rating(part="transcript", rating=1))
    with pytest.raises(FeedbackInvalidError, match="--text"):
        queue(store).accept(rating, None)
    queue(store).accept(rating, None, "Won.")
    assert queue(store).one(rating).text == "Won."
    with pytest.raises(FeedbackInvalidError, match="whole session"):
        queue(store).accept(whole, None, "Won.")


def test_a_tenant_sees_and_decides_its_own_only(store: SqlStore) -> None:
    keep(store, "s_1", [("One.", 0.9)], tenant="acme")
    keep(store, "s_2", [("Two.", 0.9)], tenant="rival")
    ours, theirs = say(store, "s_1", corrected("Won.")), say(store, "s_2", corrected("Too."), tenant="rival")
    assert [entry.record.feedback_id for entry in queue(store, "acme").entries()] == [ours]
    with pytest.raises(FeedbackUnknownError):
        queue(store, "acme").accept(theirs, None)
    with pytest.raises(FeedbackUnknownError):
        ReviewStore(store.engine).decide(theirs, "acme", "accepted")
    queue(store, "rival").reject(theirs, None, "no")
    assert [queue(store).one(each).state for each in (ours, theirs)] == ["open", "rejected"]
    assert set(ReviewStore(store.engine).all("acme")) == set()


def test_decisions_go_with_their_session(store: SqlStore) -> None:
    keep(store, "s_1", [("One.", 0.9)])
    said = say(store, "s_1", corrected("Won."))
    queue(store).accept(said, None, "A secret.")
    erase(store.engine, "s_1", ASKED)
    assert ReviewStore(store.engine).all() == {}
    assert queue(store).entries() == []


def test_each_part_is_shown_with_what_it_says_now(store: SqlStore) -> None:
    keep(store, "s_1", [("One.", 0.9), ("Two.", 0.9)])
    heard = say(store, "s_1", corrected("Too.", "u_2", locale="en-GB"))
    meant = say(store, "s_1", Correction(part="translation", target="de", utterance_id="u_2", text="Zwei."))
    follows = say(store, "s_1", Correction(part="insight", text="One, two."))
    found = {entry.record.feedback_id: entry for entry in queue(store).entries()}
    assert [found[each].was for each in (heard, meant, follows)] == ["Two.", "Etwas.", "Somebody speaks of a parcel."]
    assert [each.text for each in found[heard].before] == ["One."]
    assert (found[heard].locale, found[meant].locale) == ("en-GB", "en-US")


@pytest.mark.parametrize(
    ("was", "now", "expected"),
    [
        ("Call Shivon now.", "Call Siobhan now!", [("Shivon", "Siobhan")]),
        ("It is is late.", "It is late.", [("is", "")]),
        ("Hello.", "hello", []),
        ("a b c", "a x y c", [("b", "x y")]),
    ],
)
def test_changes_are_runs_of_words(was: str, now: str, expected: list[tuple[str, str]]) -> None:
    assert changes(was, now) == expected
