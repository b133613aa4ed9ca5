"""``dragoman feedback propose|reenter``: from a drift alert to what is to be done, and back through the gate."""

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dragoman.cli.exits import EXIT_FAILED, EXIT_OK
from dragoman.cli.keys import DATA, ledgers
from dragoman.domain.errors import FeedbackInvalidError, FeedbackUnknownError

if TYPE_CHECKING:
    from dragoman.reviewing.proposals import Drift, Proposal

_ACTOR = "command line"
_FOLDER = "proposals"


@click.command()
@click.argument("alerts", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--corrections", default="corrections", show_default=True, help="What accepted ones are built as.")
@DATA
def propose(alerts: tuple[Path, ...], corrections: str, data: Path | None) -> None:
    """Say what to do about what drifts.

    ALERTS are files with what a webhook was told (JSON); without any, the alerts of the server that fire. Proposals are
    written to proposals/ in the data folder, as JSON and Markdown, and named here; the same drift is proposed once.
    """
    from dragoman.reviewing.proposals import propose as make
    from dragoman.reviewing.queue import ReviewQueue
    from dragoman.settings import read_settings

    opened = ledgers(data)
    drifts = [drift for file in alerts if (drift := _read_alert(file))] if alerts else _firing(data)
    if not drifts:
        click.echo("Nothing drifts.")
        return
    folder = read_settings(data=data).data / _FOLDER
    for proposal in make(drifts, ReviewQueue(opened.engine).entries(), corrections):
        if (folder / f"{proposal.id}.json").exists():
            click.secho(f"{proposal.id} was proposed already.", err=True)
        else:
            _write(proposal, folder)
            details: dict[str, str | int | None] = {"kind": proposal.kind, "drifts": len(proposal.drifts)}
            opened.audit.add("default", _ACTOR, "proposal.file", proposal.id, details)
        click.echo(folder / f"{proposal.id}.md")


@click.command()
@click.argument("proposal")
@click.option("--model", help="Whisper model of the candidate.")
@click.option("--flow", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder of its words.")
@click.option(
    "--output", "-o", type=click.Path(file_okay=False, path_type=Path), default=Path("evaluation"), show_default=True
)
@DATA
def reenter(proposal: str, model: str | None, flow: Path | None, output: Path, data: Path | None) -> None:
    """Evaluate what came of a PROPOSAL (its id) and judge it by every gate that it names.

    The candidate is what the settings say, or --model and --flow. What became of it is entered into the proposal. Exit
    code 1 if a gate stops it.
    """
    from dragoman.settings import read_settings

    folder = read_settings(data=data).data / _FOLDER
    found = _read(folder, proposal)
    gates = []
    for gate in found.gates:
        command = [sys.executable, "-m", "dragoman", "evaluate", "--stage", gate.stage, "--gate", "--afresh"]
        of_speech = gate.stage in ("speech", "live", "translation")
        chosen = ["--model", model] if model and of_speech else []
        chosen += ["--flow", str(flow)] if flow and not of_speech else []
        done = subprocess.run(  # noqa: S603 - our own command
            [*command, "-o", str(output / proposal / gate.stage), *chosen], check=False
        )
        gates.append(gate.model_copy(update={"is_passed": done.returncode == EXIT_OK}))
    judged = found.model_copy(update={"gates": tuple(gates)})
    _write(judged, folder)
    stopped = ",".join(gate.stage for gate in gates if not gate.is_passed)
    ledgers(data).audit.add("default", _ACTOR, "proposal.judge", proposal, {"state": judged.state, "stopped": stopped})
    click.echo(f"{proposal}: {judged.state}{f' by {stopped}' if stopped else ''}")
    sys.exit(EXIT_OK if judged.state == "passed" else EXIT_FAILED)


def _firing(data: Path | None) -> "list[Drift]":
    from dragoman.reviewing.proposals import Drift
    from dragoman.store.alerts import AlertStore

    told = (alert.told() for alert in AlertStore(ledgers(data).engine).all())
    return [drift for each in told if (drift := Drift.of_alert(each)) is not None]


def _read_alert(file: Path) -> "Drift | None":
    from dragoman.reviewing.proposals import Drift

    try:
        told = json.loads(file.read_bytes())
    except ValueError as error:
        raise FeedbackInvalidError(f"'{file}' holds no JSON: {error}") from error
    if not isinstance(told, dict):
        raise FeedbackInvalidError(f"'{file}' holds no alert.")
    return Drift.of_alert(told)


def _read(folder: Path, proposal: str) -> "Proposal":
    from pydantic import ValidationError

    from dragoman.reviewing.proposals import Proposal

    file = folder / f"{proposal}.json"
    known = sorted(each.stem for each in folder.glob("p_*.json"))
    if proposal not in known:
        raise FeedbackUnknownError(f"There is no proposal '{proposal}'. There are: {', '.join(known) or 'none yet'}.")
    try:
        return Proposal.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise FeedbackInvalidError(
            f"'{file}' is no proposal any more: {error.error_count()} things are wrong."
        ) from error


def _write(proposal: "Proposal", folder: Path) -> None:
    from dragoman.reviewing.proposals import as_markdown

    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / f"{proposal.id}.json").write_text(proposal.model_dump_json(indent=2) + "\n", encoding="utf-8")
    (folder / f"{proposal.id}.md").write_text(as_markdown(proposal), encoding="utf-8")
