"""``dragoman keys``: who may use the service."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dragoman.domain.caller import DEFAULT_TENANT, Quota
from dragoman.domain.errors import DependencyMissingError
from dragoman.store.scope import Scope

if TYPE_CHECKING:
    from dragoman.storage import Ledgers
    from dragoman.store.keys import KeyRecord, NewKey

DATA = click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), help="Folder of sessions and keys.", metavar="FOLDER"
)


@click.group()
def keys() -> None:
    """Make, list, rotate and revoke API keys."""


@keys.command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice([scope.value for scope in Scope]),
    multiple=True,
    default=(Scope.STREAM.value, Scope.TRANSCRIPTS.value),
    show_default=True,
    help="What the key allows; may be given several times.",
)
@click.option("--tenant", default=DEFAULT_TENANT, show_default=True, help="Whose sessions the key sees.")
@click.option("--days", type=click.FloatRange(0, min_open=True), help="How long it lasts; for ever, if not given.")
@click.option("--streams", type=click.IntRange(0), help="Live streams at once.")
@click.option("--minutes-per-day", type=click.FloatRange(0), help="Minutes of audio a day.")
@click.option("--mb-per-day", type=click.FloatRange(0), help="Megabytes a day.")
@click.option("--if-none", is_flag=True, help="Only if no key works yet: for machines that are set up again and again.")
@DATA
def create(
    name: str,
    scopes: tuple[str, ...],
    tenant: str,
    days: float | None,
    streams: int | None,
    minutes_per_day: float | None,
    mb_per_day: float | None,
    if_none: bool,
    data: Path | None,
) -> None:
    """Make a key for NAME and print it, this once."""
    bytes_per_day = None if mb_per_day is None else round(mb_per_day * 1_000_000)
    expires_ms = None if days is None else round((time.time() + days * 86_400) * 1_000)
    quota = Quota(streams, minutes_per_day, bytes_per_day)
    opened = ledgers(data)
    if if_none and opened.keys.any_active():
        click.secho("There is a key that works, so none was made.", err=True)
        return
    new = opened.keys.create(name, map(Scope, scopes), tenant, quota, expires_ms)
    _note(opened, new.record, "key.create")
    _show(new)


@keys.command()
@click.argument("key_id", metavar="ID")
@click.option(
    "--overlap-hours", type=click.FloatRange(0), default=24.0, show_default=True, help="How long both keys are good."
)
@DATA
def rotate(key_id: str, overlap_hours: float, data: Path | None) -> None:
    """Make a key that takes the place of the one with this ID, and print it, this once."""
    opened = ledgers(data)
    new = opened.keys.rotate(key_id, overlap_hours * 3_600)
    _note(opened, new.record, "key.rotate")
    _show(new)
    click.secho(f"Key {key_id} is good for {overlap_hours:g} hours more.", err=True)


@keys.command("list")
@DATA
def list_keys(data: Path | None) -> None:
    """List the keys, revoked ones too; none of them is shown."""
    found = [
        (
            record.key_id,
            record.name,
            record.tenant,
            _names(record.scopes),
            _day(record.created_ms),
            _day(record.expires_ms),
            _day(record.revoked_ms),
        )
        for record in ledgers(data).keys.list()
    ]
    rows = [("id", "name", "tenant", "scopes", "created", "expires", "revoked"), *found]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@keys.command()
@click.argument("key_id", metavar="ID")
@DATA
def revoke(key_id: str, data: Path | None) -> None:
    """Make the key with this ID useless."""
    opened = ledgers(data)
    opened.keys.revoke(key_id)
    for record in opened.keys.list():
        if record.key_id == key_id:
            _note(opened, record, "key.revoke")
    click.secho(f"Key {key_id} is revoked.", err=True)


def _show(new: "NewKey") -> None:
    click.echo(new.key)
    click.secho(
        f"Key {new.record.key_id} for {new.record.name} allows: {_names(new.record.scopes)}. "
        "Keep it safe: only its hash is stored, so it cannot be shown again.",
        err=True,
    )


def ledgers(data: Path | None) -> "Ledgers":
    """Return the keys and the audit trail of the database that the settings name, or of a folder.

    Raises:
        DependencyMissingError: if what it takes is not installed.
    """
    try:
        from dragoman.storage import open_ledgers
    except ImportError as error:
        raise DependencyMissingError(
            f"A server's database needs {error.name}; install it with: pip install 'dragoman[serve]'"
        ) from error
    from dragoman.settings import read_settings

    return open_ledgers(read_settings(data=data))


def _note(opened: "Ledgers", record: "KeyRecord", action: str) -> None:
    details = {"name": record.name, "scopes": _names(record.scopes)}
    opened.audit.add(record.tenant, "command line", action, record.key_id, details)


def _names(scopes: frozenset[Scope]) -> str:
    return ", ".join(sorted(scopes))


def _day(unix_ms: int | None) -> str:
    return "" if unix_ms is None else datetime.fromtimestamp(unix_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
