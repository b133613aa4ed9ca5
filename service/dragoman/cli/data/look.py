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
    open_named,
    print_json,
    progress,
    summary,
)
from dragoman.cli.exits import EXIT_FAILED


@click.command()
@click.argument("dataset")
@format_option
@data_option
def validate(dataset: str, format: str, data_folder: Path | None) -> None:
    """Say what is wrong with DATASET: with its card, its recordings, what is said of them, and its splits.

    Every recording is read, hashed and decoded. The exit code is 1 if anything is wrong.
    """
    from dragoman.datasets.validating import validate as find_problems

    found = open_named(dataset, data_folder)
    with progress("Recordings", len(found.recordings)) as advance:
        problems = asyncio.run(find_problems(found, advance))
    if format == "json":
        print_json({"dataset": identity(found), "problems": [asdict(problem) for problem in problems]})
    else:
        for problem in problems:
            where = f"{problem.item}: " if problem.item else ""
            click.echo(f"{problem.check}  {where}{problem.message}")
        verdict = counted(len(problems), "problem") if problems else "no problem"
        click.secho(f"{identity(found)}: {verdict} in {summary(found)}.", fg="red" if problems else "green", err=True)
    if problems:
        sys.exit(EXIT_FAILED)
