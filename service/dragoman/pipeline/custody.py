"""Whose sessions are: all are ours where this is the only server, and those that we hold where there are several."""

from collections.abc import Set
from contextlib import suppress
from typing import Final

from dragoman.domain.errors import DragomanError
from dragoman.store.ports import Leases, SessionRecord, SessionStore

HEARTBEAT_S: Final = 5.0
"""A third of a lease (``store/leases.py``)."""


class Custody:
    """Decides which sessions a hub may work on. Without ``leases`` nobody else can."""

    def __init__(self, store: SessionStore, leases: Leases | None) -> None:
        self._store = store
        self._leases = leases
        self._missed: Set[str] = frozenset()

    @property
    def is_alone(self) -> bool:
        """Whether there can be no other server."""
        return self._leases is None

    def may_delete(self, record: SessionRecord | None) -> bool:
        """Return whether audio is left over. Of a session that is not known, another server may just be opening it."""
        return self.is_alone if record is None else not record.is_open

    async def take(self, session_id: str, *, by_force: bool) -> bool:
        """Make an open session ours, ``by_force`` from another server; return whether it is."""
        return self._leases is None or await self._leases.take(session_id, by_force=by_force)

    async def free(self) -> list[str]:
        """Return the open sessions that nobody works on, or that an earlier process of this server did."""
        if self._leases is None:
            return [record.session_id for record in await self._store.open_sessions()]
        return await self._leases.free()

    async def let_go(self, session_id: str) -> None:
        """Let others go on with a session now; if they cannot be told, they may when the lease has run out."""
        if self._leases:
            with suppress(DragomanError):
                await self._leases.let_go(session_id)

    async def lost(self, live: Set[str]) -> Set[str]:
        """Say that we are alive; return which of our live sessions have been taken by another server.

        A session is missed twice before it counts: once could be one that is just ending.
        """
        if self._leases is None:
            return frozenset()
        missed = live - await self._leases.renew()
        self._missed, lost = missed, missed & self._missed
        return lost
