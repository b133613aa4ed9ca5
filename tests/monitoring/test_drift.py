"""Distances are SciPy's; what every day differs by is no drift, and what is drift is found."""

import numpy as np
import pytest

from bench.drift_days import BINS, Shift, World, counted, day, days
from dragoman.domain.tally import Tally
from dragoman.monitoring.drift import (
    DriftRules,
    What,
    assess,
    compare,
    ks,
    ks_p,
    overdispersion,
    psi,
    quantile_groups,
)

Day = dict[What, Tally]

RULES = DriftRules()
BUSY = World("busy", sessions=60, between_sessions=0.6, between_days=0.1)


def whole_bins(tally: Tally) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([tally.bins.get(at, 0) for at in range(BINS.count)], dtype=np.float64)


@pytest.mark.slow  # what it imports takes seconds
def test_the_distance_and_its_p_are_scipys() -> None:
    from scipy import stats

    random = np.random.default_rng(1)
    for shift in (0.0, 0.2, 1.0):
        # Values at the middles of bins, so that nothing is lost in them.
        one, other = (
            np.floor(random.normal(at, 1, n) * 8).clip(-48, 47) / 8 + 0.06 for at, n in ((0, 700), (shift, 900))
        )
        found = ks(whole_bins(counted(one)), whole_bins(counted(other)))
        theirs = stats.ks_2samp(one, other, method="asymp")
        assert found == pytest.approx(theirs.statistic, abs=1e-12)
        assert ks_p(found, 700 * 900 / 1600) == pytest.approx(theirs.pvalue, abs=0.02)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([50, 50], [50, 50], 0.0),
        ([50, 50], [25, 75], 0.2708),  # 0.25·ln 2 + 0.25·ln 1.5, a little less for the smoothing
        ([0, 100], [100, 0], 10.5),
    ],
)
def test_the_stability_index(one: list[int], other: list[int], expected: float) -> None:
    assert psi(np.array(one, float), np.array(other, float)) == pytest.approx(expected, rel=0.02, abs=1e-9)


def test_groups_of_the_reference_hold_about_as_much() -> None:
    reference = whole_bins(counted(np.random.default_rng(2).normal(0, 1, 20_000)))
    held = np.bincount(quantile_groups(reference), reference)
    assert len(held) == 10
    assert held.min() > 0.05 * reference.sum()
    assert held.max() < 0.17 * reference.sum()
    assert quantile_groups(np.array([990.0, 10.0])).tolist() == [0, 1]


def test_days_of_sessions_vary_more_than_samples_do() -> None:
    random = np.random.default_rng(3)

    def of(world: World) -> float:
        counts = [whole_bins(each) for each in days(world, 28, random)]
        rest = sum(each.sum() for each in counts)
        return overdispersion(counts, [each.sum() * (rest - each.sum()) / rest for each in counts])

    assert of(World("independent")) < 1.5
    # 12 utterances that share 0.6² of their variance: 1 + 12 × 0.36, for a Poisson number of them.
    assert of(World("sessions", between_sessions=0.6)) == pytest.approx(5.3, rel=0.4)


def test_drift_is_found_in_what_drifts_and_nowhere_else() -> None:
    random = np.random.default_rng(4)
    names: list[What] = [(f"figure {number}", "en-US", "whisper") for number in range(6)]
    reference: list[Day] = [{name: day(BUSY, Shift("none"), random) for name in names} for _ in range(28)]
    today: dict[What, Tally] = {name: day(BUSY, Shift("none"), random) for name in names}
    assert {each.outcome for each in assess(today, reference, RULES)} == {"same"}
    today[names[2]] = day(BUSY, Shift("worse", mean=-1.2), random)
    found = {each.what: each for each in assess(today, reference, RULES)}
    assert [what for what, each in found.items() if each.outcome == "drift"] == [names[2]]
    drifted = found[names[2]]
    assert drifted.before is not None
    assert drifted.after is not None
    assert drifted.after < drifted.before - 0.8
    assert (drifted.usual or 1) < (drifted.distance or 0)


def test_a_mix_of_languages_is_judged_by_the_stability_index() -> None:
    random = np.random.default_rng(5)

    def mix(*shares: float) -> Tally:
        counts = random.multinomial(500, shares)
        return Tally(500, 0, {at: int(count) for at, count in enumerate(counts) if count})

    reference: list[Day] = [{("languages",): mix(0.6, 0.3, 0.1)} for _ in range(28)]
    (same,) = assess({("languages",): mix(0.6, 0.3, 0.1)}, reference, RULES)
    (other,) = assess({("languages",): mix(0.2, 0.3, 0.1, 0.4)}, reference, RULES)
    assert (same.test, same.outcome, other.outcome) == ("psi", "same", "drift")


@pytest.mark.parametrize(("n", "number"), [(20, 28), (400, 3)])
def test_little_tells_nothing(n: int, number: int) -> None:
    random = np.random.default_rng(6)
    today = counted(random.normal(3, 1, n))
    found = compare(("x",), today, [counted(random.normal(0, 1, 400)) for _ in range(number)], "ks", RULES)
    assert (found.outcome, found.p) == ("unknown", None)


def test_a_sure_but_small_difference_is_none() -> None:
    random = np.random.default_rng(7)
    reference: list[Day] = [{("x",): counted(random.normal(0, 1, 40_000))} for _ in range(28)]
    (found,) = assess({("x",): counted(random.normal(0.1, 1, 40_000))}, reference, RULES)
    assert (found.p or 0) < 1e-6
    assert found.outcome == "same"
