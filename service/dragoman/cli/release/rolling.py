"""``dragoman release promote``, ``rollback`` and ``status``: traffic, and what it shows."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from dragoman.cli.exits import EXIT_FAILED, EXIT_OK
from dragoman.cli.release.desk import EVIDENCE, FORMAT, RELEASE, RULES, YES, open_desk, wanted_of

if TYPE_CHECKING:
    from dragoman.releasing.rollout import Judgement, Stage

_MARKS: Final = {"good": "[green]✓[/green]", "unclear": "[yellow]…[/yellow]", "bad": "[red]✗[/red]"}
_SHOWN: Final = 12
_SAID: Final = {
    "go on": "keeps its limits",
    "roll back": "does not keep its limits",
    "wait": "too little is known",
    "hold": "too little is known",
}


@click.command()
@RELEASE
@EVIDENCE
@RULES
@click.option("--to", help="Hold at this stage: 'mirror', or percent of the traffic.")
@click.option("--again", is_flag=True, help="Also if it was rolled back before.")
@YES
@FORMAT
def promote(
    release: Path, proof: Path | None, rules: Path | None, to: str | None, again: bool, yes: bool, form: str
) -> None:
    """Give a RELEASE more and more of the traffic, as long as it does well.

    At every stage errors, latency and answers are judged; what is surely too bad takes all traffic back at once. Exit
    code 0 if it ends with all of the traffic or at --to, 1 if it was rolled back or too little is known. Killed, the
    same command goes on at the stage where it was.
    """
    from dragoman.releasing.rollout import stages

    with open_desk(release, rules) as desk:
        known = stages(desk.release.rollout)
        held = next((stage for stage in known if to and stage.name.split()[0] in (to, to.rstrip("%"))), None)
        if to and held is None:
            raise click.UsageError(f"There is no stage '{to}'; there are {', '.join(each.name for each in known)}.")
        wanted = wanted_of(desk, proof)
        if not yes:
            click.confirm(f"Give traffic to release {wanted.identified.version}?", abort=True, err=True)
        try:
            promotion = desk.promoter(_told if form == "text" else _silent).promote(wanted, held, again=again)
        except KeyboardInterrupt:
            click.echo("Stopped; traffic stays as it is. Go on with promote, or go back with rollback.", err=True)
            raise
    is_good = promotion.outcome == "released" or (
        held is not None
        and promotion.outcome == "held"
        and all(each.decision == "go on" for each in promotion.judgements)
    )
    if form == "json":
        told = [each.model_dump(mode="json") for each in promotion.judgements]
        click.echo(json.dumps({"outcome": promotion.outcome, "stages": told}, indent=2))
    else:
        reason = promotion.judgements[-1].reason if promotion.judgements else "it is there already."
        click.secho(f"{promotion.outcome}: {reason}", fg="green" if is_good else "red")
    sys.exit(EXIT_OK if is_good else EXIT_FAILED)


@click.command()
@RELEASE
@click.option("--reason", default="somebody decided so", show_default=True, help="For the ledger.")
@YES
def rollback(release: Path, reason: str, yes: bool) -> None:
    """Give all traffic of a RELEASE's endpoint back to what was live before. It needs no evidence."""
    with open_desk(release) as desk:
        to, version = desk.way_back()
        if not yes:
            click.confirm(f"Give all traffic of '{desk.release.endpoint}' to '{to}'?", abort=True, err=True)
        desk.promoter().roll_back(desk.release.endpoint, version, to, reason)
        click.echo(f"All traffic goes to '{to}'; release {version} has none.")


@click.command()
@RELEASE
@click.option("--minutes", type=click.FloatRange(0, min_open=True), default=60, show_default=True, help="Of the past.")
@click.option("--rollback", "goes_back", is_flag=True, help="Give all traffic back if it is surely too bad.")
@FORMAT
def watch(release: Path, minutes: float, goes_back: bool, form: str) -> None:
    """Judge what is live at a RELEASE's endpoint by the limits of its rollout: a monitor, for a schedule.

    Exit code 1 if it surely does not keep them. Too little traffic to tell is no failure.
    """
    with open_desk(release) as desk:
        slot, judgement = desk.watcher().look(desk.release, minutes * 60)
        is_bad = judgement.decision == "roll back"
        if form == "json":
            click.echo(json.dumps({"slot": slot, **judgement.model_dump(mode="json")}, indent=2))
        else:
            show_judgement(judgement, f"'{slot}', the last {minutes:g} minutes: {_SAID[judgement.decision]}")
        if is_bad and goes_back:
            to, version = desk.way_back()
            desk.promoter().roll_back(desk.release.endpoint, version, to, judgement.reason)
            click.echo(f"All traffic goes to '{to}'.", err=True)
    sys.exit(EXIT_FAILED if is_bad else EXIT_OK)


@click.command()
@RELEASE
@FORMAT
def status(release: Path, form: str) -> None:
    """Show what is deployed at a RELEASE's endpoint, its traffic, and what was decided last."""
    from dataclasses import asdict

    from rich.console import Console
    from rich.table import Table

    with open_desk(release) as desk:
        found, entries = desk.workspace.look(desk.release.endpoint), desk.ledger.entries()
        endpoint = desk.release.endpoint
    if form == "json":
        told = [entry.model_dump(mode="json") for entry in entries[-_SHOWN:]]
        there = {name: asdict(each) for name, each in found.deployments.items()}
        shown = {"state": found.endpoint, "deployments": there, "traffic": found.traffic, "mirror": found.mirror}
        click.echo(json.dumps({"endpoint": endpoint, **shown, "ledger": told}, indent=2))
        return
    console = Console(highlight=False)
    table = Table(title=f"{endpoint}: {found.endpoint or 'is not there'}", title_justify="left")
    for column in ("slot", "release", "evidence", "state", "traffic", "mirror", "data"):
        table.add_column(column, justify="right" if column in ("traffic", "mirror") else "left", no_wrap=True)
    for slot, each in sorted(found.deployments.items()):
        table.add_row(
            slot,
            each.release or "–",
            (each.evidence or "–")[:12],
            each.state,
            f"{found.traffic.get(slot, 0)} %",
            f"{found.mirror.get(slot, 0)} %",
            "kept" if each.is_collecting else "no",
        )
    console.print(table)
    for entry in entries[-_SHOWN:]:
        more = entry.details.get("reason") or entry.details.get("target") or entry.details.get("stage") or ""
        line = f"{entry.at:%Y-%m-%d %H:%M:%S}  {entry.who:<8} {entry.release}  {entry.action:<12} {more}"
        console.print(line, soft_wrap=True)


def show_judgement(judgement: "Judgement", title: str | None = None) -> None:
    """Print the figures of a stage as a table."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title or f"{judgement.stage}: {judgement.decision}", title_justify="left")
    for column in ("", "share", "new", "surely between", "limit", "live", "n"):
        table.add_column(column, justify="left" if column in ("", "share") else "right")
    for check in judgement.checks:
        table.add_row(
            _MARKS[check.standing],
            check.figure,
            "–" if check.value is None else f"{check.value:.1%}",
            f"{check.low:.1%} and {check.high:.1%}",
            f"{check.limit:.1%}",
            "–" if check.live is None else f"{check.live:.1%}",
            f"{check.n:.0f}",
        )
    Console(highlight=False).print(table)


def _told(stage: "Stage", judgement: "Judgement") -> None:
    if judgement.decision == "wait":
        click.secho(f"{stage.name}: {judgement.reason}", dim=True, err=True)
    else:
        show_judgement(judgement)


def _silent(stage: "Stage", judgement: "Judgement") -> None:
    pass
