"""Which of several servers works on a session: its row names the holder, and until when that must have been heard of.

The holder is also the fence: a commit of anybody else changes nothing. So a session can be taken from a server that
does not know it yet, or that only seems to be gone.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, Engine, Update, and_, extract, func, or_, select, update
from sqlalchemy import cast as sql_cast
from sqlalchemy.types import BigInteger

from dragoman.store import tables
from dragoman.store.writer import Writer

LEASE_MS: Final = 15_000
"""How long a server that says nothing keeps its sessions: three heartbeats."""

_SESSIONS = tables.sessions.c


@dataclass(frozen=True, slots=True)
class Holder:
    """A server among several. ``is_shared`` says whether the audio of all sessions can be had by all of them.

    Where it is not, a session goes on at the server that has its audio, and nowhere else.
    """

    name: str
    is_shared: bool
    lease_ms: int = LEASE_MS


class SqlLeases:
    """The leases of one server in the table of sessions."""

    def __init__(self, engine: Engine, writer: Writer, holder: Holder) -> None:
        self.holder = holder
        self._writer = writer
        self._now_ms = _now_ms(engine)
        self._until_ms = self._now_ms + holder.lease_ms

    @property
    def is_mine(self) -> ColumnElement[bool]:
        """The rows that this server may change."""
        return or_(_SESSIONS.holder.is_(None), _SESSIONS.holder == self.holder.name)

    @property
    def columns(self) -> "dict[str, str | ColumnElement[int]]":
        """What the row of a session that is held says."""
        return {"holder": self.holder.name, "held_until_ms": self._until_ms}

    async def take(self, session_id: str, *, by_force: bool) -> bool:
        """Hold an open session that is free, or ``by_force`` one that another server holds; return whether it is held.

        After that, nobody else commits to it.
        """
        is_ours = [_SESSIONS.session_id == session_id, _SESSIONS.is_open]
        if not (by_force and self.holder.is_shared):
            is_ours.append(self._is_free)
        change = update(tables.sessions).where(*is_ours).values(self.columns)
        return await self._count(change) == 1

    async def renew(self) -> set[str]:
        """Say that this server is alive; return the open sessions that it holds."""
        held = and_(_SESSIONS.holder == self.holder.name, _SESSIONS.is_open)
        found: list[str] = []

        def work(connection: Connection) -> None:
            connection.execute(update(tables.sessions).where(held).values(held_until_ms=self._until_ms))
            found[:] = connection.scalars(select(_SESSIONS.session_id).where(held)).all()

        await self._writer.carry_out(work)
        return set(found)

    async def free(self) -> list[str]:
        """Return the open sessions that this server may go on with and no other does, oldest first."""
        query = (
            select(_SESSIONS.session_id)
            .where(_SESSIONS.is_open, self._is_free)
            .order_by(_SESSIONS.created_ms, _SESSIONS.session_id)
        )
        found: list[str] = []

        def work(connection: Connection) -> None:
            found[:] = connection.scalars(query).all()

        await self._writer.carry_out(work)
        return found

    async def let_go(self, session_id: str) -> None:
        """Let others go on with a session, if they can have its audio."""
        if self.holder.is_shared:
            mine = (_SESSIONS.session_id == session_id, _SESSIONS.holder == self.holder.name, _SESSIONS.is_open)
            await self._count(update(tables.sessions).where(*mine).values(held_until_ms=0))

    @property
    def _is_free(self) -> ColumnElement[bool]:
        if self.holder.is_shared:
            return or_(self.is_mine, _SESSIONS.held_until_ms < self._now_ms)
        return _SESSIONS.holder == self.holder.name

    async def _count(self, change: Update) -> int:
        counts = [0]

        def work(connection: Connection) -> None:
            counts[0] = connection.execute(change).rowcount

        await self._writer.carry_out(work)
        return counts[0]


def _now_ms(engine: Engine) -> ColumnElement[int]:
    """Return the database's clock, because those of several servers differ."""
    if engine.dialect.name == "sqlite":
        return sql_cast((func.julianday("now") - 2_440_587.5) * 86_400_000, BigInteger)
    return sql_cast(extract("epoch", func.clock_timestamp()) * 1_000, BigInteger)
