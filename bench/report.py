"""The shape of the results, and how they look: the same tables on the terminal and in Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import TypeAdapter

Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Table:
    """Figures with their raw precision; units stand in ``columns``."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """A promise, what was measured, and whether it was kept."""

    what: str
    figure: str
    goal: str
    met: bool


@dataclass(frozen=True, slots=True)
class Section:
    """One question: how it was measured, and what came out. ``load`` is the load average when it was done."""

    title: str
    method: str
    tables: tuple[Table, ...]
    claims: tuple[Claim, ...] = ()
    load: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run."""

    started_at: str
    took_s: float
    model: str
    quick: bool
    machine: dict[str, str]
    sections: tuple[Section, ...] = field(default_factory=tuple)


_ADAPTER = TypeAdapter(Report)


def to_json(report: Report) -> str:
    """Return the report as JSON."""
    return _ADAPTER.dump_json(report, indent=2).decode() + "\n"


def from_json(text: str) -> Report:
    """Return the report that ``to_json`` wrote."""
    return _ADAPTER.validate_json(text)


def render(report: Report) -> str:
    """Return the report as Markdown."""
    claims = [claim for section in report.sections for claim in section.claims]
    facts = " · ".join(f"{name} {value}" for name, value in report.machine.items())
    parts = [
        "# Dragoman beside faster-whisper",
        f"{report.started_at}, {report.took_s:.0f} s, model `{report.model}`, int8, one thread per model"
        f"{', quick run: too few clips to judge by' if report.quick else ''}.",
        facts,
        _claims(claims),
        *(render_section(section) for section in report.sections),
    ]
    return "\n\n".join(parts) + "\n"


def render_section(section: Section) -> str:
    """Return one section as Markdown."""
    parts = [f"## {section.title}", section.method]
    parts += [f"**{table.title}**\n\n{_table(table.columns, table.rows)}" for table in section.tables]
    if section.claims:
        parts.append(_claims(section.claims))
    parts.append(f"Load average: {section.load}")
    return "\n\n".join(parts)


def _claims(claims: Sequence[Claim]) -> str:
    rows = [(claim.what, claim.figure, claim.goal, "met" if claim.met else "MISSED") for claim in claims]
    return _table(("Claim", "Measured", "Goal", ""), rows)


def _table(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    lines = [list(columns), *([_text(cell) for cell in row] for row in rows)]
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    shown = [" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    shown.insert(1, " | ".join("-" * width for width in widths))
    return "\n".join(f"| {line} |" for line in shown)


def _text(cell: Cell) -> str:
    if cell is None:
        return "–"
    if isinstance(cell, float):
        return f"{cell:.0f}" if abs(cell) >= 100 else f"{cell:.1f}" if abs(cell) >= 10 else f"{cell:.3f}"
    return str(cell)
