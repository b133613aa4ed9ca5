"""Two reports over the same items: what differs, by how much, and whether that may be chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from dragoman.domain.errors import ReportInvalidError
from dragoman.evaluation.figures import CONFIDENCE, draw, interval
from dragoman.evaluation.metrics import completeness, cost, language, meaning, speed, transcription, translation
from dragoman.evaluation.metrics.metric import Counts, Metric
from dragoman.evaluation.report import ItemCounts, Report
from dragoman.evaluation.steps import answer, insight, orders, polish

Outcome = Literal["better", "worse", "unsure"]

_DRAWS: Final = 4_000
"""Enough that the smallest p that can be seen, 0.0005, is significant among a hundred figures."""

_OF_STEPS: Final[Mapping[str, Sequence[Metric]]] = {
    "answer": answer.METRICS,
    "insight": insight.METRICS,
    "orders": orders.METRICS,
    "polish": polish.METRICS,
}


@dataclass(frozen=True, slots=True)
class Difference:
    """How a figure differs between two candidates: ``after`` minus ``before``, and between what, with 95 % confidence.

    ``p`` is the share of draws of the same items, out of both, in which the difference is none or turns round, twice
    (two-sided). ``outcome`` is ``"unsure"`` unless that is less than chance gives among so many figures (Holm).
    """

    metric: Metric
    before: float | None
    after: float | None
    change: float | None
    low: float | None
    high: float | None
    p: float | None
    outcome: Outcome


def compare(before: Report, after: Report) -> list[Difference]:
    """Return how every figure that both have differs.

    Raises:
        ReportInvalidError: if they are not of the same stage and items.
    """
    if before.stage != after.stage:
        raise ReportInvalidError(f"A report of '{before.stage}' and one of '{after.stage}' have nothing to compare.")
    first = {each.item: each for each in before.items}
    second = {each.item: each for each in after.items}
    if first.keys() != second.keys() or before.dataset.version != after.dataset.version:
        raise ReportInvalidError(
            f"The reports are of {before.dataset.name}@{before.dataset.version} ({len(first)} items) and "
            f"{after.dataset.name}@{after.dataset.version} ({len(second)}): evaluate both on the same dataset."
        )
    names = sorted(first)
    draws = draw(len(names), _DRAWS)
    metrics = [each for each in metrics_of(before) if each.name in before.metrics and each.name in after.metrics]
    found = [
        _difference(each, [first[name] for name in names], [second[name] for name in names], draws) for each in metrics
    ]
    return _holm(found)


def metrics_of(report: Report) -> list[Metric]:
    """Return what was measured in a report."""
    if report.stage in _OF_STEPS:
        return list(_OF_STEPS[report.stage])
    targets = [str(target) for target in _listed(report.notes.get("targets"))]
    if report.stage == "translation":
        return [*translation.metrics(targets), *meaning.metrics(targets), *completeness.METRICS]
    spoken = report.confusion.spoken if report.confusion else ()
    return [
        *transcription.METRICS,
        *language.metrics(spoken),
        *translation.metrics(targets),
        *meaning.metrics(targets),
        *speed.METRICS,
        *cost.METRICS,
        *completeness.METRICS,
    ]


def _difference(
    metric: Metric,
    before: Sequence[ItemCounts],
    after: Sequence[ItemCounts],
    draws: np.ndarray[tuple[int, int], np.dtype[np.float64]],
) -> Difference:
    pairs = [(_counts(one).of(metric), _counts(other).of(metric)) for one, other in zip(before, after, strict=True)]
    there = [at for at, (one, other) in enumerate(pairs) if one and other]
    if not there:
        return Difference(metric, None, None, None, None, None, None, "unsure")
    chosen = draws[:, there]
    was = metric.figure.values([one for at in there if (one := pairs[at][0])], chosen)
    now = metric.figure.values([other for at in there if (other := pairs[at][1])], chosen)
    change = now - was
    low, high = interval(change[1:])
    known = change[1:][~np.isnan(change[1:])]
    turned = min((known <= 0).sum(), (known >= 0).sum()) if len(known) else 0
    p = min(1.0, 2 * (turned + 1) / (len(known) + 1)) if len(there) > 1 else None
    return Difference(metric, float(was[0]), float(now[0]), float(change[0]), low, high, p, "unsure")


def _holm(found: list[Difference]) -> list[Difference]:
    """Return the differences with their outcomes: what many figures together would show by chance is none."""
    ranked = sorted((each.p, at) for at, each in enumerate(found) if each.p is not None and each.change)
    outcomes: dict[int, Outcome] = {}
    for rank, (p, at) in enumerate(ranked):
        if p > (1 - CONFIDENCE) / (len(ranked) - rank):
            break
        change, better = found[at].change or 0.0, found[at].metric.better
        outcomes[at] = "better" if (change < 0) == (better == "lower") else "worse"
    return [
        Difference(
            each.metric, each.before, each.after, each.change, each.low, each.high, each.p, outcomes.get(at, "unsure")
        )
        for at, each in enumerate(found)
    ]


def _counts(item: ItemCounts) -> Counts:
    return Counts(item.sums, item.samples)


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []
