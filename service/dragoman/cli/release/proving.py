"""``dragoman release keygen`` and ``evidence``: who signs, and what was signed."""

import json
from pathlib import Path

import click

from dragoman.cli.release.desk import FORMAT, RELEASE, RULES, needing_release


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def keygen(folder: Path) -> None:
    """Make a pair of keys in FOLDER: the private half signs, the public half is trusted."""
    try:
        from dragoman.releasing.keys import make_pair
    except ImportError as error:
        raise needing_release() from error
    private, public = make_pair(folder)
    click.echo(f"export DRAGOMAN_RELEASE_KEY={private}      # where candidates are judged, and nowhere else")
    click.echo(f"export DRAGOMAN_RELEASE_TRUSTED={public}  # where they are released")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@RELEASE
@RULES
@FORMAT
def evidence(file: Path, release: Path, rules: Path | None, form: str) -> None:
    """Verify evidence (FILE) for a RELEASE, as apply and promote do, and show what it says."""
    try:
        from dragoman.releasing.evidence import read_evidence, verify
        from dragoman.releasing.keys import read_trusted
    except ImportError as error:
        raise needing_release() from error
    from datetime import UTC, datetime

    from dragoman.evaluating.rules import rules_of
    from dragoman.evaluation.verdicts import read_rules
    from dragoman.releasing.spec import read_release
    from dragoman.releasing.subjects import identify
    from dragoman.settings import read_settings

    read = read_release(release)
    believed = verify(
        read_evidence(file),
        identify(read),
        read_rules(rules or rules_of(read.flow)),
        read_trusted(read_settings().release_trusted),
        datetime.now(UTC),
    )
    if form == "json":
        click.echo(json.dumps(believed.statement.model_dump(mode="json", by_alias=True), indent=2))
        return
    told = believed.evaluation
    click.echo(f"{told.stage} on {told.dataset}: passed, {len(told.checks)} checks hold")
    click.echo(f"evaluated {told.evaluated_at:%Y-%m-%d %H:%M}, signed by {told.signed_by} ({believed.signer[:12]})")
    for subject in believed.statement.subject:
        click.echo(f"  {subject.digest['sha256'][:12]}  {subject.name}")
