"""Every item by itself, the worst first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dragoman.evaluation.figures import Estimate
from dragoman.evaluation.layout.measures import SLICED, Measure, chosen
from dragoman.evaluation.layout.numbers import NONE, count, shown
from dragoman.evaluation.report import ItemCounts, Report

_MEASURES: Final = 3
MOST: Final = 300
"""More rows than this nobody reads, and they would make the page large."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What is shown, and by what it is sorted; nothing has no number and is sorted last."""

    text: str
    number: float | None


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One item; ``failure`` is why it is not complete."""

    item: str
    failure: str | None
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class ItemTable:
    """The worst items; ``left_out`` says how many others there are."""

    columns: tuple[str, ...]
    rows: tuple[ItemRow, ...]
    left_out: int


def item_table(report: Report) -> ItemTable | None:
    """Return the table; ``None`` if nothing is told by item."""
    figures = report.slices.get("recording", {})
    there = {name for each in figures.values() for name in each}
    measures = chosen({name: seen for name, seen in report.catalog.items() if name in there}, SLICED, _MEASURES)
    has_words = any(sum(_words(each)) for each in report.items)
    columns = (*(("Errors", "Words") if has_words else ()), *(each.title for each in measures))
    if not columns:
        return None
    rows = [_row(each, figures.get(each.item, {}), measures, has_words=has_words) for each in report.items]
    rows.sort(key=_badness)
    return ItemTable(columns, tuple(rows[:MOST]), max(0, len(rows) - MOST))


def _words(item: ItemCounts) -> tuple[float, float]:
    """Return the errors of an item, and how many words were said in it."""
    counted = item.sums.get("words", ())
    return (counted[0], counted[1]) if len(counted) == 2 else (0.0, 0.0)


def _row(item: ItemCounts, figures: Mapping[str, Estimate], measures: list[Measure], *, has_words: bool) -> ItemRow:
    errors, words = _words(item)
    cells = [Cell(count(round(each)), each) for each in (errors, words)] if "words" in item.sums else [_NONE, _NONE]
    return ItemRow(
        item.item, item.failure, (*(cells if has_words else ()), *(_cell(each, figures) for each in measures))
    )


_NONE: Final = Cell(NONE, None)


def _cell(measure: Measure, figures: Mapping[str, Estimate]) -> Cell:
    figure = measure.of(figures)
    return Cell(shown(figure.value, measure.unit), figure.value) if figure else _NONE


def _badness(row: ItemRow) -> tuple[bool, float, str]:
    first = row.cells[0].number
    return row.failure is None, -1.0 if first is None else -first - 1.0, row.item
