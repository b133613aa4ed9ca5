"""``dragoman release plan`` and ``apply``: what will be done, and doing it."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dragoman.cli.exits import EXIT_OK
from dragoman.cli.release.desk import EVIDENCE, FORMAT, RELEASE, RULES, YES, open_desk, wanted_of

if TYPE_CHECKING:
    from dragoman.releasing.plan import Plan, Step
    from dragoman.releasing.workspace import Wanted


@click.command()
@RELEASE
@EVIDENCE
@RULES
@FORMAT
def plan(release: Path, proof: Path | None, rules: Path | None, form: str) -> None:
    """Show what 'apply' would do for a RELEASE. Nothing is changed."""
    from dragoman.releasing.plan import plan as planned

    with open_desk(release, rules) as desk:
        wanted = wanted_of(desk, proof)
        made = planned(desk.workspace.look(desk.release.endpoint, wanted), wanted)
    if form == "json":
        click.echo(json.dumps({"release": wanted.identified.version, **asdict(made)}, indent=2))
    else:
        show_plan(made, wanted)


@click.command()
@RELEASE
@EVIDENCE
@RULES
@YES
@FORMAT
def apply(release: Path, proof: Path | None, rules: Path | None, yes: bool, form: str) -> None:
    """Deploy a RELEASE beside what is live, without traffic, and see that it answers.

    Only with evidence that it passed its gate. Stopped or killed, the same command goes on with what is left. If
    nothing is live yet, the release is.
    """
    from dragoman.releasing.applying import apply as applied
    from dragoman.releasing.plan import plan as planned

    with open_desk(release, rules) as desk:
        wanted = wanted_of(desk, proof)
        made = planned(desk.workspace.look(desk.release.endpoint, wanted), wanted)
        if form == "text":
            show_plan(made, wanted)
        if made.steps and not yes:
            click.confirm("Do this?", abort=True, err=True)

        def tell(step: "Step") -> None:
            click.echo(f"{step.action} {step.target} …", err=True)

        applied(desk.workspace, wanted, desk.ledger, tell)
    if form == "json":
        click.echo(json.dumps({"release": wanted.identified.version, **asdict(made)}, indent=2))
    elif made.live not in (None, made.slot):
        click.echo(f"'{made.slot}' answers, and has no traffic yet: dragoman release promote {release}")
    sys.exit(EXIT_OK)


def show_plan(plan: "Plan", wanted: "Wanted") -> None:
    """Print steps as a table."""
    from rich.console import Console
    from rich.table import Table

    console, evaluation = Console(highlight=False), wanted.evidence.evaluation
    console.print(
        f"Release {wanted.identified.version} of '{wanted.release.flow}': passed on {evaluation.dataset}, "
        f"{len(evaluation.checks)} checks, signed by {evaluation.signed_by} on {evaluation.signed_at:%Y-%m-%d}",
        soft_wrap=True,
    )
    if plan.is_done:
        console.print(f"Nothing is left to do: it is in '{plan.slot}'.")
        return
    table = Table(title=f"{wanted.release.endpoint}: live is {plan.live or 'nothing yet'}", title_justify="left")
    for column in ("", "step", "of", "why"):
        table.add_column(column)
    for number, step in enumerate(plan.steps, 1):
        table.add_row(str(number), step.action, step.target, step.why)
    console.print(table)
