"""The loop itself: commands, one after the other, and what each must come to."""

import json
import os
import platform
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from dragoman.cli.exits import EXIT_FAILED, EXIT_OK, EXIT_USAGE
from dragoman.cli.lifecycle import candidates
from dragoman.cli.lifecycle.candidates import ENDPOINT, FIRST, FLOW, UNTRANSLATED, WHOLE, Candidate
from dragoman.cli.lifecycle.cloud import CloudAddress, emulator
from dragoman.cli.lifecycle.traffic import Served, Traffic
from dragoman.domain.errors import DragomanError, ReleaseFailedError
from dragoman.evaluating.rules import rules_of
from dragoman.evaluation.report import read_report
from dragoman.evaluation.verdicts import read_rules
from dragoman.releasing.ledger import Ledger
from dragoman.releasing.promoting import DECISION, ROLLED_BACK, STAGE
from dragoman.resources import flows_folder

_TOKEN: Final = "lifecycle"  # noqa: S105 - the emulator takes any
_WORKSPACE: Final = "local/local/lifecycle"
_WATCH_S: Final = 0.1
_PATIENCE_S: Final = 30


@dataclass
class Loop:
    """What a loop is played with, in a folder; ``done`` tells what happened in each act, and when."""

    folder: Path
    cloud: CloudAddress
    began_s: float = field(default_factory=time.monotonic)
    done: list[tuple[str, str, float]] = field(default_factory=list)

    @property
    def baseline(self) -> Path:
        """The figures of what is live."""
        return self.folder / "baseline.json"

    @property
    def ledger(self) -> Ledger:
        """What was done and decided."""
        return Ledger(self.folder / "data" / "releases" / f"{ENDPOINT}.jsonl", "")

    def act(self, title: str) -> None:
        """Begin an act."""
        click.echo()
        click.secho(f"── {title} ".ljust(100, "─"), bold=True)

    def tell(self, act: str, what: str) -> None:
        """Say how an act ended."""
        at_s = time.monotonic() - self.began_s
        self.done.append((act, what, at_s))
        click.secho(f"→ {what}", fg="cyan")

    def run(self, *words: object, expected: int = EXIT_OK) -> None:
        """Run a command of ours in this process, as it would be typed.

        Raises:
            ReleaseFailedError: if it ends with another exit code than it should.
        """
        from dragoman.cli.main import group

        said = [str(each) for each in words]
        click.secho(f"$ dragoman {' '.join(said)}".replace(str(self.folder), "."), fg="green")
        try:
            group.main(said, prog_name="dragoman", standalone_mode=False)
            code = EXIT_OK
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else EXIT_FAILED
        except DragomanError as error:
            click.secho(f"Error: {error}", fg="red")
            code = EXIT_FAILED
        except click.ClickException as error:
            error.show()
            code = EXIT_USAGE
        sys.stdout.flush()
        if code != expected:
            raise ReleaseFailedError(f"'dragoman {said[0]}' ended with {code}, and {expected} was expected.")

    def evaluate(self, candidate: Candidate) -> tuple[Path, Path]:
        """Write and evaluate a candidate; return its folder and that of its report."""
        click.echo(f"The candidate '{candidate.name}': {candidate.about}.")
        made = candidates.write(candidate, self.folder / "candidates")
        report = self.folder / "evaluation" / candidate.name
        self.run("evaluate", "calls", "--release", made, "--output", report)
        return made, report

    def gate(self, report: Path, *more: object, expected: int = EXIT_OK) -> None:
        """Judge a report beside what is live."""
        self.run("gate", report, "--baseline", self.baseline, *more, expected=expected)


def play(folder: Path | None, callers: int) -> None:
    """Play the loop, in a folder; raises ReleaseFailedError if it does not go as it should."""
    with tempfile.TemporaryDirectory(prefix="dragoman-lifecycle-") as scratch:
        home = (folder or Path(scratch)).resolve()
        home.mkdir(parents=True, exist_ok=True)
        if any(home.iterdir()):
            raise ReleaseFailedError(f"'{home}' is not empty; choose another --folder.")
        with emulator(home / "azure") as cloud, _environment(home, cloud):
            loop = Loop(home, cloud)
            _play(loop, callers)
        _keep(loop)
        _summary(loop)


def _play(loop: Loop, callers: int) -> None:
    loop.act("data: what candidates are measured on")
    loop.run("data", "add", "calls", flows_folder() / FLOW)
    loop.run("data", "validate", "calls")
    loop.run("release", "keygen", loop.folder / "keys")
    loop.tell("data", "72 conversations, versioned; and keys to sign with")

    loop.act("a first candidate: evaluate, gate, sign, deploy")
    first, report_first = loop.evaluate(FIRST)
    loop.gate(report_first, "--accept", "--sign", first)
    _deploy(loop, first, report_first)
    loop.tell("first", "is live in 'blue'")

    traffic = _traffic(loop, callers)
    with traffic.running():
        loop.act("a better one: evaluate, compare, gate, sign, deploy beside it, mirror, promote")
        whole, report_whole = loop.evaluate(WHOLE)
        loop.run("compare", report_first, report_whole)
        loop.gate(report_whole, "--sign", whole)
        _deploy(loop, whole, report_whole)
        traffic.lap()
        loop.run("release", "promote", whole, "--evidence", report_whole / "evidence.dsse.json", "--yes")
        loop.gate(report_whole, "--accept")
        loop.tell("whole", f"got all of the traffic, and is the baseline now; {traffic.lap().told}")

        loop.act("a worse one: stopped by the gate, and by whoever is to release it all the same")
        worse, report_worse = loop.evaluate(UNTRANSLATED)
        loop.gate(report_worse, "--sign", worse, expected=EXIT_FAILED)
        loop.run("release", "plan", worse, "--evidence", report_worse / "evidence.dsse.json", expected=EXIT_FAILED)
        loop.run("release", "plan", worse, "--evidence", report_whole / "evidence.dsse.json", expected=EXIT_FAILED)
        loop.tell("untranslated", "was stopped by the gate; without evidence, or with that of another, it is refused")

        loop.act("one that passes, and fails when people use it: rolled back")
        hosted, report_hosted = loop.evaluate(candidates.hosted(f"{loop.cloud.doors}/openai/v1"))
        loop.gate(report_hosted, "--sign", hosted)
        _deploy(loop, hosted, report_hosted)
        traffic.lap()
        with _trouble(loop):
            proof = report_hosted / "evidence.dsse.json"
            loop.run("release", "promote", hosted, "--evidence", proof, "--yes", expected=EXIT_FAILED)
        entries = loop.ledger.entries()
        if entries[-1].action != ROLLED_BACK:
            raise ReleaseFailedError("The candidate that fails was not rolled back.")
        back_s = (entries[-1].at - next(each.at for each in reversed(entries) if each.action == STAGE)).total_seconds()
        loop.tell("hosted", f"was rolled back {back_s:.1f} s after it got 10 %; {traffic.lap().told}")
        loop.run("release", "status", hosted)
        loop.run("release", "watch", hosted, "--minutes", "0.5")
        loop.tell("whole", f"answers for all again; {_all_of(traffic, 'green').told}")


def _deploy(loop: Loop, made: Path, report: Path) -> None:
    loop.run("release", "apply", made, "--evidence", report / "evidence.dsse.json", "--yes")


def _all_of(traffic: Traffic, slot: str) -> Served:
    """Return what callers got in the first second in which one slot answered for all.

    Raises:
        ReleaseFailedError: if there is none: what was asked before the way back was answered long ago.
    """
    for _ in range(_PATIENCE_S):
        time.sleep(1)
        served = traffic.lap()
        if set(served.answers) == {slot} and not served.failures:
            return served
    raise ReleaseFailedError(f"After the way back '{slot}' must answer for all; it was: {served.told}.")


def _traffic(loop: Loop, callers: int) -> Traffic:
    cases = [json.loads(line) for line in (flows_folder() / FLOW / "data.jsonl").read_text("utf-8").splitlines()]
    asked = [{name: case[name] for name in ("conversation", "language") if name in case} for case in cases]
    url = f"{loop.cloud.azureml}/endpoints/{ENDPOINT}/score"
    return Traffic(url, _TOKEN, loop.cloud.authority, asked, callers)


@contextmanager
def _trouble(loop: Loop) -> Iterator[None]:
    """Let the chat model's quota end when the newest release gets its first live traffic."""
    before = len(loop.ledger.entries())
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_WATCH_S):
            if any(each.details.get("stage") == "10 %" for each in loop.ledger.entries()[before:]):
                click.secho("The quota of the chat model's deployment ends: it answers 429.", fg="yellow", err=True)
                loop.cloud.misbehave({"door": "chat", "status": 429, "times": 0})
                return

    thread = threading.Thread(target=watch, name="trouble")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        loop.cloud.behave()


@contextmanager
def _environment(folder: Path, cloud: CloudAddress) -> Iterator[None]:
    """Set what somebody would export, and put everything back."""
    wanted = {
        "DRAGOMAN_DATA": str(folder / "data"),
        "DRAGOMAN_AZUREML_WORKSPACE": _WORKSPACE,
        "DRAGOMAN_AZUREML_ENDPOINT": cloud.azureml,
        "DRAGOMAN_AZUREML_TOKEN": _TOKEN,
        "DRAGOMAN_RELEASE_KEY": str(folder / "keys" / "release.key"),
        "DRAGOMAN_RELEASE_TRUSTED": str(folder / "keys" / "release.pub"),
        "REQUESTS_CA_BUNDLE": str(cloud.authority),
    }
    before = dict(os.environ)
    for name in [each for each in before if each.startswith("DRAGOMAN_")]:
        del os.environ[name]
    os.environ.update(wanted)
    for name, value in wanted.items():
        click.secho(f"$ export {name}={value}".replace(str(folder), "."), fg="green")
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _keep(loop: Loop) -> None:
    """Write what happened, and every decision with its figures."""
    decided = [entry.model_dump(mode="json") for entry in loop.ledger.entries() if entry.action == DECISION]
    told = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "figures": {file.parent.name: _figures(file) for file in sorted(loop.folder.glob("evaluation/*/report.json"))},
        "acts": [{"candidate": act, "what": what, "after_s": round(at_s, 1)} for act, what, at_s in loop.done],
        "decisions": [{"release": each["release"], **each["details"]} for each in decided],
    }
    (loop.folder / "lifecycle.json").write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _figures(file: Path) -> dict[str, float | None]:
    """Return the figures of a report that its gate has rules for, without times, which are of this machine."""
    metrics = read_report(file).metrics
    judged = {rule.metric for rule in read_rules(rules_of(FLOW)).rules if not rule.metric.endswith(("_p50", "_p95"))}
    return {name: metrics[name].value for name in sorted(judged)}


def _summary(loop: Loop) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="The loop, once", title_justify="left")
    for column in ("after", "candidate", "what happened"):
        table.add_column(column, justify="right" if column == "after" else "left")
    for act, what, at_s in loop.done:
        table.add_row(f"{at_s:.0f} s", act, what)
    Console(highlight=False).print(table)
