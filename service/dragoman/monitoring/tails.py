"""Tails of three distributions, which SciPy has too: a server need not carry it for these few lines.

``tests/monitoring/test_tails.py`` holds them against SciPy's.
"""

import math
from statistics import NormalDist
from typing import Final

_NORMAL: Final = NormalDist()
_TERMS: Final = 100


def kolmogorov(x: float) -> float:
    """Return P(K > x) of Kolmogorov's distribution: the limit of √n times the greatest distance of two samples."""
    if x <= 0:
        return 1.0
    if x < 1:  # where the series below converges slowly; Jacobi's theta functions turn one into the other
        terms = (math.exp(-((2 * k - 1) ** 2) * math.pi**2 / (8 * x * x)) for k in range(1, _TERMS))
        return min(1.0, max(0.0, 1 - math.sqrt(2 * math.pi) / x * math.fsum(terms)))
    return min(1.0, 2 * math.fsum((-1) ** (k - 1) * math.exp(-2 * k * k * x * x) for k in range(1, _TERMS)))


def student(x: float, freedom: int) -> float:
    """Return P(T > x) of Student's distribution with a whole number of degrees of freedom.

    Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
    """
    angle = math.atan(x / math.sqrt(freedom))
    cos, term, total = math.cos(angle), 1.0, 0.0
    if freedom % 2:
        term = cos
        for k in range(1, (freedom - 1) // 2 + 1):
            total += term
            term *= cos * cos * 2 * k / (2 * k + 1)
        inside = 2 / math.pi * (angle + math.sin(angle) * total)
    else:
        for k in range(1, freedom // 2 + 1):
            total += term
            term *= cos * cos * (2 * k - 1) / (2 * k)
        inside = math.sin(angle) * total
    return min(1.0, max(0.0, (1 - inside) / 2))


def chi_square(x: float, freedom: int) -> float:
    """Return P(X > x) of the chi-square distribution, to about 0.01 (Wilson and Hilferty, 1931)."""
    if x <= 0:
        return 1.0
    spread = 2 / (9 * freedom)
    return 1 - _NORMAL.cdf(((x / freedom) ** (1 / 3) - (1 - spread)) / math.sqrt(spread))
