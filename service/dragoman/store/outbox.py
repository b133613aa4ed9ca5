"""Calls that are to be made: kept until somebody listened, or has not for too long."""

from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection, select, update

from dragoman.store import tables


@dataclass(frozen=True, slots=True)
class Hook:
    """A call that is due: it tells ``url`` of something, by its id."""

    about: str
    url: str
    body: str
    attempts: int


class Outbox(Protocol):
    """What keeps calls. Both wait for the database, and raise ``StoreFailedError`` if it does not work."""

    def due_hook(self, pause_ms: int) -> Hook | None:
        """Take a call that is due; unless ``told`` says that it was made, it is due again later.

        That is ``pause_ms`` after the first attempt, and twice as long after each one that follows.
        """
        ...

    def told(self, about: str) -> None:
        """Enter that a call was made, or is given up."""
        ...


def take_due(connection: Connection, name: str, about: str, now_ms: int, pause_ms: int) -> Hook | None:
    """Take the call that is due first of the table ``name``, whose ids are in the column ``about``; see ``Outbox``."""
    table = tables.metadata.tables[name]
    call = table.c
    query = (
        select(table)
        .where(call.is_open, call.due_ms <= now_ms)
        .order_by(call.due_ms)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    pause_ms <<= min(int(row.attempts), 16)
    found = row._mapping[about]
    change = {"attempts": row.attempts + 1, "due_ms": now_ms + pause_ms}
    connection.execute(update(table).where(call[about] == found).values(change))
    return Hook(found, row.url, row.body, row.attempts + 1)


def close_call(connection: Connection, name: str, about: str, found: str) -> None:
    """Enter that a call of a table was made, or is given up."""
    table = tables.metadata.tables[name]
    connection.execute(update(table).where(table.c[about] == found).values(is_open=False))
