"""``dragoman sweep``: variants of engine, words and examples, evaluated and compared."""

import asyncio
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from dragoman.datasets.dataset import Dataset
    from dragoman.evaluating.sweep import Sweep
    from dragoman.evaluating.tracking import Tracker
    from dragoman.settings import Settings


@click.command()
@click.argument("variants", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("dataset", required=False)
@click.option("--output", "-o", type=click.Path(file_okay=False, path_type=Path), help="Folder of runs and reports.")
@click.option("--limit", type=click.IntRange(1), help="Only the first so many items.")
@click.option("--track", is_flag=True, help="Log every variant with MLflow, below one run of the sweep.")
@click.option("--afresh", is_flag=True, help="Forget what an earlier sweep in the folder did.")
def sweep(
    variants: Path, dataset: str | None, output: Path | None, limit: int | None, track: bool, afresh: bool
) -> None:
    """Evaluate VARIANTS (TOML) over a DATASET, and compare each with the first.

    \b
    stage = "insight"                     # as of dragoman evaluate
    [[variants]]
    name = "no examples"
    shots = 0
    [[variants]]
    name = "other words"
    words = "flows/insight_short"         # a folder, relative to the file
    settings = { chat_temperature = 0.2 } # settings by name
    """  # noqa: D301 - \b is click's
    from dragoman.cli.evaluate import dataset_of, needing_eval
    from dragoman.evaluating.tracking import Tracker
    from dragoman.settings import read_settings

    with needing_eval():
        from dragoman.evaluating.sweep import read_sweep

    settings = read_settings()
    read = read_sweep(variants)
    chosen = dataset_of(dataset, read.stage, settings).only(limit=limit)
    folder = output or Path("evaluation") / variants.stem
    tracker = Tracker(settings) if track else None
    asyncio.run(_run(read, chosen, folder, settings, tracker, variants.stem, afresh=afresh))


async def _run(
    sweep: "Sweep",
    dataset: "Dataset",
    folder: Path,
    settings: "Settings",
    tracker: "Tracker | None",
    name: str,
    *,
    afresh: bool,
) -> None:
    from dragoman.cli.compare import show
    from dragoman.cli.evaluation_progress import RunBar
    from dragoman.evaluating.sweep import run_sweep

    parent = tracker.begin(sweep.stage, name) if tracker else None
    total = len(sweep.variants) * (len(dataset.recordings) or len(dataset.cases))
    with RunBar(sweep.stage, total) as bar:
        outcomes = run_sweep(sweep, dataset, folder, settings, bar.tell_one_of_many, afresh=afresh)
        async with aclosing(outcomes) as coming:
            async for outcome in coming:
                if tracker:
                    tracker.log(outcome.report, outcome.folder, outcome.variant.name, parent)
                if outcome.differences:
                    bar.pause()
                    show(outcome.differences, f"{outcome.variant.name} beside {sweep.variants[0].name}")
                    bar.go_on()
    if tracker and parent:
        tracker.end(parent)
        click.echo(f"MLflow run {parent} at {tracker.uri}", err=True)
    click.echo(f"Reports: {folder}")
