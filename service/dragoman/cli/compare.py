"""``dragoman compare``: what differs between two evaluations, and whether that may be chance."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dragoman.evaluation.comparing import Difference

_STYLES: Final = {"better": "green", "worse": "red", "unsure": "dim"}


@click.command()
@click.argument("before", type=click.Path(exists=True, path_type=Path))
@click.argument("after", type=click.Path(exists=True, path_type=Path))
@click.option("--format", "-f", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def compare(before: Path, after: Path, form: str) -> None:
    """Compare two reports (files, or folders of runs) over the same items: BEFORE and AFTER.

    A figure is better or worse only if that is unlikely to be chance: the same items are drawn again a thousand times
    from both, and what so many figures together would show by chance does not count (Holm).
    """
    import json

    from dragoman.cli.evaluate import needing_eval
    from dragoman.evaluation.report import read_report

    with needing_eval():
        from dragoman.evaluation.comparing import compare as compared

    found = compared(read_report(before), read_report(after))
    if form == "text":
        show(found)
        return
    lines = [
        {
            "metric": each.metric.name,
            "before": each.before,
            "after": each.after,
            "change": each.change,
            "low": each.low,
            "high": each.high,
            "p": each.p,
            "outcome": each.outcome,
        }
        for each in found
    ]
    click.echo(json.dumps(lines, indent=2))


def show(found: "Sequence[Difference]", title: str | None = None) -> None:
    """Print differences as a table."""
    from rich.console import Console
    from rich.table import Table

    from dragoman.evaluation.layout.numbers import shown

    differing = [each for each in found if each.change]
    console = Console(highlight=False)
    table = Table(title=title, title_justify="left")
    table.add_column("", no_wrap=True)
    for heading in ("before", "after", "change", "95 % between"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    for each in differing:
        unit = each.metric.unit
        between = "" if each.low is None else f"{_signed(each.low, unit)} … {_signed(each.high, unit)}"
        cells = [shown(each.before, unit), shown(each.after, unit), _signed(each.change, unit), between]
        table.add_row(each.metric.name, *cells, each.outcome, style=_STYLES[each.outcome])
    if differing:
        console.print(table)
    console.print(f"{len(found) - len(differing)} of {len(found)} figures do not differ at all.")


def _signed(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    if unit == "share":
        return f"{100 * value:+.2f}"
    return f"{value:+.3g}"
