"""``python -m bench.drift``: how often the drift detectors find what is there, and how often what is not.

Days of made-up figures with shifts of known size, and days of real recordings under other conditions. Every draw is
seeded. Beside ours stand what is usual: two-sample KS over all values as if they were independent, and PSI with its
rules of thumb.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from bench import drift_recordings as recordings
from bench.drift_days import Shift, World, day
from bench.machine import ONE_THREAD, describe, load_average
from dragoman.domain.tally import Tally
from dragoman.monitoring.drift import DriftRules, What, assess, compare, ks_p

FILE: Final = Path(__file__).parent / "results" / "drift.json"
DAYS: Final = 28
FIGURES: Final = 12
"""Figures that are judged on one day, as many as a service in two languages has."""

NOTHING: Final = Shift("none")
WORLDS: Final = (
    World("independent utterances"),
    World("sessions share a voice", between_sessions=0.6),
    World("and days differ", between_sessions=0.6, between_days=0.1),
    World("and days differ, five times the traffic", sessions=200, between_sessions=0.6, between_days=0.1),
    World("and days differ a lot", between_sessions=0.6, between_days=0.25),
)
SHIFTS: Final = (
    *(Shift(f"mean + {size} sd", mean=size) for size in (0.1, 0.2, 0.3, 0.5, 0.8, 1.2)),
    Shift("1.5 times the spread", spread=1.5),
    *(Shift(f"{share:.0%} of sessions 2 sd off", broken=share) for share in (0.1, 0.25)),
)

Detector = Callable[[Tally, Sequence[Tally]], float]
"""Returns how likely an ordinary day is so far away; for a rule of thumb, which has no such number, 0 or 1."""


def ours(test: str) -> Detector:
    """Return ours, what is too small to matter included."""
    rules = DriftRules(test="ks" if test == "ks" else "psi")
    least = rules.least_ks if test == "ks" else rules.least_psi

    def judge(today: Tally, days: Sequence[Tally]) -> float:
        found = compare(("figure",), today, days, rules.test, rules)
        return found.p if found.p is not None and (found.distance or 0.0) >= least else 1.0

    return judge


def plain_ks(today: Tally, days: Sequence[Tally]) -> float:
    """Judge by two-sample KS with its own p, as if utterances were independent."""
    distance = compare(("figure",), today, days, "ks", DriftRules()).distance or 0.0
    before = sum(each.n for each in days)
    return ks_p(distance, today.n * before / (today.n + before))


def thumb(limit: float) -> Detector:
    """Return the rule of thumb for PSI."""

    def judge(today: Tally, days: Sequence[Tally]) -> float:
        return 0.0 if (compare(("figure",), today, days, "psi", DriftRules()).distance or 0.0) > limit else 1.0

    return judge


DETECTORS: Final[Mapping[str, Detector]] = {
    "KS, against ordinary days (ours)": ours("ks"),
    "PSI, against ordinary days (ours)": ours("psi"),
    "KS, as if independent": plain_ks,
    "PSI > 0.1": thumb(0.1),
    "PSI > 0.25": thumb(0.25),
}


def main() -> None:
    """Measure, and write ``results/drift.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--only", choices=("made up", "recordings"))
    options = parser.parse_args()
    for part, work in (("made up", made_up), ("recordings", of_recordings)):
        if options.only in (None, part):
            began = {"date": time.strftime("%Y-%m-%d", time.gmtime()), "load before": load_average(), **describe()}
            found = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
            rules = DriftRules()
            found["rules"] = {"alpha": rules.alpha, "least_ks": rules.least_ks, "least_psi": rules.least_psi}
            found[part] = {"machine": began, "days": DAYS, **work(options.draws), "load after": load_average()}
            FILE.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def made_up(draws: int) -> dict[str, object]:
    """Return false alarms and power of every detector in every world, over figures of known distribution."""
    found: dict[str, object] = {}
    for at, world in enumerate(WORLDS):
        alarms: Counter[str] = Counter()
        hits: dict[str, Counter[str]] = {shift.name: Counter() for shift in SHIFTS}
        random = np.random.default_rng([7, at])
        for _ in range(draws):
            days = [[day(world, NOTHING, random) for _ in range(DAYS)] for _ in range(FIGURES)]
            today = [day(world, NOTHING, random) for _ in range(FIGURES)]
            shifted = {shift.name: day(world, shift, random) for shift in SHIFTS}
            for name, detector in DETECTORS.items():
                # Holm's first step decides whether there is any finding at all.
                least = DriftRules().alpha / FIGURES
                alarms[name] += min(map(detector, today, days)) <= least
                for shift, tally in shifted.items():  # of one figure, while the others are as ever
                    hits[shift][name] += detector(tally, days[0]) <= least
        found[world.name] = {
            "days with a false alarm": {name: alarms[name] / draws for name in DETECTORS},
            "power": {shift: {name: number[name] / draws for name in DETECTORS} for shift, number in hits.items()},
        }
        print(json.dumps({world.name: found[world.name]}, indent=1), flush=True)
    return {"draws": draws, "worlds": found}


def of_recordings(draws: int) -> dict[str, object]:
    """Return the same for real recordings; what is common among them differs between days."""
    pools = {condition.name: recordings.heard(condition) for condition in recordings.CONDITIONS}
    clean, calendar = pools["as it is"], recordings.Calendar()
    random = np.random.default_rng(11)
    cases: dict[str, Callable[[], dict[What, Tally]]] = {"nothing": lambda: recordings.day(clean, calendar, random)}
    for name, pool in list(pools.items())[1:]:
        for share in (0.25, 1.0):
            cases[f"{name}, {share:.0%} of sessions"] = lambda pool=pool, share=share: recordings.mixed(  # type: ignore[misc]
                clean, pool, share, calendar, random
            )
    for share in (0.3, 0.6):
        cases[f"English instead, {share:.0%} of sessions"] = lambda share=share: recordings.day(  # type: ignore[misc]
            clean, calendar, random, share
        )
    noticed, figures = Counter[str](), {name: Counter[str]() for name in cases}
    for draw in range(draws):
        days = [recordings.day(clean, calendar, random) for _ in range(DAYS)]
        for name, make in cases.items():
            drifted = [each.what for each in assess(make(), days, DriftRules()) if each.outcome == "drift"]
            noticed[name] += bool(drifted)
            figures[name].update({what[0] for what in drifted})
        print(draw + 1, dict(noticed), flush=True)
    found = {
        name: {
            "noticed": noticed[name] / draws,
            "by": {figure: number / draws for figure, number in figures[name].most_common(6)},
        }
        for name in cases
    }
    means = {name: _means(pool) for name, pool in pools.items()}
    return {
        "draws": draws,
        "sessions a day": calendar.sessions,
        "recordings": len(clean),
        "cases": found,
        "means": means,
    }


def _means(pool: Mapping[str, recordings.Session]) -> dict[str, float]:
    """Return the mean of every figure over all recordings, so that one sees what the conditions do."""
    sums: dict[str, Tally] = {}
    for session in pool.values():
        for cell, tally in session.items():
            sums[cell.signal] = sums.get(cell.signal, Tally()) + tally
    return {name: round(tally.mean, 4) for name, tally in sorted(sums.items()) if tally.mean is not None}


if __name__ == "__main__":
    import os

    os.environ |= ONE_THREAD
    main()
