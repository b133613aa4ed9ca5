"""A metric names a figure; counts are what it is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from dragoman.evaluation.figures import Better, Figure, Percentile, ratio

Unit = Literal["share", "score", "ms", "ratio", "usd", "number"]
"""``share`` is of 1 and shown in percent, ``score`` is of 100."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure of the counts that are called ``counts``, and which way is better."""

    name: str
    title: str
    group: str
    better: Better
    unit: Unit
    counts: str
    figure: Figure


def share(name: str, title: str, group: str, better: Better, counts: str | None = None) -> Metric:
    """Return the metric of counts ``(so many, of all)``."""
    return Metric(name, title, group, better, "share", counts or name, ratio())


def percentiles(counts: str, title: str, group: str, percents: Sequence[int]) -> tuple[Metric, ...]:
    """Return the metrics of a time that should be short."""
    return tuple(
        Metric(f"{counts}_p{each}", f"{title}, p{each}", group, "lower", "ms", counts, Percentile(each))
        for each in percents
    )


@dataclass(frozen=True, slots=True)
class Counts:
    """What was counted in a recording, a stretch of it or a case, by name: ``sums`` add up, ``samples`` are kept."""

    sums: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    samples: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def of(self, metric: Metric) -> tuple[float, ...] | None:
        """Return what a metric is made of, if it was counted."""
        found = self.sums.get(metric.counts)
        return self.samples.get(metric.counts) if found is None else found
