"""Tails agree with SciPy's."""

import pytest
from scipy import stats

from dragoman.monitoring.tails import chi_square, kolmogorov, student

pytestmark = pytest.mark.slow  # what it imports takes seconds

POINTS = (0.05, 0.2, 0.5, 0.828, 1.0, 1.358, 1.95, 3.0, 6.0)


@pytest.mark.parametrize("x", POINTS)
def test_kolmogorov(x: float) -> None:
    assert kolmogorov(x) == pytest.approx(stats.kstwobign.sf(x), abs=1e-12)


@pytest.mark.parametrize("freedom", [1, 2, 3, 6, 13, 27, 90])
def test_student(freedom: int) -> None:
    for x in (*POINTS, *(-each for each in POINTS)):
        assert student(x, freedom) == pytest.approx(stats.t.sf(x, freedom), rel=1e-9, abs=1e-14)


@pytest.mark.parametrize("freedom", [1, 4, 9, 20])
def test_chi_square_roughly(freedom: int) -> None:
    for p in (0.5, 0.1, 0.01, 0.001):
        assert chi_square(stats.chi2.isf(p, freedom), freedom) == pytest.approx(p, rel=0.3, abs=0.01)


def test_nothing_is_beyond_nothing() -> None:
    assert kolmogorov(0) == chi_square(0, 3) == 1.0
