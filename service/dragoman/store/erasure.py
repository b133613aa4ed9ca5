"""Forgets a session: text, translations, insights, feedback, the index of words.

What stays is that it was, and when it went.
"""

import time
from typing import Final

from sqlalchemy import Engine, delete, insert, select

from dragoman.domain.errors import SessionOpenError
from dragoman.store import tables
from dragoman.store.database import WRITES, translated

ASKED: Final = "asked"
RETENTION: Final = "retention"


def erase(engine: Engine, session_id: str, reason: str) -> None:
    """Erase a session that has ended, and leave its tombstone, both or neither; one that is gone is no error.

    Raises:
        SessionOpenError: if it has not ended.
        StoreFailedError: if the database does not work.
    """
    with translated(), engine.execution_options(**WRITES).begin() as connection:
        mine = tables.sessions.c.session_id == session_id
        row = connection.execute(select(tables.sessions).where(mine).with_for_update()).one_or_none()
        if row is None:
            return
        if row.is_open:
            raise SessionOpenError("This session has not ended; end it before it is erased.")
        connection.execute(delete(tables.feedback).where(tables.feedback.c.session_id == session_id))
        connection.execute(delete(tables.events).where(tables.events.c.session_id == session_id))
        connection.execute(delete(tables.sessions).where(mine))
        tombstone = {
            "session_id": session_id,
            "tenant": row.tenant,
            "erased_ms": time.time_ns() // 1_000_000,
            "reason": reason,
        }
        connection.execute(insert(tables.tombstones), tombstone)
        if engine.dialect.name == "sqlite":  # else words stay in the index's pages until they are merged
            connection.exec_driver_sql("INSERT INTO finals (finals) VALUES ('optimize')")


def begun_before(engine: Engine, before_ms: int) -> list[tuple[str, str]]:
    """Return sessions that have ended and began before a Unix time, with their tenants, oldest first."""
    found = tables.sessions.c
    query = (
        select(found.session_id, found.tenant)
        .where(found.created_ms < before_ms, found.is_open.is_(False))
        .order_by(found.created_ms)
    )
    with translated(), engine.connect() as connection:
        return [(row.session_id, row.tenant) for row in connection.execute(query)]


def is_erased(engine: Engine, session_id: str, tenant: str) -> bool:
    """Return whether a tenant had a session that was erased."""
    found = tables.tombstones.c
    query = select(found.session_id).where(found.session_id == session_id, found.tenant == tenant)
    with translated(), engine.connect() as connection:
        return connection.scalar(query) is not None
