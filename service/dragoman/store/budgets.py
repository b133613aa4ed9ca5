"""What tenants may spend in a month, what they have spent, and what is reserved for work that goes on.

Money is in millionths of a US dollar. What was spent is entered with the events that it is for (``store/windows``), so
that neither a crash nor a second server counts anything twice. A reservation that nobody renews ends by itself.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from dragoman.store import tables
from dragoman.store.database import WRITES, translated

_BUDGETS = tables.budgets.c
_SPENDING = tables.spending.c
_HOLDS = tables.reservations.c


@dataclass(frozen=True, slots=True)
class Consumed:
    """What was used, whatever it costs: accepted audio, characters that were translated, tokens."""

    samples: int = 0
    characters: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, other: "Consumed") -> "Consumed":
        return Consumed(
            self.samples + other.samples,
            self.characters + other.characters,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
        )


NOTHING: Final = Consumed()


@dataclass(frozen=True, slots=True)
class Account:
    """How a tenant stands in a month; ``limit_micro`` is ``None`` where it may spend what it likes."""

    tenant: str
    month_ms: int
    limit_micro: int | None
    spent_micro: int
    reserved_micro: int
    consumed: Consumed = NOTHING

    @property
    def free_micro(self) -> int | None:
        """What may still be reserved; ``None`` if there is no limit."""
        return None if self.limit_micro is None else max(0, self.limit_micro - self.spent_micro - self.reserved_micro)

    @property
    def used(self) -> float | None:
        """The share of the budget that is spent; ``None`` if there is none."""
        if self.limit_micro is None:
            return None
        return self.spent_micro / self.limit_micro if self.limit_micro else 1.0


@dataclass(frozen=True, slots=True)
class Hold:
    """What was asked for and what is reserved; ``account`` is how the tenant stands without it."""

    wanted_micro: int
    granted_micro: int
    account: Account

    @property
    def is_whole(self) -> bool:
        """Whether all of it is reserved."""
        return self.granted_micro == self.wanted_micro


class BudgetStore:
    """The budgets in a database. Every call waits for it, and raises ``StoreFailedError`` if it does not work."""

    def __init__(self, engine: Engine, clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._reads = engine
        self._writes = engine.execution_options(**WRITES)
        self._now_ms = clock_ms

    def limit(self, tenant: str, micro: int | None) -> None:
        """Set what a tenant may spend in a month (UTC), or that it may spend what it likes."""
        with translated(), self._writes.begin() as connection:
            _alone(connection)
            connection.execute(delete(tables.budgets).where(_BUDGETS.tenant == tenant))
            if micro is not None:
                connection.execute(insert(tables.budgets), {"tenant": tenant, "limit_micro": micro})

    def account(self, tenant: str) -> Account:
        """Return how a tenant stands this month."""
        with translated(), self._reads.connect() as connection:
            return _account(connection, tenant, self._now_ms(), None)

    def accounts(self) -> list[Account]:
        """Return how every tenant stands that has a budget or has spent something this month, by name."""
        now_ms = self._now_ms()
        spent = select(_SPENDING.tenant).where(_SPENDING.month_ms == month_of(now_ms))
        with translated(), self._reads.connect() as connection:
            names = {*connection.scalars(select(_BUDGETS.tenant)), *connection.scalars(spent)}
            return [_account(connection, name, now_ms, None) for name in sorted(names)]

    def hold(self, resource_id: str, tenant: str, micro: int, for_ms: int, *, all_or_nothing: bool) -> Hold:
        """Reserve money for something, in place of what was reserved for it before, for ``for_ms`` milliseconds.

        If there is less than that, what there is is reserved, or with ``all_or_nothing`` nothing changes.
        """
        with translated(), self._writes.begin() as connection:
            _alone(connection)
            now_ms = self._now_ms()
            account = _account(connection, tenant, now_ms, resource_id)
            free = account.free_micro
            granted = micro if free is None or micro <= free else 0 if all_or_nothing else free
            found = Hold(micro, granted, account)
            if all_or_nothing and not found.is_whole:
                return found
            row = {"tenant": tenant, "held_micro": granted, "until_ms": now_ms + for_ms}
            mine = _HOLDS.resource_id == resource_id
            if connection.execute(update(tables.reservations).where(mine).values(row)).rowcount == 0:
                connection.execute(insert(tables.reservations), {"resource_id": resource_id, **row})
            connection.execute(delete(tables.reservations).where(_HOLDS.until_ms < now_ms))
            return found

    def release(self, resource_id: str, in_ms: int = 0) -> None:
        """Let go of a reservation, at once or in a while: until what it was for is entered as spent."""
        with translated(), self._writes.begin() as connection:
            _alone(connection)
            mine = _HOLDS.resource_id == resource_id
            if in_ms:
                connection.execute(update(tables.reservations).where(mine).values(until_ms=self._now_ms() + in_ms))
            else:
                connection.execute(delete(tables.reservations).where(mine))

    def spend(self, tenant: str, consumed: Consumed, micro: int) -> None:
        """Enter what was spent on something that no session tells of."""
        with translated(), self._writes.begin() as connection:
            _alone(connection)
            enter(connection, tenant, self._now_ms(), consumed, micro)

    def metered(self, session_id: str) -> int:
        """Return how many samples of a session are entered as spent."""
        query = select(tables.sessions.c.metered).where(tables.sessions.c.session_id == session_id)
        with translated(), self._reads.connect() as connection:
            return connection.scalar(query) or 0


def enter(connection: Connection, tenant: str, now_ms: int, consumed: Consumed, micro: int) -> None:
    """Enter what was spent, in the month of a Unix time; nobody else may enter anything meanwhile."""
    month_ms = month_of(now_ms)
    more = {
        "spent_micro": micro,
        "samples": consumed.samples,
        "characters": consumed.characters,
        "prompt_tokens": consumed.prompt_tokens,
        "completion_tokens": consumed.completion_tokens,
    }
    mine = (_SPENDING.tenant == tenant, _SPENDING.month_ms == month_ms)
    change = {name: tables.spending.c[name] + value for name, value in more.items()}
    if connection.execute(update(tables.spending).where(*mine).values(change)).rowcount == 0:
        connection.execute(insert(tables.spending), {"tenant": tenant, "month_ms": month_ms, **more})


def month_of(unix_ms: int) -> int:
    """Return when the month of a Unix time began (UTC)."""
    at = datetime.fromtimestamp(unix_ms / 1_000, UTC)
    return round(datetime(at.year, at.month, 1, tzinfo=UTC).timestamp() * 1_000)


def _account(connection: Connection, tenant: str, now_ms: int, but: str | None) -> Account:
    """Return how a tenant stands, but for one reservation."""
    month_ms = month_of(now_ms)
    limit = connection.scalar(select(_BUDGETS.limit_micro).where(_BUDGETS.tenant == tenant))
    spent = connection.execute(
        select(tables.spending).where(_SPENDING.tenant == tenant, _SPENDING.month_ms == month_ms)
    ).one_or_none()
    held = connection.scalar(
        select(func.coalesce(func.sum(_HOLDS.held_micro), 0)).where(
            _HOLDS.tenant == tenant, _HOLDS.until_ms >= now_ms, _HOLDS.resource_id != (but or "")
        )
    )
    if spent is None:
        return Account(tenant, month_ms, limit, 0, int(held or 0))
    consumed = Consumed(spent.samples, spent.characters, spent.prompt_tokens, spent.completion_tokens)
    return Account(tenant, month_ms, limit, spent.spent_micro, int(held or 0), consumed)


def _alone(connection: Connection) -> None:
    """Let one after the other reserve and enter, or two could have the same money: SQLite does so anyway."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(4711007)")
