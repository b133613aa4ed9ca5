"""``dragoman data validate|profile``: whether a dataset is sound, and what is in it."""

import asyncio
import sys
from dataclasses import asdict
from pathlib import Path

import click

from dragoman.cli.data.wishes import (
    counted,
    data_option,
    format_option,
    identity,
    listen,
    open_named,
    print_json,
    print_table,
    progress,
    summary,
)
from dragoman.cli.exits import EXIT_FAILED


@click.command()
@click.argument("dataset")
@format_option
@data_option
def validate(dataset: str, format: str, data_folder: Path | None) -> None:
    """Say what is wrong with DATASET.

    With its card, its recordings, what is said of them, and its splits: every recording is read, hashed and
    decoded. The exit code is 1 if anything is wrong.
    """
    from dragoman.datasets.validating import validate as find_problems

    found = open_named(dataset, data_folder)
    with progress("Recordings", len(found.recordings)) as advance:
        problems = asyncio.run(find_problems(found, advance))
    if format == "json":
        told = [asdict(problem) for problem in problems]
        print_json({"dataset": identity(found), "erased": found.erased_items, "problems": told})
    else:
        for problem in problems:
            where = f"{problem.item}: " if problem.item else ""
            click.echo(f"{problem.check}  {where}{problem.message}")
        verdict = counted(len(problems), "problem") if problems else "no problem"
        click.secho(f"{identity(found)}: {verdict} in {summary(found)}.", fg="red" if problems else "green", err=True)
    if problems:
        sys.exit(EXIT_FAILED)


@click.command()
@click.argument("dataset")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a report here, in HTML.",
)
@format_option
@data_option
def profile(dataset: str, output: Path | None, format: str, data_folder: Path | None) -> None:
    """Say what is in DATASET.

    Every recording is listened to: durations, languages, speakers, levels, noise, balance. The report is one file
    with plots in it that needs nothing else. A summary, or with -f json everything, goes to standard output.
    """
    from dragoman.datasets.figures import make_profile
    from dragoman.datasets.report import render_report

    found = open_named(dataset, data_folder)
    made = make_profile(found, listen(found))
    if output is not None:
        output.write_text(render_report(made), encoding="utf-8")
        click.secho(f"Wrote {output}.", err=True)
    if format == "json":
        click.echo(made.model_dump_json(by_alias=True, indent=2))
        return
    click.echo(f"{identity(found)}: {summary(found)}")
    print_table(
        [
            ("", "least", "5 %", "median", "95 %", "largest"),
            *(
                (name, *(f"{value:g}" for value in (each.least, each.p5, each.median, each.p95, each.largest)))
                for name, each in made.spreads.items()
            ),
        ]
    )
    for note in made.notes:
        click.echo(f"- {note}")
