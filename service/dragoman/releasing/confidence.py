"""How sure a share is, however often one looks: bounds that hold at all times at once.

A rollout looks every half minute, and stops at the first bad look; ordinary intervals, looked at so often, would cry
wolf many times more often than they say. These come from a mixture of likelihoods, a martingale under the true share,
and Ville's inequality: Robbins, "Statistical methods related to the law of the iterated logarithm", Annals of
Mathematical Statistics 41 (1970); Howard et al., "Time-uniform, nonparametric, nonasymptotic confidence sequences",
Annals of Statistics 49 (2021).
"""

import math
from collections.abc import Callable
from typing import Final

_A: Final = 0.5
_B: Final = 10.0
"""The mixture: a beta distribution that expects few bad requests. It may be any; this one is tight where few are."""

_STEPS: Final = 60


def bounds(bad: float, total: float, error: float) -> tuple[float, float]:
    """Return between what a share lies, of which ``bad`` of ``total`` were seen.

    At no time ever, over all looks together, is the true share outside with more than the probability ``error``.
    """
    if total <= 0:
        return 0.0, 1.0
    mixed = _log_beta(_A + bad, _B + total - bad) - _log_beta(_A, _B)
    most = -math.log(error)

    def is_possible(share: float) -> bool:
        return mixed - _log_likelihood(share, bad, total) < most

    seen = bad / total
    return _edge(is_possible, seen, 0.0), _edge(is_possible, seen, 1.0)


def _edge(is_possible: Callable[[float], bool], inside: float, outside: float) -> float:
    """Return where what is possible ends, between what was seen and an end; the likelihood falls on the way."""
    if is_possible(outside):
        return outside
    for _ in range(_STEPS):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if is_possible(middle) else (inside, middle)
    return outside


def _log_likelihood(share: float, bad: float, total: float) -> float:
    good = total - bad
    if (share <= 0 and bad > 0) or (share >= 1 and good > 0):
        return -math.inf
    return (bad * math.log(share) if bad else 0.0) + (good * math.log1p(-share) if good else 0.0)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
