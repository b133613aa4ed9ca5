"""What was measured, with what and how, as it is told beside the figures."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from pydantic import JsonValue

from dragoman.evaluation.layout.numbers import NONE
from dragoman.evaluation.report import Confusion, Report

_TITLES: Final = {"prices": "Prices", "sacrebleu": "How translations are scored: sacrebleu's signatures"}


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that is known, and its name."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Note:
    """Facts that belong together, under the name that the report gives them."""

    title: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Heat:
    """A cell of the confusion matrix: ``percent`` of its row, and how strong its colour is, in percent."""

    utterances: int
    percent: str
    is_right: bool
    tint: int


@dataclass(frozen=True, slots=True)
class HeatRow:
    """What became of a spoken language."""

    spoken: str
    total: int
    cells: tuple[Heat, ...]


def candidate(report: Report) -> list[Fact]:
    """Return what was measured."""
    return list(_facts(report.candidate))


def machine(report: Report) -> str:
    """Return where it ran, in a line."""
    told = {**report.machine}
    cores = told.pop("cores", None)
    python = told.pop("python", None)
    parts = [*told.values(), *([f"{cores} cores"] if cores else []), *([f"Python {python}"] if python else [])]
    return " · ".join(parts) or NONE


def notes(report: Report) -> list[Note]:
    """Return what else a report says of how it was made."""
    return [
        Note(_TITLES.get(name, _named(name)), tuple(_facts({name: value}, inside=True)))
        for name, value in report.notes.items()
    ]


def heat(confusion: Confusion) -> list[HeatRow]:
    """Return the rows of the confusion matrix; a mistake shows long before it is frequent."""
    return [
        HeatRow(spoken, sum(row), tuple(_cells(spoken, row, confusion.identified)))
        for spoken, row in zip(confusion.spoken, confusion.utterances, strict=True)
    ]


def _cells(spoken: str, row: Sequence[int], identified: Sequence[str]) -> Iterator[Heat]:
    total = sum(row)
    for name, times in zip(identified, row, strict=True):
        share = times / total if total else 0.0
        percent = f"{100 * share:.0f}" if share in (0, 1) else f"{100 * share:.1f}"
        yield Heat(times, percent, name == spoken, round(8 + 32 * share**0.5) if times else 0)


def _facts(values: Mapping[str, JsonValue], *, inside: bool = False) -> Iterator[Fact]:
    """Yield what a mapping says; of mappings in it each entry by itself, under its own name if it is ``inside``."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _facts(value if inside else {f"{name}: {key}": each for key, each in value.items()})
        elif value is not None:
            yield Fact(_named(name), _told(value))


def _named(name: str) -> str:
    told = name.replace("_", " ").replace(" usd ", " US dollars ")
    return told if "/" in told else told[:1].upper() + told[1:]


def _told(value: JsonValue) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(_told, value))
        case dict():
            return ", ".join(chain(f"{key}: {_told(each)}" for key, each in value.items()))
        case _:
            return str(value)
