"""``dragoman keys``: who may use the service."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dragoman.domain.errors import DependencyMissingError
from dragoman.store.scope import Scope

if TYPE_CHECKING:
    from dragoman.store.keys import KeyStore

_DATA = click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), help="Folder of sessions and keys.", metavar="FOLDER"
)


@click.group()
def keys() -> None:
    """Make, list and revoke API keys."""


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
@_DATA
def create(name: str, scopes: tuple[str, ...], data: Path | None) -> None:
    """Make a key for NAME and print it, this once."""
    new = _open(data).create(name, map(Scope, scopes))
    click.echo(new.key)
    click.secho(
        f"Key {new.record.key_id} for {name} allows: {_names(new.record.scopes)}. "
        "Keep it safe: only its hash is stored, so it cannot be shown again.",
        err=True,
    )


@keys.command("list")
@_DATA
def list_keys(data: Path | None) -> None:
    """List the keys, revoked ones too; none of them is shown."""
    found = [
        (record.key_id, record.name, _names(record.scopes), _day(record.created_ms), _day(record.revoked_ms))
        for record in _open(data).list()
    ]
    rows = [("id", "name", "scopes", "created", "revoked"), *found]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@keys.command()
@click.argument("key_id", metavar="ID")
@_DATA
def revoke(key_id: str, data: Path | None) -> None:
    """Make the key with this ID useless."""
    _open(data).revoke(key_id)
    click.secho(f"Key {key_id} is revoked.", err=True)


def _open(data: Path | None) -> "KeyStore":
    try:
        from dragoman.store.keys import KeyStore
    except ImportError as error:
        raise DependencyMissingError(
            f"API keys need {error.name}; install it with: pip install 'dragoman[serve]'"
        ) from error
    from dragoman.settings import read_settings

    return KeyStore.open(read_settings(data=data).effective_database_url)


def _names(scopes: frozenset[Scope]) -> str:
    return ", ".join(sorted(scopes))


def _day(unix_ms: int | None) -> str:
    return "" if unix_ms is None else datetime.fromtimestamp(unix_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
