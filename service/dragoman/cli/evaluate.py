"""``dragoman evaluate``: how good a candidate is on a dataset, in a report."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from dragoman.cli.exits import EXIT_FAILED, EXIT_OK
from dragoman.domain.errors import DependencyMissingError

if TYPE_CHECKING:
    from dragoman.datasets.dataset import Dataset
    from dragoman.evaluation.report import Report
    from dragoman.settings import Settings

_STAGES: Final = ("speech", "live", "translation", "insight", "answer", "polish", "orders")


@click.command()
@click.argument("dataset", required=False)
@click.option("--stage", type=click.Choice(_STAGES), default="speech", show_default=True, help="What is evaluated.")
@click.option("--output", "-o", type=click.Path(file_okay=False, path_type=Path), help="Folder of run and report.")
@click.option("--model", help="Whisper model: 'micro', a folder, or a hub name such as 'small'.")
@click.option("--languages", "-l", help="Candidates of identification; all that are spoken, if not given.")
@click.option("--lid", type=click.Choice(["continuous", "at-start"]), default="continuous", show_default=True)
@click.option("--translate", "-t", help="Targets, 'en,de'; all of the references, if not given.")
@click.option("--tag", "tags", multiple=True, help="Only recordings with this tag (repeat for others).")
@click.option("--split", help="Only items of this split.")
@click.option("--limit", type=click.IntRange(1), help="Only the first so many items.")
@click.option("--jobs", "-j", type=click.IntRange(0), default=0, help="Items at once; one per core, if not given.")
@click.option("--flow", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder of a step's words.")
@click.option("--shots", type=click.IntRange(0), help="Examples before what is asked.")
@click.option(
    "--release",
    type=click.Path(exists=True, path_type=Path),
    help="Evaluate what a release.toml (or its folder) releases: its flow, words, examples and settings.",
)
@click.option("--prices", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Prices (TOML).")
@click.option(
    "--gate", "judged", is_flag=True, help="Judge it too, as `dragoman gate` does, and show it in the report."
)
@click.option("--track", is_flag=True, help="Log it with MLflow, to DRAGOMAN_TRACKING_URI or a SQLite file.")
@click.option("--afresh", is_flag=True, help="Forget what an earlier run in the folder did.")
def evaluate(
    dataset: str | None,
    stage: str,
    output: Path | None,
    model: str | None,
    languages: str | None,
    lid: str,
    translate: str | None,
    tags: tuple[str, ...],
    split: str | None,
    limit: int | None,
    jobs: int,
    flow: Path | None,
    shots: int | None,
    release: Path | None,
    prices: Path | None,
    judged: bool,
    track: bool,
    afresh: bool,
) -> None:
    """Evaluate a candidate on a DATASET (a folder, a file, or a name in the store), and write its report.

    \b
    speech       the whole pipeline over recordings: text, languages, translations, speed, cost
    live         the same, as fast as it was spoken: then finals have a latency
    translation  the translator alone, over what was really said
    insight, answer, polish    an LLM step over its cases
    orders       the insight step, in calls in which somebody gives orders to the model

    Without DATASET: what ships for the stage. A run that was stopped goes on when it is called again. Exit code 1 if an
    item failed, or the gate stops it. `dragoman compare` compares two.
    """  # noqa: D301 - \b is click's
    from dragoman.cli.evaluation_progress import RunBar
    from dragoman.domain.language import parse_lid, split_tags
    from dragoman.evaluation.cost import read_prices
    from dragoman.evaluation.verdicts import as_text
    from dragoman.settings import read_settings

    with needing_eval():
        from dragoman.evaluating.evaluation import Wanted, judge_by_rules, write_report
        from dragoman.evaluating.evaluation import evaluate as run

    settings = read_settings(model=model)
    if release:
        settings, stage, flow, shots = _released(release, settings)
    chosen = dataset_of(dataset, stage, settings).only(tags=tags, split=split, limit=limit)
    if chosen.erased_items:
        click.secho(f"Of this version {chosen.erased_items} items were erased; figures are of the rest.", err=True)
    folder = output or Path("evaluation") / stage
    targets, locales = split_tags(translate), split_tags(languages)
    wanted = Wanted(
        stage=stage,
        folder=folder,
        locales=None if locales is None else tuple(locales),
        targets=None if targets is None else tuple(targets),
        lid=parse_lid(lid),
        words=flow,
        shots=shots,
        jobs=jobs,
        prices=read_prices(prices) if prices else None,
        afresh=afresh,
    )
    try:
        with RunBar(stage, len(chosen.recordings) or len(chosen.cases)) as bar:
            report = asyncio.run(run(settings, chosen, wanted, bar.tell))
    except KeyboardInterrupt:
        click.echo(f"Stopped; what is done rests in '{folder}', and the same command goes on.", err=True)
        raise
    verdict = judge_by_rules(report) if judged else None
    asyncio.run(write_report(report, chosen, folder, verdict))
    _show(report, folder)
    if verdict:
        click.echo(as_text(verdict), nl=False)
    if track:
        from dragoman.evaluating.tracking import Tracker

        tracker = Tracker(settings)
        click.echo(f"MLflow run {tracker.log(report, folder, folder.name)} at {tracker.uri}", err=True)
    is_good = verdict.is_passed if verdict else not report.failures
    sys.exit(EXIT_OK if is_good else EXIT_FAILED)


def _released(file: Path, settings: "Settings") -> "tuple[Settings, str, Path, int]":
    """Return what a release is evaluated with: settings, stage, words, and number of examples."""
    try:
        from dragoman.releasing.spec import evaluated_settings, read_release
    except ImportError as error:
        raise DependencyMissingError("Releases need the extra 'aml': pip install 'dragoman[aml,eval]'.") from error
    read = read_release(file)
    return evaluated_settings(read, settings), read.flow, read.flow_folder, read.shots


@contextmanager
def needing_eval() -> Iterator[None]:
    """Say what to install if what makes figures is not there."""
    try:
        yield
    except ImportError as error:
        raise DependencyMissingError(
            f"Evaluation needs {error.name}; install it with: pip install 'dragoman[eval]'"
        ) from error


def dataset_of(reference: str | None, stage: str, settings: "Settings") -> "Dataset":
    """Return a dataset by its path or name, or what ships for a stage."""
    if reference is None:
        from dragoman.evaluating.evaluation import default_dataset

        return default_dataset(stage)
    from dragoman.datasets.store import DatasetStore, open_dataset

    return open_dataset(reference, DatasetStore(settings.data / "datasets"))


def _show(report: "Report", folder: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    from dragoman.evaluation.layout.numbers import count, interval, shown

    console = Console(highlight=False)
    table = Table(title=f"{report.stage} on {report.dataset.name}@{report.dataset.version}", title_justify="left")
    table.add_column("")
    table.add_column("figure", justify="right")
    table.add_column("95 % between", justify="right")
    table.add_column("n", justify="right")
    group = None
    for name, figure in report.metrics.items():
        seen = report.catalog[name]
        if seen.group != group:
            group = seen.group
            table.add_section()
            table.add_row(f"[bold]{group}[/bold]")
        table.add_row(f"  {seen.title}", shown(figure.value, seen.unit), interval(figure, seen.unit), count(figure.n))
    console.print(table)
    for item, failure in report.failures.items():
        console.print(f"{item}: {failure}", style="red", markup=False)
    console.print(f"Report: {folder / 'report.html'}", soft_wrap=True, markup=False)
