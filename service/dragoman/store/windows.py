"""Figures of sessions by the hour, and kept promises by five minutes: counts only, the same for all servers.

A session's events are counted once: its row says up to which. Whoever counts says from where, and only one can.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, Engine, delete, insert, select, update

from dragoman.domain.events import DurableEvent, from_json
from dragoman.domain.tally import Cell, Tally, added
from dragoman.store import tables
from dragoman.store.budgets import NOTHING, Consumed, enter
from dragoman.store.database import WRITES, translated

HOUR_MS: Final = 3_600_000

_PAGE: Final = 1_000
_SESSIONS = tables.sessions.c
_SIGNALS = tables.signal_windows.c
_OUTCOMES = tables.objective_windows.c


@dataclass(frozen=True, slots=True)
class Behind:
    """A session of which there are events after ``observed_seq`` that nobody has counted."""

    session_id: str
    tenant: str
    observed_seq: int


@dataclass(frozen=True, slots=True)
class SignalWindow:
    """A figure of one hour."""

    start_ms: int
    tenant: str
    cell: Cell
    tally: Tally


@dataclass(frozen=True, slots=True)
class OutcomeWindow:
    """Promises of five minutes: how many, and how many of them were kept."""

    start_ms: int
    tenant: str
    objective: str
    good: int
    total: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What the events of a session up to ``seq`` show; ``outcomes`` are good ones and all, by objective.

    ``consumed`` is what they used but for audio: how much of that is accounted for stands in the session's own books.
    """

    behind: Behind
    seq: int
    consumed: Consumed = NOTHING
    signals: Mapping[Cell, Tally] = field(default_factory=dict)
    outcomes: Mapping[str, tuple[int, int]] = field(default_factory=dict)


Price = Callable[[Consumed], int]
"""Says what something costs, in millionths of a US dollar."""


class Windows:
    """The windows in a database. Every call waits for it, and raises ``StoreFailedError`` if it does not work."""

    def __init__(self, engine: Engine) -> None:
        self._reads = engine
        self._writes = engine.execution_options(**WRITES)

    def behind(self, limit: int) -> list[Behind]:
        """Return sessions with events that were not counted, oldest first."""
        query = (
            select(_SESSIONS.session_id, _SESSIONS.tenant, _SESSIONS.observed_seq)
            .where(_SESSIONS.observed_seq < _SESSIONS.last_seq)
            .order_by(_SESSIONS.created_ms, _SESSIONS.session_id)
            .limit(limit)
        )
        with translated(), self._reads.connect() as connection:
            return [Behind(*row) for row in connection.execute(query)]

    def events(self, session_id: str, after_seq: int) -> Iterator[DurableEvent]:
        """Yield a session's events after one, in order."""
        event = tables.events.c
        while True:
            query = (
                select(event.body, event.seq)
                .where(event.session_id == session_id, event.seq > after_seq)
                .order_by(event.seq)
                .limit(_PAGE)
            )
            with translated(), self._reads.connect() as connection:
                page = connection.execute(query).all()
            for row in page:
                read = from_json(row.body)
                assert isinstance(read, DurableEvent)
                yield read
            if len(page) < _PAGE:
                return
            after_seq = page[-1].seq

    def add(self, seen: Sequence[Seen], hour_ms: int, step_ms: int, price: Price) -> list[Seen]:
        """Add what was seen to the windows that begin at two Unix times; return what nobody had added before.

        What it cost is entered with it, the audio that was heard since the last time included.
        """
        taken: list[Seen] = []
        spent: dict[str, Consumed] = {}
        with translated(), self._writes.begin() as connection:
            _alone(connection)
            for each in seen:
                was = each.behind
                mine = (_SESSIONS.session_id == was.session_id, _SESSIONS.observed_seq == was.observed_seq)
                query = select(_SESSIONS.settled, _SESSIONS.metered).where(*mine).with_for_update()
                books = connection.execute(query).one_or_none()
                if books is None:
                    continue
                change = {"observed_seq": each.seq, "metered": books.settled}
                connection.execute(update(tables.sessions).where(mine[0]).values(change))
                taken.append(each)
                whole = each.consumed + Consumed(samples=books.settled - books.metered)
                if whole != NOTHING:
                    spent[was.tenant] = spent.get(was.tenant, NOTHING) + whole
            for tenant, consumed in spent.items():
                enter(connection, tenant, step_ms, consumed, price(consumed))
            signals: dict[tuple[str, Cell], list[Tally]] = {}
            outcomes: dict[tuple[str, str], tuple[int, int]] = {}
            for each in taken:
                tenant = each.behind.tenant
                for cell, tally in each.signals.items():
                    signals.setdefault((tenant, cell), []).append(tally)
                for objective, (good, total) in each.outcomes.items():
                    known = outcomes.get((tenant, objective), (0, 0))
                    outcomes[tenant, objective] = (known[0] + good, known[1] + total)
            for (tenant, cell), tallies in signals.items():
                _add_signal(connection, SignalWindow(hour_ms, tenant, cell, added(tallies)))
            for (tenant, objective), (good, total) in outcomes.items():
                _add_outcome(connection, OutcomeWindow(step_ms, tenant, objective, good, total))
        return taken

    def add_outcomes(self, windows: Sequence[OutcomeWindow]) -> None:
        """Add promises of which no session tells: somebody was turned away."""
        with translated(), self._writes.begin() as connection:
            _alone(connection)
            for each in windows:
                _add_outcome(connection, each)

    def signals(
        self, since_ms: int, until_ms: int, tenant: str | None = None, names: Sequence[str] = ()
    ) -> list[SignalWindow]:
        """Return the windows that begin in a time, of one tenant or all, and of these figures or all; oldest first."""
        where = [_SIGNALS.start_ms >= since_ms, _SIGNALS.start_ms < until_ms]
        if tenant is not None:
            where.append(_SIGNALS.tenant == tenant)
        if names:
            where.append(_SIGNALS.signal.in_(names))
        query = select(tables.signal_windows).where(*where).order_by(_SIGNALS.start_ms)
        with translated(), self._reads.connect() as connection:
            return [
                SignalWindow(
                    row.start_ms, row.tenant, Cell(row.signal, row.locale, row.engine), Tally.from_json(row.tally)
                )
                for row in connection.execute(query)
            ]

    def outcomes(self, since_ms: int, tenant: str | None = None) -> list[OutcomeWindow]:
        """Return the windows of promises that begin since a time, of one tenant or all; oldest first."""
        where = [_OUTCOMES.start_ms >= since_ms]
        if tenant is not None:
            where.append(_OUTCOMES.tenant == tenant)
        query = select(tables.objective_windows).where(*where).order_by(_OUTCOMES.start_ms)
        with translated(), self._reads.connect() as connection:
            return [
                OutcomeWindow(row.start_ms, row.tenant, row.objective, row.good, row.total)
                for row in connection.execute(query)
            ]

    def forget(self, before_ms: int) -> int:
        """Delete windows that begin before a time; return how many."""
        with translated(), self._writes.begin() as connection:
            return sum(
                connection.execute(delete(table).where(table.c.start_ms < before_ms)).rowcount for table in _TABLES
            )


_TABLES: Final = (tables.signal_windows, tables.objective_windows)


def _alone(connection: Connection) -> None:
    """Let one after the other add: SQLite does so anyway."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(4711007)")


def _add_signal(connection: Connection, window: SignalWindow) -> None:
    cell = window.cell
    mine = (
        _SIGNALS.start_ms == window.start_ms,
        _SIGNALS.tenant == window.tenant,
        _SIGNALS.signal == cell.signal,
        _SIGNALS.locale == cell.locale,
        _SIGNALS.engine == cell.engine,
    )
    known = connection.scalar(select(_SIGNALS.tally).where(*mine))
    if known is None:
        row = {
            "start_ms": window.start_ms,
            "tenant": window.tenant,
            "signal": cell.signal,
            "locale": cell.locale,
            "engine": cell.engine,
            "tally": window.tally.to_json(),
        }
        connection.execute(insert(tables.signal_windows), row)
    else:
        whole = Tally.from_json(known) + window.tally
        connection.execute(update(tables.signal_windows).where(*mine).values(tally=whole.to_json()))


def _add_outcome(connection: Connection, window: OutcomeWindow) -> None:
    mine = (
        _OUTCOMES.start_ms == window.start_ms,
        _OUTCOMES.tenant == window.tenant,
        _OUTCOMES.objective == window.objective,
    )
    more = {"good": _OUTCOMES.good + window.good, "total": _OUTCOMES.total + window.total}
    if connection.execute(update(tables.objective_windows).where(*mine).values(more)).rowcount == 0:
        row = {
            "start_ms": window.start_ms,
            "tenant": window.tenant,
            "objective": window.objective,
            "good": window.good,
            "total": window.total,
        }
        connection.execute(insert(tables.objective_windows), row)
