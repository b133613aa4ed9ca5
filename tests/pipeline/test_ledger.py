import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.domain.audio import Span
from dragoman.domain.errors import EngineFailedError
from dragoman.pipeline.ledger import Ledger


def accepted(samples: int) -> Ledger:
    ledger = Ledger()
    ledger.accept(samples)
    return ledger


def test_the_books_of_a_good_session() -> None:
    ledger = accepted(1_000)
    ledger.settle(Span(0, 300), has_text=False)
    ledger.settle(Span(300, 1_000), has_text=True)
    totals = ledger.totals()
    assert (totals.accepted_samples, totals.final_samples, totals.text_samples) == (1_000, 1_000, 700)
    assert (totals.lost_samples, totals.discarded_samples) == (0, 0)


def test_what_nobody_settled_is_lost_and_named() -> None:
    ledger = accepted(1_000)
    ledger.settle(Span(0, 300), has_text=True)
    assert ledger.lose_rest() == Span(300, 1_000)
    assert ledger.totals().lost_samples == 700


def test_nothing_open_is_nothing_lost() -> None:
    ledger = accepted(10)
    ledger.settle(Span(0, 10), has_text=False)
    assert ledger.lose_rest() is None


def test_what_was_not_wanted_is_discarded() -> None:
    ledger = accepted(1_000)
    ledger.discard_rest()
    assert ledger.totals().discarded_samples == 1_000


@pytest.mark.parametrize("span", [Span(99, 200), Span(101, 200), Span(100, 1_001), Span(0, 100)])
def test_gaps_overlaps_and_the_future_are_refused(span: Span) -> None:
    ledger = accepted(1_000)
    ledger.settle(Span(0, 100), has_text=True)
    with pytest.raises(EngineFailedError, match="defect of the engine"):
        ledger.settle(span, has_text=True)


def test_open_books_do_not_close() -> None:
    with pytest.raises(AssertionError, match="balance"):
        accepted(1).totals()


@given(st.lists(st.tuples(st.integers(0, 1_000), st.booleans())), st.integers(0, 1_000), st.booleans())
def test_the_books_always_balance(stretches: list[tuple[int, bool]], rest: int, lose: bool) -> None:
    ledger = Ledger()
    at = 0
    for samples, has_text in stretches:
        ledger.accept(samples)
        ledger.settle(Span(at, at + samples), has_text=has_text)
        at += samples
    ledger.accept(rest)
    if lose:
        ledger.lose_rest()
    else:
        ledger.discard_rest()
    totals = ledger.totals()
    assert totals.accepted_samples == totals.final_samples + totals.lost_samples + totals.discarded_samples == at + rest
