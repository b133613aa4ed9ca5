"""``dragoman audit``: what was done with a server's sessions and keys, by whom, and whether the trail is whole."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from dragoman.cli.exits import EXIT_FAILED, EXIT_OK
from dragoman.cli.keys import DATA, ledgers


@click.group()
def audit() -> None:
    """Read the trail of what was done; nobody can change it."""


@audit.command("list")
@click.option("--after", type=click.IntRange(0), default=0, help="Only entries after this number.")
@click.option("--format", "-f", "form", type=click.Choice(["text", "jsonl"]), default="text", show_default=True)
@DATA
def list_entries(after: int, form: str, data: Path | None) -> None:
    """List what was done, oldest first. No word of what was said is in it."""
    from dataclasses import asdict

    for entry in ledgers(data).audit.entries(after):
        if form == "jsonl":
            click.echo(json.dumps(asdict(entry), ensure_ascii=False))
            continue
        at = datetime.fromtimestamp(entry.at_ms / 1_000, UTC).strftime("%Y-%m-%d %H:%M:%S")
        who = f"{entry.tenant}/{entry.actor or 'nobody'}"
        click.echo(f"{entry.seq:>6}  {at}  {who:<24}  {entry.action:<18}  {entry.resource}  {entry.details}")


@audit.command()
@DATA
def verify(data: Path | None) -> None:
    """Find out whether the trail is as it was written; print its last number and hash, to be kept elsewhere."""
    trail = ledgers(data).audit
    broken = trail.first_broken()
    if broken is not None:
        click.secho(f"The trail is broken: entry {broken} was changed, or is missing.", fg="red", err=True)
        sys.exit(EXIT_FAILED)
    last = None
    for last in trail.entries():  # noqa: B007 - the last one is wanted
        pass
    if trail.retired:
        click.secho(f"The first {trail.retired} entries were retired, as the trail says.", err=True)
    click.echo(f"{last.seq} {last.hash}" if last else "0 nothing was done yet")
    sys.exit(EXIT_OK)
