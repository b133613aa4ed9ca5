"""The figures of a report, group by group, beside each other on the scales that they share."""

from collections.abc import Sequence
from dataclasses import dataclass

from dragoman.evaluation.figures import Better, Estimate
from dragoman.evaluation.layout.measures import family
from dragoman.evaluation.layout.numbers import count, interval, shown
from dragoman.evaluation.layout.scale import Scale, scale
from dragoman.evaluation.metrics.metric import Unit
from dragoman.evaluation.report import Report


@dataclass(frozen=True, slots=True)
class Row:
    """A figure in words and, in percent of its scale's width, where it lies."""

    title: str
    value: str
    interval: str
    observed: str
    items: int
    at: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Panel:
    """Figures that share a scale."""

    scale: Scale
    better: Better
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """What belongs together; ``anchor`` is its name in links."""

    title: str
    anchor: str
    panels: tuple[Panel, ...]


def groups(report: Report) -> list[Group]:
    """Return the groups in the order of the catalog; every metric of it is in one."""
    by_group: dict[str, list[str]] = {}
    for name, seen in report.catalog.items():
        by_group.setdefault(seen.group, []).append(name)
    return [
        Group(title, f"group-{number}", _panels(report, names))
        for number, (title, names) in enumerate(by_group.items(), 1)
    ]


def row(title: str, figure: Estimate | None, unit: Unit, along: Scale) -> Row:
    """Return a figure as it is shown on a scale."""
    figure = figure or Estimate(value=None, low=None, high=None, n=0, items=0)
    return Row(
        title=title,
        value=shown(figure.value, unit),
        interval=interval(figure, unit),
        observed=count(figure.n),
        items=figure.items,
        at=along.at(figure.value),
        low=along.at(figure.low),
        high=along.at(figure.high),
    )


def _panels(report: Report, names: Sequence[str]) -> tuple[Panel, ...]:
    shared: dict[tuple[Unit, Better], list[str]] = {}
    for name in names:
        seen = report.catalog[name]
        shared.setdefault((seen.unit, seen.better), []).append(name)
    return tuple(_panel(report, unit, better, each) for (unit, better), each in shared.items())


def _panel(report: Report, unit: Unit, better: Better, names: Sequence[str]) -> Panel:
    families = list(dict.fromkeys(map(family, names)))
    ordered = sorted(names, key=lambda name: families.index(family(name)))
    found = [report.metrics.get(name) for name in ordered]
    along = scale([value for each in found if each for value in (each.value, each.low, each.high)], better, unit)
    rows = [row(report.catalog[name].title, figure, unit, along) for name, figure in zip(ordered, found, strict=True)]
    return Panel(along, better, tuple(rows))
