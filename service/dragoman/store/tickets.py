"""Tickets for browsers and calls, kept where every server finds them; only their digests are."""

import time
from dataclasses import dataclass

from sqlalchemy import Engine, Row, delete, func, insert, select, update

from dragoman.domain.caller import Caller, Quota
from dragoman.domain.errors import KeyRefusedError
from dragoman.store import tables
from dragoman.store.database import WRITES, translated

_TICKETS = tables.tickets.c
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Ticket:
    """Whom a ticket lets in, and the site that it is for; ``None`` is no site, but a program."""

    caller: Caller
    origin: str | None


class TicketStore:
    """The tickets that wait to be used. Every call waits for the database, and raises ``StoreFailedError``."""

    def __init__(self, engine: Engine) -> None:
        self._writes = engine.execution_options(**WRITES)

    def add(self, digest: str, ticket: Ticket, seconds: float) -> None:
        """Keep a ticket for so many seconds.

        Raises:
            KeyRefusedError: if too many wait to be used.
        """
        now_ms = _now_ms()
        caller, quota = ticket.caller, ticket.caller.quota
        row = {
            "digest": digest,
            "tenant": caller.tenant,
            "owner": caller.owner,
            "streams": quota.streams,
            "minutes_per_day": quota.minutes_per_day,
            "bytes_per_day": quota.bytes_per_day,
            "origin": ticket.origin,
            "caller_until_ms": None if caller.until_s is None else round(caller.until_s * 1_000),
            "until_ms": now_ms + round(seconds * 1_000),
        }
        with translated(), self._writes.begin() as connection:
            connection.execute(delete(tables.tickets).where(_TICKETS.until_ms < now_ms))
            if (connection.scalar(select(func.count()).select_from(tables.tickets)) or 0) >= _MOST:
                raise KeyRefusedError("Too many tickets are waiting to be used; try again in half a minute.")
            connection.execute(insert(tables.tickets), row)

    def prolong(self, digest: str, seconds: float) -> Ticket | None:
        """Return a ticket that is still good, which from now on is for so many seconds: it may be shown again."""
        now_ms = _now_ms()
        keep = (
            update(tables.tickets)
            .where(_TICKETS.digest == digest, _TICKETS.until_ms >= now_ms)
            .values(until_ms=now_ms + round(seconds * 1_000))
            .returning(*_TICKETS)
        )
        with translated(), self._writes.begin() as connection:
            row = connection.execute(keep).one_or_none()
        return None if row is None else _ticket(row)

    def redeem(self, digest: str) -> Ticket | None:
        """Return a ticket that is still good, and take it away: of two servers that are shown it, one gets it."""
        take = delete(tables.tickets).where(_TICKETS.digest == digest).returning(*_TICKETS)
        with translated(), self._writes.begin() as connection:
            row = connection.execute(take).one_or_none()
        if row is None or row.until_ms < _now_ms():
            return None
        return _ticket(row)


def _ticket(row: Row[tuple[object, ...]]) -> Ticket:
    quota = Quota(row.streams, row.minutes_per_day, row.bytes_per_day)
    until_s = None if row.caller_until_ms is None else row.caller_until_ms / 1_000
    return Ticket(Caller(row.tenant, row.owner, quota, until_s), row.origin)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
