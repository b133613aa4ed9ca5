"""``dragoman subjects``: whose data there is, its erasure, and what a legal hold keeps from that."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dragoman.cli.keys import DATA, ledgers
from dragoman.domain.caller import DEFAULT_TENANT

if TYPE_CHECKING:
    from dragoman.storage import Ledgers
    from dragoman.store.erasures import Erasure

_ACTOR = "command line"
_TENANT = click.option("--tenant", default=DEFAULT_TENANT, show_default=True, help="Whose subject it is.")


@click.group()
def subjects() -> None:
    """Show and erase what there is of a person, and hold what must not be erased."""


@subjects.command()
@click.argument("subject")
@_TENANT
@DATA
def show(subject: str, tenant: str, data: Path | None) -> None:
    """Show the sessions and jobs of SUBJECT, the id that the application gave."""
    from dragoman.store.digest import subject_digest
    from dragoman.store.subjects import find

    found = find(ledgers(data).engine, tenant, subject_digest(tenant, subject))
    for each in (*found.sessions, *found.jobs):
        click.echo(each)
    open_now = f", {len(found.open_sessions)} of them live" if found.open_sessions else ""
    click.secho(f"{len(found.sessions)} sessions{open_now}, {len(found.jobs)} jobs.", err=True)


@subjects.command()
@click.argument("subject")
@_TENANT
@DATA
def erase(subject: str, tenant: str, data: Path | None) -> None:
    """Erase all of SUBJECT: sessions, audio, jobs and their files, copies in datasets.

    What is live is erased by the server when it has ended. With PostgreSQL, have pages rewritten afterwards with
    'dragoman subjects compact'.
    """
    done = asyncio.run(_erase(ledgers(data), data, tenant, subject))
    click.echo(json.dumps(done.told()))


async def _erase(opened: "Ledgers", data: Path | None, tenant: str, subject: str) -> "Erasure":
    from dragoman.jobs.erasing import erasing
    from dragoman.settings import read_settings

    async with erasing(read_settings(data=data), opened.engine) as eraser:
        return await eraser.subject(tenant, subject, _ACTOR)


@subjects.command()
@click.argument("target", metavar="SUBJECT|SESSION")
@click.option("--reason", required=True, help="Why, such as the number of a case; never what was said.")
@_TENANT
@DATA
def hold(target: str, reason: str, tenant: str, data: Path | None) -> None:
    """Keep all of a SUBJECT, or one SESSION (s_…), from being erased, by whomever; print the id of the hold."""
    from dragoman.store.digest import subject_digest
    from dragoman.store.session_id import is_session_id
    from dragoman.store.subjects import place_hold

    opened = ledgers(data)
    held = target if is_session_id(target) else subject_digest(tenant, target)
    placed = place_hold(opened.engine, tenant, held, reason)
    opened.audit.add(tenant, _ACTOR, "hold.place", placed.hold_id, {"reason": reason})
    click.echo(placed.hold_id)


@subjects.command()
@click.argument("hold_id", metavar="ID")
@DATA
def release(hold_id: str, data: Path | None) -> None:
    """Release a hold: what it kept may be erased again."""
    from dragoman.store.subjects import release_hold

    opened = ledgers(data)
    released = release_hold(opened.engine, hold_id)
    opened.audit.add(released.tenant, _ACTOR, "hold.release", hold_id, {})
    click.secho(f"Hold {hold_id} is released.", err=True)


@subjects.command()
@DATA
def holds(data: Path | None) -> None:
    """List the holds. Of a subject it is not said who it is."""
    from dragoman.store.session_id import is_session_id
    from dragoman.store.subjects import holds as all_holds

    for each in all_holds(ledgers(data).engine):
        on = each.target if is_session_id(each.target) else "a subject"
        until = f", released {_day(each.released_ms)}" if each.released_ms else ""
        click.echo(f"{each.hold_id}  {each.tenant}  {on}  since {_day(each.placed_ms)}{until}  {each.reason}")


@subjects.command()
@DATA
def compact(data: Path | None) -> None:
    """Write PostgreSQL's tables anew, so that no page of them holds what was erased.

    Writers wait meanwhile. In SQLite's pages nothing stays of what is erased.
    """
    from dragoman.store.erasure import compact as write_anew

    opened = ledgers(data)
    write_anew(opened.engine)
    opened.audit.add(DEFAULT_TENANT, _ACTOR, "database.compact", "database", {})
    click.secho("No page of the database holds what was erased.", err=True)


def _day(unix_ms: int) -> str:
    return datetime.fromtimestamp(unix_ms / 1_000, UTC).strftime("%Y-%m-%d")
