"""Whether a day is unlike the days before it: distances of histograms, and how far apart ordinary days are.

Utterances of one session share a voice and a room, and a Monday is no Sunday: what tests of independent samples call
significant happens every day. So the distance of a day is compared with the distances of the reference's own days, each
to the others, and has to be beyond what sampling gives as well. Pure: histograms in, findings out.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from dragoman.domain.tally import Tally, added
from dragoman.monitoring.tails import chi_square, kolmogorov, student

Test = Literal["ks", "psi"]
Outcome = Literal["drift", "same", "unknown"]
MIXES: Final = frozenset({"languages", "engines"})
"""Figures whose bins have no order: their distance is PSI, and their shares are judged, bin by bin."""

What = tuple[str, ...]
"""A figure and where it is of: ``("confidence", "en-US", "whisper")``."""

Counts = NDArray[np.float64]
"""Counts by bin, shape ``(bins,)``."""

_GROUPS: Final = 10
"""Bins of PSI hold a tenth of the reference each, as in credit scoring, where the index comes from."""

_SMOOTHING: Final = 0.5
"""Added to every bin of PSI, or an empty one would be infinitely far away."""


@dataclass(frozen=True, slots=True)
class DriftRules:
    """When a day is unlike others.

    ``alpha`` is the probability that any finding of a day without drift is one (Holm, over all of that day). A
    difference that is sure but smaller than ``least_ks`` or ``least_psi`` is none. Days with less than ``least_n``
    values, and references with less than ``least_days`` of them, tell nothing.
    """

    test: Test = "psi"
    alpha: float = 0.01
    least_ks: float = 0.1
    least_psi: float = 0.1
    least_n: int = 100
    least_days: int = 7


DEFAULT_RULES: Final = DriftRules()


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one figure, in one place: ``what`` names both.

    ``distance`` is the greatest between the cumulated shares (KS, 0 to 1) or the stability index (PSI, from 0), and
    ``usual`` that of an ordinary day. ``p`` is how often an ordinary day is so far away.
    """

    what: What
    test: Test
    outcome: Outcome
    n: int
    days: int
    distance: float | None = None
    usual: float | None = None
    p: float | None = None
    before: float | None = None
    after: float | None = None


def ks(one: Counts, other: Counts) -> float:
    """Return the Kolmogorov-Smirnov distance of two histograms over the same bins."""
    return float(np.abs(_shares(one) - _shares(other)).max())


def psi(one: Counts, other: Counts) -> float:
    """Return the population stability index of two histograms over the same bins."""
    p = (one + _SMOOTHING) / (one.sum() + _SMOOTHING * len(one))
    q = (other + _SMOOTHING) / (other.sum() + _SMOOTHING * len(other))
    return float(((p - q) * np.log(p / q)).sum())


def quantile_groups(reference: Counts, groups: int = _GROUPS) -> NDArray[np.int64]:
    """Return for every bin which of at most ``groups`` it belongs to, so that each holds about as much."""
    before = np.concatenate([[0.0], reference.cumsum()[:-1]]) / reference.sum()
    _, numbers = np.unique(np.minimum((before * groups).astype(np.int64), groups - 1), return_inverse=True)
    return numbers.astype(np.int64)


def ks_p(distance: float, size: float) -> float:
    """Return how often two samples of the same are so far apart; ``size`` is n·m/(n+m) of their sizes n and m."""
    return kolmogorov(distance * math.sqrt(size))


def overdispersion(days: Sequence[Counts], sizes: Sequence[float]) -> float:
    """Return how much more the shares of days vary than those of independent samples would, at least 1.

    That is the variance of each day's cumulated shares around those of the other days, by F(1 - F)/size, as a mean over
    the distribution and all days.
    """
    whole = np.sum(days, axis=0)
    shares = _shares(whole)
    weights = whole / whole.sum()
    expected = float((shares * (1 - shares) * weights).sum())
    if expected == 0:
        return 1.0
    seen = [
        size * float(((_shares(day) - _shares(whole - day)) ** 2 * weights).sum())
        for day, size in zip(days, sizes, strict=True)
    ]
    return max(1.0, float(np.mean(seen)) / expected)


def ks_p_of_days(distance: float, size: float, dispersion: float, days: int) -> float:
    """Return how often an ordinary day is so far from the others, if days vary ``dispersion`` times as much as samples.

    The tail of Kolmogorov's distribution, 2·exp(-2x²), is taken over what so many days leave open about their variance,
    as if they told it like a chi-square of twice as many degrees of freedom.
    """
    x, shape = distance * math.sqrt(size / dispersion), days - 1
    return min(1.0, 2 * math.exp(-shape * math.log1p(2 * x * x / shape)))


def psi_p_of_days(distance: float, size: float, usual: Sequence[float], sizes: Sequence[float], freedom: int) -> float:
    """Return how often an ordinary day is so far from the others: their logarithms, as Student's distribution.

    The index of samples is about a chi-square of ``freedom`` by their size. That of days is wider, with a longer tail:
    of the powers and the logarithm that were tried, only the latter holds the false alarms. Days never vary less than
    samples do.
    """
    least = 0.1 * freedom  # less is an accident, and its logarithm would pass for variation
    logs = [math.log(max(each * own, least)) for each, own in zip(usual, sizes, strict=True)]
    spread = max(math.sqrt(2 / freedom), float(np.std(logs, ddof=1)))
    beyond = math.log(max(distance * size, least)) - float(np.mean(logs))
    return student(beyond / (spread * math.sqrt(1 + 1 / len(logs))), len(logs) - 1)


def share_p_of_days(now: Counts, days: Sequence[Counts]) -> float:
    """Return how often an ordinary day has so unusual a share of any category (Bonferroni over them).

    Shares of days are nearly normal, and vary at least as those of samples do.
    """
    shares = np.array([day / day.sum() for day in days])
    whole = np.sum(days, axis=0)
    expected = (whole + 1) / (whole.sum() + 2)  # what was never seen may come once
    of_samples = np.sqrt(expected * (1 - expected) / now.sum())
    spread = np.maximum(shares.std(axis=0, ddof=1), of_samples) * math.sqrt(1 + 1 / len(days))
    beyond = float((np.abs(now / now.sum() - shares.mean(axis=0)) / spread).max())
    return min(1.0, 2 * len(now) * student(beyond, len(days) - 1))


def compare(what: What, today: Tally, days: Sequence[Tally], test: Test, rules: DriftRules) -> Finding:
    """Return how far a day is from the days of a reference; its outcome is ``same`` until ``decided``."""
    counted = [day for day in days if day.n >= rules.least_n]
    if today.n < rules.least_n or len(counted) < rules.least_days:
        return Finding(what, test, "unknown", today.n, len(counted))
    known = added(counted)
    now, *then = _aligned([today, *counted])
    whole = np.sum(then, axis=0)
    if test == "psi" and what[0] not in MIXES:
        groups = quantile_groups(whole)
        now, whole, *then = (_grouped(each, groups) for each in (now, whole, *then))
    measure: Callable[[Counts, Counts], float] = ks if test == "ks" else psi
    sizes = [_size(day.sum(), whole.sum() - day.sum()) for day in then]
    usual = [measure(day, whole - day) for day in then]
    # A day with more values than those of the reference had is not held to what their numbers would give: beyond
    # sampling, days differ, and that does not shrink with their numbers.
    size = _size(now.sum(), whole.sum())
    capped = min(size, median(sizes))
    distance = measure(now, whole)
    if what[0] in MIXES:
        p = share_p_of_days(now, then)
    elif test == "ks":
        p = ks_p_of_days(distance, capped, overdispersion(then, sizes), len(then))
    else:
        freedom = max(1, len(now) - 1)
        p = max(psi_p_of_days(distance, capped, usual, sizes, freedom), chi_square(distance * size, freedom))
    return Finding(
        what,
        test,
        "same",
        today.n,
        len(counted),
        distance,
        median(usual),
        p,
        None if what[0] in MIXES else known.mean,
        None if what[0] in MIXES else today.mean,
    )


def decided(findings: Sequence[Finding], rules: DriftRules) -> list[Finding]:
    """Return the findings of one day with their outcomes (Holm, as of figures in ``evaluation/comparing``)."""
    ranked = sorted((each.p, at) for at, each in enumerate(findings) if each.p is not None)
    sure: set[int] = set()
    for rank, (p, at) in enumerate(ranked):
        if p > rules.alpha / (len(ranked) - rank):
            break
        sure.add(at)
    return [
        replace(each, outcome="drift") if at in sure and _matters(each, rules) else each
        for at, each in enumerate(findings)
    ]


def assess(today: Mapping[What, Tally], days: Sequence[Mapping[What, Tally]], rules: DriftRules) -> list[Finding]:
    """Return what became of every figure of a day; ``days`` are those of the reference."""
    nothing = Tally()
    found = [
        compare(
            what,
            today[what],
            [day.get(what, nothing) for day in days],
            "psi" if what[0] in MIXES else rules.test,
            rules,
        )
        for what in sorted(today)
    ]
    return decided(found, rules)


def _matters(finding: Finding, rules: DriftRules) -> bool:
    return (finding.distance or 0.0) >= (rules.least_ks if finding.test == "ks" else rules.least_psi)


def _size(n: float, m: float) -> float:
    return n * m / (n + m)


def _shares(counts: Counts) -> Counts:
    cumulated: Counts = counts.cumsum() / counts.sum()
    return cumulated


def _grouped(counts: Counts, groups: NDArray[np.int64]) -> Counts:
    return np.bincount(groups, counts).astype(np.float64)


def _aligned(tallies: Sequence[Tally]) -> list[Counts]:
    """Return counts by bin, over the bins that any of them has."""
    bins = sorted({at for each in tallies for at in each.bins})
    return [np.array([each.bins.get(at, 0) for at in bins], dtype=np.float64) for each in tallies]
