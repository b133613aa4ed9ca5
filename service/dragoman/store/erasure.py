"""Forgets a session: text, translations, insights, feedback, the index of words.

What stays is that it was, and when it went.
"""

import time
from contextlib import closing
from typing import Final

from sqlalchemy import Connection, Engine, delete, insert, select

from dragoman.domain.errors import SessionOpenError
from dragoman.store import tables
from dragoman.store.database import WRITES, translated
from dragoman.store.jobs import OVER, remove_jobs
from dragoman.store.subjects import check_free, is_held

ASKED: Final = "asked"
RETENTION: Final = "retention"
SUBJECT: Final = "subject"

_TEXTS: Final = (
    tables.events,
    tables.feedback,
    tables.reviews,
    tables.reviews,
    tables.sessions,
    tables.jobs,
    tables.webhooks,
)
_LONG_MS: Final = 3_600_000


def erase(engine: Engine, session_id: str, reason: str) -> bool:
    """Erase a session that has ended, and leave its tombstone, both or neither; return whether it was there.

    The job that it came from goes with it. Afterwards ``settle`` the database.

    Raises:
        SessionOpenError: if it has not ended.
        HeldError: if there is a hold on it, or on whose data it is.
        StoreFailedError: if the database does not work.
    """
    with translated(), engine.execution_options(**WRITES).begin() as connection:
        mine = tables.sessions.c.session_id == session_id
        row = connection.execute(select(tables.sessions).where(mine).with_for_update()).one_or_none()
        if row is None:
            return False
        _check(connection, session_id, is_open=row.is_open)
        came_from = (tables.jobs.c.session_id == session_id, tables.jobs.c.state.in_(OVER))
        remove_jobs(connection, connection.scalars(select(tables.jobs.c.job_id).where(*came_from)).all())
        said = tables.feedback.c.session_id == session_id
        reviewed = tables.reviews.c.feedback_id.in_(select(tables.feedback.c.feedback_id).where(said))
        connection.execute(delete(tables.reviews).where(reviewed))
        connection.execute(delete(tables.feedback).where(said))
        connection.execute(delete(tables.events).where(tables.events.c.session_id == session_id))
        if reason != RETENTION:  # else its copies in datasets stay, and must be found when somebody is erased
            connection.execute(delete(tables.subjects).where(tables.subjects.c.resource_id == session_id))
        connection.execute(delete(tables.sessions).where(mine))
        tombstone = {
            "session_id": session_id,
            "tenant": row.tenant,
            "erased_ms": time.time_ns() // 1_000_000,
            "reason": reason,
        }
        connection.execute(insert(tables.tombstones), tombstone)
        _forget_words(connection)
        return True


def check_erasable(engine: Engine, session_id: str) -> None:
    """Find out whether a session may be erased; one that is gone may. Raises as ``erase``."""
    found = tables.sessions.c
    with translated(), engine.connect() as connection:
        is_open = connection.scalar(select(found.is_open).where(found.session_id == session_id))
        _check(connection, session_id, is_open=bool(is_open))


def settle(engine: Engine) -> None:
    """Let nothing that was erased stay in SQLite's log; while somebody reads from it, it stays until the next time.

    PostgreSQL overwrites what was erased when it needs the room; ``compact`` does it at once.
    """
    if engine.dialect.name == "sqlite":
        with translated(), closing(engine.raw_connection()) as connection:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").close()


def compact(engine: Engine) -> None:
    """Write PostgreSQL's tables anew, so that no page of them holds what was erased; writers wait meanwhile.

    In SQLite's pages nothing stays anyway (``secure_delete``), and a VACUUM there would number its rows anew, by which
    the index of words knows them.
    """
    settle(engine)
    if engine.dialect.name == "postgresql":
        with translated(), engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(f"SET statement_timeout = {_LONG_MS}")
            try:
                for table in _TEXTS:
                    connection.exec_driver_sql(f"VACUUM (FULL) {table.name}")
            finally:
                connection.exec_driver_sql("RESET statement_timeout")


def begun_before(engine: Engine, before_ms: int) -> list[tuple[str, str]]:
    """Return sessions that have ended, began before a Unix time and are not held, with their tenants, oldest first."""
    found = tables.sessions.c
    query = (
        select(found.session_id, found.tenant)
        .where(found.created_ms < before_ms, found.is_open.is_(False), ~is_held(found.session_id))
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


def _check(connection: Connection, session_id: str, *, is_open: bool) -> None:
    if is_open:
        raise SessionOpenError("This session has not ended; end it before it is erased.")
    check_free(connection, [session_id])


def _forget_words(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":  # else words stay in the index's pages until they are merged
        connection.exec_driver_sql("INSERT INTO finals (finals) VALUES ('optimize')")
