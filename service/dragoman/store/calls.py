"""Which sessions are one call's: noted in their rows, so that every server knows, and what is erased is gone here."""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, select, update

from dragoman.store import tables
from dragoman.store.outages import reading, writing

_SESSIONS = tables.sessions.c


@dataclass(frozen=True, slots=True)
class CallSession:
    """A session of a call, and the pseudonym of who is heard in it; ``None`` if all are mixed."""

    session_id: str
    speaker: str | None


def note_call(engine: Engine, session_id: str, call_id: str, speaker: str | None) -> None:
    """Enter that a session is a call's.

    Raises:
        StoreFailedError: if it cannot be entered.
    """
    change = {"call_id": call_id, "speaker": speaker}
    mine = update(tables.sessions).where(_SESSIONS.session_id == session_id).values(change)
    writing(engine, lambda connection, _: connection.execute(mine).rowcount)


def sessions_of(engine: Engine, tenant: str, call_id: str) -> list[CallSession]:
    """Return the sessions of a tenant's call, in the order in which they began.

    Raises:
        StoreFailedError: if they cannot be read.
    """
    query = (
        select(_SESSIONS.session_id, _SESSIONS.speaker)
        .where(_SESSIONS.tenant == tenant, _SESSIONS.call_id == call_id)
        .order_by(_SESSIONS.created_ms, _SESSIONS.speaker, _SESSIONS.session_id)
    )

    def work(connection: Connection) -> list[CallSession]:
        return [CallSession(row.session_id, row.speaker) for row in connection.execute(query)]

    return reading(engine, work)
