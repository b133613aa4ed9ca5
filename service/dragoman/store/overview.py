"""All sessions at a glance, of one tenant or of all: for operators."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Engine, func, or_, select

from dragoman.domain.events import DurableEvent, from_json
from dragoman.store import tables
from dragoman.store.database import translated
from dragoman.store.ports import Books

_SESSIONS = tables.sessions.c
_EVENTS = tables.events.c
_JOBS = tables.jobs.c


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as it was last committed; ``holder`` is the server that works on it, if there may be several."""

    session_id: str
    tenant: str
    created_ms: int
    is_open: bool
    last_seq: int
    books: Books
    uploaded_bytes: int
    holder: str | None
    held_until_ms: int | None


@dataclass(frozen=True, slots=True)
class TenantSums:
    """What the sessions of a tenant add up to."""

    tenant: str
    sessions: int
    open: int
    books: Books


class Overview:
    """Reads. Every call waits for the database, and raises ``StoreFailedError`` if it does not work."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def sessions(self, tenant: str | None, since_ms: int, limit: int) -> list[SessionRow]:
        """Return open sessions and those begun since a Unix time, open ones and then the newest first."""
        query = (
            select(tables.sessions)
            .where(*_of(tenant), or_(_SESSIONS.is_open, _SESSIONS.created_ms >= since_ms))
            .order_by(_SESSIONS.is_open.desc(), _SESSIONS.created_ms.desc(), _SESSIONS.session_id)
            .limit(limit)
        )
        with translated(), self._engine.connect() as connection:
            return [
                SessionRow(
                    row.session_id,
                    row.tenant,
                    row.created_ms,
                    row.is_open,
                    row.last_seq,
                    Books(row.settled, row.text, row.lost, row.discarded),
                    row.uploaded_bytes,
                    row.holder,
                    row.held_until_ms,
                )
                for row in connection.execute(query)
            ]

    def sums(self, tenant: str | None, since_ms: int) -> list[TenantSums]:
        """Return the sums over the same sessions, tenant by tenant in the order of their names."""
        columns = (_SESSIONS.settled, _SESSIONS.text, _SESSIONS.lost, _SESSIONS.discarded)
        query = (
            select(
                _SESSIONS.tenant,
                func.count().label("sessions"),
                func.count().filter(_SESSIONS.is_open).label("open"),
                *(func.sum(column).label(f"{column.name}_sum") for column in columns),
            )
            .where(*_of(tenant), or_(_SESSIONS.is_open, _SESSIONS.created_ms >= since_ms))
            .group_by(_SESSIONS.tenant)
            .order_by(_SESSIONS.tenant)
        )
        with translated(), self._engine.connect() as connection:
            return [
                TenantSums(
                    row.tenant,
                    row.sessions,
                    row.open,
                    Books(int(row.settled_sum), int(row.text_sum), int(row.lost_sum), int(row.discarded_sum)),
                )
                for row in connection.execute(query)
            ]

    def events(self, session_id: str, after_seq: int = 0) -> list[DurableEvent]:
        """Return the events of a session after ``after_seq``, in order."""
        query = (
            select(_EVENTS.body).where(_EVENTS.session_id == session_id, _EVENTS.seq > after_seq).order_by(_EVENTS.seq)
        )
        with translated(), self._engine.connect() as connection:
            found = [from_json(body) for body in connection.scalars(query)]
        return [event for event in found if isinstance(event, DurableEvent)]

    def jobs(self, tenant: str | None) -> dict[str, int]:
        """Return how many jobs are in each state."""
        query = select(_JOBS.state, func.count().label("number")).group_by(_JOBS.state).order_by(_JOBS.state)
        if tenant is not None:
            query = query.where(_JOBS.tenant == tenant)
        with translated(), self._engine.connect() as connection:
            return {row.state: row.number for row in connection.execute(query)}


def _of(tenant: str | None) -> list[ColumnElement[bool]]:
    return [] if tenant is None else [_SESSIONS.tenant == tenant]
