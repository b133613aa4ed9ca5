"""Whose data sessions and jobs are, by digests, and what a hold keeps from being erased."""

import secrets
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, Engine, and_, insert, or_, select, update

from dragoman.domain.errors import HeldError, HoldUnknownError
from dragoman.store import tables
from dragoman.store.database import WRITES, translated

_SUBJECTS = tables.subjects.c
_HOLDS = tables.holds.c
_HELD: Final = "A legal hold keeps this from being erased; who placed it can release it: dragoman subjects release ID"


@dataclass(frozen=True, slots=True)
class Hold:
    """Keeps a session (its id) or all of a subject (its digest) from being erased, while it is not released."""

    hold_id: str
    tenant: str
    target: str
    reason: str
    placed_ms: int
    released_ms: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """What there is of a subject: sessions, those of them that have not ended, and jobs, oldest first."""

    sessions: tuple[str, ...]
    open_sessions: tuple[str, ...]
    jobs: tuple[str, ...]


def note_subjects(connection: Connection, resource_id: str, subjects: Collection[str]) -> None:
    """Enter whose data a session or job is, in a transaction of its own entry."""
    rows = [{"resource_id": resource_id, "subject": each} for each in sorted(set(subjects))]
    if rows:
        connection.execute(insert(tables.subjects), rows)


def subjects_of(engine: Engine, resource_id: str) -> tuple[str, ...]:
    """Return whose data a session or job is."""
    query = select(_SUBJECTS.subject).where(_SUBJECTS.resource_id == resource_id).order_by(_SUBJECTS.subject)
    with translated(), engine.connect() as connection:
        return tuple(connection.scalars(query))


def find(engine: Engine, tenant: str, subject: str) -> Found:
    """Return what there is of a tenant's subject."""
    sessions, jobs = tables.sessions.c, tables.jobs.c
    mine = select(_SUBJECTS.resource_id).where(_SUBJECTS.subject == subject)
    with translated(), engine.connect() as connection:
        rows = connection.execute(
            select(sessions.session_id, sessions.is_open)
            .where(sessions.tenant == tenant, sessions.session_id.in_(mine))
            .order_by(sessions.created_ms, sessions.session_id)
        ).all()
        work = connection.scalars(
            select(jobs.job_id).where(jobs.tenant == tenant, jobs.job_id.in_(mine)).order_by(jobs.created_ms)
        )
        is_open = tuple(row.session_id for row in rows if row.is_open)
        return Found(tuple(row.session_id for row in rows), is_open, tuple(work))


def sessions_of(engine: Engine, subject: str) -> frozenset[str]:
    """Return the sessions that a subject has or had: of those that were kept long enough there may be copies."""
    query = select(_SUBJECTS.resource_id).where(_SUBJECTS.subject == subject)
    with translated(), engine.connect() as connection:
        return frozenset(connection.scalars(query))


def check_free(connection: Connection, session_ids: Sequence[str], subject: str | None = None) -> None:
    """Find out whether sessions, and all of a subject, may be erased.

    Raises:
        HeldError: if a hold is on one of them, or on somebody whose data they are too.
    """
    targets: ColumnElement[bool] = or_(
        _HOLDS.target.in_(session_ids),
        _HOLDS.target.in_(select(_SUBJECTS.subject).where(_SUBJECTS.resource_id.in_(session_ids))),
        _HOLDS.target == (subject or ""),
    )
    if connection.scalar(select(_HOLDS.hold_id).where(_HOLDS.released_ms.is_(None), targets).limit(1)):
        raise HeldError(_HELD)


def is_held(resource_id: ColumnElement[str]) -> ColumnElement[bool]:
    """Return what holds of a row of sessions or of jobs that must not be erased."""
    theirs = select(_SUBJECTS.subject).where(_SUBJECTS.resource_id == resource_id).scalar_subquery()
    on = or_(_HOLDS.target == resource_id, _HOLDS.target.in_(theirs))
    return select(_HOLDS.hold_id).where(and_(_HOLDS.released_ms.is_(None), on)).exists()


def place_hold(engine: Engine, tenant: str, target: str, reason: str) -> Hold:
    """Keep a session, or a subject's digest, from being erased."""
    hold = Hold(f"h_{secrets.token_hex(8)}", tenant, target, reason, time.time_ns() // 1_000_000, None)
    row = {name: getattr(hold, name) for name in Hold.__slots__}
    with translated(), engine.execution_options(**WRITES).begin() as connection:
        connection.execute(insert(tables.holds), row)
    return hold


def release_hold(engine: Engine, hold_id: str) -> Hold:
    """Let what was held be erased again.

    Raises:
        HoldUnknownError: if there is no such hold, or it is released.
    """
    mine = (_HOLDS.hold_id == hold_id, _HOLDS.released_ms.is_(None))
    with translated(), engine.execution_options(**WRITES).begin() as connection:
        change = update(tables.holds).where(*mine).values(released_ms=time.time_ns() // 1_000_000)
        if connection.execute(change).rowcount != 1:
            raise HoldUnknownError(f"There is no hold '{hold_id}' that lasts; see: dragoman subjects holds")
        row = connection.execute(select(tables.holds).where(_HOLDS.hold_id == hold_id)).one()
        return Hold(**row._asdict())


def holds(engine: Engine) -> list[Hold]:
    """Return all holds, oldest first."""
    with translated(), engine.connect() as connection:
        rows = connection.execute(select(tables.holds).order_by(_HOLDS.placed_ms, _HOLDS.hold_id))
        return [Hold(**row._asdict()) for row in rows]
