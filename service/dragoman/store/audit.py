"""What was done, by whom and to what: a trail that is added to, and never changed. It holds no word of what was said.

Every entry holds a hash of itself and of the one before it; the database refuses to change or delete any (migrations
0005 and 0008), but for the oldest, once an entry says that they are retired. Who can replace the database can replace
the trail: keep its last hash elsewhere, and compare.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection, Engine, delete, func, insert, select

from dragoman.domain.caller import DEFAULT_TENANT
from dragoman.store import tables
from dragoman.store.database import WRITES, translated

_FIRST: Final = "0" * 64
_PAGE: Final = 1_000
RETIRE: Final = "audit.retire"
_AUDIT = tables.audit.c


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was done; ``hash`` seals it and all before it."""

    seq: int
    at_ms: int
    tenant: str
    actor: str | None
    action: str
    resource: str
    details: str
    hash: str

    def seal(self, before: str) -> str:
        """Return what its hash must be after another."""
        told = [before, self.seq, self.at_ms, self.tenant, self.actor, self.action, self.resource, self.details]
        return hashlib.sha256(json.dumps(told, ensure_ascii=True).encode()).hexdigest()


class AuditTrail:
    """The trail in a database. Every call waits for it, and raises ``StoreFailedError`` if it does not work."""

    def __init__(self, engine: Engine, clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._reads = engine
        self._writes = engine.execution_options(**WRITES)
        self._now_ms = clock_ms

    def add(
        self, tenant: str, actor: str | None, action: str, resource: str, details: Mapping[str, str | int | None]
    ) -> Entry:
        """Add what was done. Returned from, it survives the machine."""
        with translated(), self._writes.begin() as connection:
            return self.add_within(connection, tenant, actor, action, resource, details)

    def retire(self, before_ms: int) -> int:
        """Remove the oldest entries, those before a Unix time; return how many.

        The trail says itself that they are gone, up to which, and what the last of them was sealed with; so what is
        left can be verified, and nobody can remove entries in silence.
        """
        with translated(), self._writes.begin() as connection:
            _take_turns(connection)
            anchor = _anchor(connection)
            young = connection.scalar(select(func.min(_AUDIT.seq)).where(_AUDIT.at_ms >= before_ms))
            last = select(_AUDIT.seq, _AUDIT.hash).order_by(_AUDIT.seq.desc()).limit(1)
            row = connection.execute(last if young is None else last.where(_AUDIT.seq < young)).one_or_none()
            if row is None or row.seq <= anchor.seq:
                return 0
            told = {"entries": row.seq - anchor.seq, "seq": row.seq, "hash": row.hash}
            self.add_within(connection, DEFAULT_TENANT, None, RETIRE, "audit", told)
            change = {"seq": row.seq, "hash": row.hash, "retired_ms": self._now_ms()}
            connection.execute(insert(tables.audit_anchors), change)
            connection.execute(delete(tables.audit).where(_AUDIT.seq <= row.seq))
            return int(row.seq - anchor.seq)

    def last(self, action: str) -> Entry | None:
        """Return the newest entry of an action."""
        query = select(tables.audit).where(_AUDIT.action == action).order_by(_AUDIT.seq.desc()).limit(1)
        with translated(), self._reads.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Entry(**row._asdict())

    def entries(self, after_seq: int = 0) -> Iterator[Entry]:
        """Yield the entries, oldest first."""
        while True:
            query = select(tables.audit).where(_AUDIT.seq > after_seq).order_by(_AUDIT.seq).limit(_PAGE)
            with translated(), self._reads.connect() as connection:
                page = [Entry(**row._asdict()) for row in connection.execute(query)]
            if not page:
                return
            yield from page
            after_seq = page[-1].seq

    def first_broken(self) -> int | None:
        """Return the number of the first entry that is not as it was written, or where one is missing."""
        with translated(), self._reads.connect() as connection:
            anchor = _anchor(connection)
        before, expected, is_told = anchor.hash, anchor.seq + 1, anchor.seq == 0
        for entry in self.entries():
            if entry.seq != expected or entry.hash != entry.seal(before):
                return expected
            is_told = is_told or (entry.action == RETIRE and _names(entry, anchor))
            before, expected = entry.hash, expected + 1
        return None if is_told else anchor.seq + 1

    @property
    def retired(self) -> int:
        """How many of the oldest entries are gone."""
        with translated(), self._reads.connect() as connection:
            return _anchor(connection).seq

    def add_within(
        self,
        connection: Connection,
        tenant: str,
        actor: str | None,
        action: str,
        resource: str,
        details: Mapping[str, str | int | None],
    ) -> Entry:
        """Add what is done by a transaction that writes, with all else that it does or not at all."""
        _take_turns(connection)
        last = connection.execute(select(_AUDIT.seq, _AUDIT.hash).order_by(_AUDIT.seq.desc()).limit(1)).one_or_none()
        told = json.dumps(dict(details), ensure_ascii=False, sort_keys=True)
        seq, before = (last.seq + 1, last.hash) if last else (1, _FIRST)
        entry = Entry(seq, self._now_ms(), tenant, actor, action, resource, told, "")
        sealed = replace(entry, hash=entry.seal(before))
        connection.execute(insert(tables.audit), {name: getattr(sealed, name) for name in _FIELDS})
        return sealed


@dataclass(frozen=True, slots=True)
class _Anchor:
    """The last entry that was retired; 0 stands before the first."""

    seq: int
    hash: str


def _anchor(connection: Connection) -> _Anchor:
    anchors = tables.audit_anchors.c
    row = connection.execute(select(anchors.seq, anchors.hash).order_by(anchors.seq.desc()).limit(1)).one_or_none()
    return _Anchor(row.seq, row.hash) if row else _Anchor(0, _FIRST)


def _names(entry: Entry, anchor: _Anchor) -> bool:
    told = json.loads(entry.details)
    return (told["seq"], told["hash"]) == (anchor.seq, anchor.hash)


def _take_turns(connection: Connection) -> None:
    """Let one at a time add to the trail, or two would follow the same entry."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(4711004)")


_FIELDS: Final = ("seq", "at_ms", "tenant", "actor", "action", "resource", "details", "hash")
