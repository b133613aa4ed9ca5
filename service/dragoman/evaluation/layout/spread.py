"""How times are spread: a histogram with its percentiles, from the samples of all items."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from dragoman.evaluation.layout.numbers import count, shown
from dragoman.evaluation.layout.scale import Scale, scale
from dragoman.evaluation.report import Report

_BARS: Final = 32
_STEPS: Final = 6
_FEW: Final = 100
"""Below this a 99th percentile is hardly more than the largest sample."""
_TAIL: Final = 2.5
"""How many times beyond its 95th percentile a histogram does not follow the last samples."""


@dataclass(frozen=True, slots=True)
class Bar:
    """How many samples are in a stretch; positions are in percent of width and height."""

    at: float
    width: float
    height: float
    title: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A percentile; ``is_right`` says that there is no room for its name beyond it."""

    at: float
    name: str
    value: str
    is_right: bool


@dataclass(frozen=True, slots=True)
class Spread:
    """A histogram; ``beyond`` says how many samples are not on it."""

    title: str
    observed: str
    scale: Scale
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    beyond: int
    largest: str


def spreads(report: Report) -> list[Spread]:
    """Return a histogram for every kind of samples, which are times."""
    names = dict.fromkeys(name for item in report.items for name in item.samples)
    return [each for name in names for each in _spread(report, name)]


def percentile(ordered: Sequence[float], percent: int) -> float:
    """Return the smallest sample that so many do not exceed, as the figures do."""
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]


def _spread(report: Report, name: str) -> Iterator[Spread]:
    ordered = sorted(value for item in report.items for value in item.samples.get(name, ()) if math.isfinite(value))
    if not ordered:
        return
    p95, largest = percentile(ordered, 95), ordered[-1]
    end = largest if largest <= _TAIL * p95 else 1.5 * p95
    along = scale([end], "lower", "ms", _STEPS)
    percents = (50, 95, 99) if len(ordered) >= _FEW else (50, 95)
    yield Spread(
        title=_title(report, name),
        observed=count(len(ordered)),
        scale=along,
        bars=tuple(_bars(ordered, along)),
        marks=tuple(_mark(ordered, percent, along) for percent in percents),
        beyond=sum(each > along.high for each in ordered),
        largest=shown(largest, "ms"),
    )


def _title(report: Report, name: str) -> str:
    told = (seen.title for metric, seen in report.catalog.items() if metric.startswith(f"{name}_p"))
    return next(told, name.replace("_", " ")).rpartition(", p")[0] or name.replace("_", " ")


def _bars(ordered: Sequence[float], along: Scale) -> Iterator[Bar]:
    per_tick = max(1, round(_BARS / (len(along.ticks) - 1)))
    number = per_tick * (len(along.ticks) - 1)
    width = (along.high - along.low) / number
    counted = [0] * number
    for each in ordered:
        if each <= along.high:
            counted[min(number - 1, int((each - along.low) / width))] += 1
    most = max(counted) or 1
    for at, times in enumerate(counted):
        if times:
            ends = f"{shown(along.low + at * width, 'ms')} to {shown(along.low + (at + 1) * width, 'ms')}"
            share = round(100 * times / most, 2)
            yield Bar(round(100 * at / number, 3), round(100 / number, 3), share, f"{ends}: {times}")


def _mark(ordered: Sequence[float], percent: int, along: Scale) -> Mark:
    value = percentile(ordered, percent)
    at = along.at(value) or 0.0
    return Mark(at, f"p{percent}", shown(value, "ms"), is_right=at > 75)
