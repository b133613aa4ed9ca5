"""``dragoman gate``: whether a candidate may pass."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dragoman.cli.exits import EXIT_FAILED, EXIT_OK

if TYPE_CHECKING:
    from dragoman.evaluation.gate import Rules


@click.command()
@click.argument("report", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--rules", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Rules (TOML); of the stage."
)
@click.option("--baseline", type=click.Path(dir_okay=False, path_type=Path), help="Baseline; beside the rules.")
@click.option(
    "--format",
    "-f",
    "form",
    type=click.Choice(["text", "json", "markdown", "github"]),
    help="text, or on GitHub github, if not given.",
)
@click.option(
    "--accept", is_flag=True, help="Write this report's figures as the new baseline, if limits and gaps hold."
)
@click.option(
    "--sign",
    "release",
    type=click.Path(exists=True, path_type=Path),
    help="Sign that what this release.toml (or its folder) releases passed, with DRAGOMAN_RELEASE_KEY.",
)
@click.option(
    "--evidence",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the evidence is written. [default: evidence.dsse.json beside the report]",
)
def gate(
    report: Path,
    rules: Path | None,
    baseline: Path | None,
    form: str | None,
    accept: bool,
    release: Path | None,
    evidence: Path | None,
) -> None:
    """Judge a REPORT (a file, or the folder of a run) by rules and against a baseline.

    Exit code 0 if it may pass, 1 if it is stopped; every reason names a figure and its limit. On GitHub the verdict
    goes into the summary of the check, and reasons become annotations.
    """
    from dragoman.evaluating.rules import rules_of
    from dragoman.evaluation.gate import baseline_of, judge
    from dragoman.evaluation.report import read_report
    from dragoman.evaluation.verdicts import (
        BASELINE,
        as_markdown,
        as_text,
        read_baseline,
        read_rules,
        write_baseline,
    )

    read = read_report(report)
    rules_file = rules or rules_of(read.stage)
    file = baseline or rules_file.with_name(BASELINE)
    given = read_rules(rules_file)
    if accept:
        verdict = judge(read, given, baseline_of(read))
        if verdict.is_passed:
            write_baseline(baseline_of(read), file)
            click.echo(f"Accepted: {file}", err=True)
    else:
        verdict = judge(read, given, read_baseline(file))
    if release and verdict.is_passed:
        _sign(report, given, file, release, evidence)
    form = form or ("github" if os.environ.get("GITHUB_ACTIONS") else "text")
    if form == "json":
        click.echo(verdict.model_dump_json(indent=2))
    elif form == "markdown":
        click.echo(as_markdown(verdict))
    elif form == "github":
        click.echo(as_text(verdict), nl=False)
        for reason in verdict.reasons:
            click.echo(f"::error title=gate {read.stage}::{reason}")
        if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
            with Path(summary).open("a", encoding="utf-8") as out:
                out.write(as_markdown(verdict))
    else:
        click.echo(as_text(verdict), nl=False)
    sys.exit(EXIT_OK if verdict.is_passed else EXIT_FAILED)


def _sign(report: Path, rules: "Rules", baseline: Path, release: Path, to: Path | None) -> None:
    """Write the evidence that the candidate of a release passed."""
    from datetime import UTC, datetime

    from dragoman.domain.errors import DependencyMissingError
    from dragoman.evaluation.report import read_report
    from dragoman.evaluation.verdicts import read_baseline
    from dragoman.settings import read_settings

    try:
        from dragoman.releasing.evidence import Judged, sign
        from dragoman.releasing.keys import read_signer
        from dragoman.releasing.ledger import who
        from dragoman.releasing.spec import read_release
        from dragoman.releasing.subjects import identify
    except ImportError as error:
        raise DependencyMissingError("Releases need the extra 'aml': pip install 'dragoman[aml,eval]'.") from error
    file = report / "report.json" if report.is_dir() else report
    judged = Judged(read_report(file), file.read_bytes(), rules, read_baseline(baseline))
    signer = read_signer(read_settings().release_key)
    _, envelope = sign(judged, identify(read_release(release)), signer, datetime.now(UTC), who())
    written = to or file.with_name("evidence.dsse.json")
    written.write_text(envelope.model_dump_json(), encoding="utf-8")
    click.echo(f"Signed: {written}", err=True)
