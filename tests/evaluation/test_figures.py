"""Figures are those of the items, and their intervals those of a bootstrap over items."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.evaluation.figures import Percentile, draw, estimate, ratio

times = st.lists(st.lists(st.floats(0, 10_000), min_size=1, max_size=20), min_size=1, max_size=12)


@given(times, st.sampled_from([1, 25, 50, 90, 95, 99, 100]))
def test_a_percentile_is_that_of_all_observations(items: list[list[float]], percent: float) -> None:
    found = estimate(Percentile(percent), items, draw(len(items)))
    flat = [each for item in items for each in item]
    expected = np.percentile(flat, percent, method="inverted_cdf")
    assert found.value == pytest.approx(expected, abs=1e-5)
    assert (found.n, found.items) == (len(flat), len(items))


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 50)), min_size=2, max_size=30))
def test_a_ratio_is_that_of_the_sums_and_lies_in_its_interval(items: list[tuple[int, int]]) -> None:
    found = estimate(ratio(), [(float(errors), float(words)) for errors, words in items], draw(len(items)))
    assert found.value == pytest.approx(sum(e for e, _ in items) / sum(w for _, w in items), abs=1e-5)
    assert found.low is not None
    assert found.high is not None
    rates = [errors / words for errors, words in items]
    assert min(rates) - 1e-5 <= found.low <= found.high <= max(rates) + 1e-5


def test_the_interval_has_the_width_of_theory() -> None:
    random = np.random.default_rng(1)
    items = [(float(random.binomial(100, 0.1)), 100.0) for _ in range(400)]
    found = estimate(ratio(), items, draw(len(items)))
    assert found.low is not None
    assert found.high is not None
    assert found.high - found.low == pytest.approx(2 * 1.96 * (0.1 * 0.9 / 40_000) ** 0.5, rel=0.15)


def test_it_is_the_same_every_time() -> None:
    items = [(1.0, 10.0), (3.0, 20.0), (0.0, 5.0)]
    assert estimate(ratio(), items, draw(3)) == estimate(ratio(), items, draw(3))


def test_items_with_nothing_are_no_items() -> None:
    found = estimate(ratio(), [None, (1.0, 4.0), None], draw(3))
    assert (found.value, found.low, found.high, found.n, found.items) == (0.25, None, None, 4, 1)
    nothing = estimate(ratio(), [None, None], draw(2))
    assert (nothing.value, nothing.n) == (None, 0)
    assert estimate(ratio(), [(0.0, 0.0), (0.0, 0.0)], draw(2)).value is None


def test_no_items_have_no_figure() -> None:
    assert estimate(Percentile(50), [], draw(0)).value is None
