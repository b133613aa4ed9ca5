"""Figures by language, noise and the like: every slice beside all, the worst marked, and what is too little greyed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dragoman.evaluation.figures import Better, Estimate
from dragoman.evaluation.layout.groups import Row, row
from dragoman.evaluation.layout.measures import SLICED, Measure, chosen
from dragoman.evaluation.layout.numbers import shown
from dragoman.evaluation.layout.scale import Scale, scale
from dragoman.evaluation.report import Report

FEW_ITEMS: Final = 3
"""Slices of fewer items are greyed: drawing one or two items again says nothing of others."""

_MEASURES: Final = 3
_STEPS: Final = 4
_TITLES: Final = {
    "language": "Language spoken",
    "reader": "Language of the reader",
    "kind": "Kind of case",
    "noise": "Background noise",
    "channel": "Bandwidth",
    "speaker": "Voice",
    "length": "Length of an utterance",
}
_RANKS: Final = {"none": -1, "below": 0, "to": 1, "from": 2}
"""In what order values are told that have one: nothing first, then from short to long."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A figure of a slice."""

    row: Row
    is_few: bool
    is_worst: bool


@dataclass(frozen=True, slots=True)
class SlicePlot:
    """A measure of every slice of a dimension; ``overall`` is that of all items."""

    title: str
    better: Better
    scale: Scale
    overall: str
    overall_at: float | None
    slices: tuple[Slice, ...]


@dataclass(frozen=True, slots=True)
class Dimension:
    """By what figures are told, and how they are then."""

    title: str
    plots: tuple[SlicePlot, ...]


def dimensions(report: Report) -> list[Dimension]:
    """Return the dimensions of which there are several values; a measure has the same scale in all of them."""
    told = {name: values for name, values in report.slices.items() if name != "recording" and len(values) > 1}
    there = {name for values in told.values() for figures in values.values() for name in figures}
    catalog = {name: seen for name, seen in report.catalog.items() if name in there}
    measures = chosen(catalog, SLICED, _MEASURES)
    scales = {each.key: _scale(report, each, list(told)) for each in measures}
    found = []
    for name in told:
        plots = [plot for each in measures if (plot := _plot(report, name, each, scales[each.key]))]
        if plots:
            found.append(Dimension(_TITLES.get(name, name.capitalize()), tuple(plots)))
    return found


def is_few(figure: Estimate) -> bool:
    """Return whether a figure is of too few items to be compared."""
    return figure.items < FEW_ITEMS


def _figures(report: Report, dimension: str, measure: Measure) -> dict[str, Estimate]:
    found = {value: measure.of(figures) for value, figures in report.slices[dimension].items()}
    return {value: found[value] or _nothing() for value in sorted(found, key=_rank)}


def _nothing() -> Estimate:
    return Estimate(value=None, low=None, high=None, n=0, items=0)


def _rank(value: str) -> tuple[int, str]:
    return _RANKS.get(value.partition(" ")[0], 0), value


def _scale(report: Report, measure: Measure, told: Sequence[str]) -> Scale:
    every = [each for name in told for each in _figures(report, name, measure).values()]
    whole = measure.of(report.metrics)
    values = [each.value for each in [*every, whole or _nothing()]]
    sure = [end for each in every if not is_few(each) for end in (each.low, each.high)]
    return scale([*values, *sure], measure.better, measure.unit, _STEPS)


def _plot(report: Report, dimension: str, measure: Measure, along: Scale) -> SlicePlot | None:
    figures = _figures(report, dimension, measure)
    if not any(each.n for each in figures.values()):
        return None
    whole = measure.of(report.metrics) or _nothing()
    worst = _worst(figures, measure)
    return SlicePlot(
        title=measure.title,
        better=measure.better,
        scale=along,
        overall=shown(whole.value, measure.unit),
        overall_at=along.at(whole.value),
        slices=tuple(
            Slice(row(value, figure, measure.unit, along), is_few(figure), value == worst)
            for value, figure in figures.items()
        ),
    )


def _worst(figures: dict[str, Estimate], measure: Measure) -> str | None:
    """Return the worst slice, if there are others of enough items to compare it with, and they are better."""
    known = {name: each.value for name, each in figures.items() if each.value is not None and not is_few(each)}
    if len(set(known.values())) < 2:
        return None
    return (max if measure.better == "lower" else min)(known, key=lambda name: known[name])
