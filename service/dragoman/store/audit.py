"""What was done, by whom and to what: a trail that is added to, and never changed. It holds no word of what was said.

Every entry holds a hash of itself and of the one before it; the database refuses to change or delete any (migration
0005). Who can replace the database can replace the trail: keep its last hash elsewhere, and compare.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine, insert, select

from dragoman.store import tables
from dragoman.store.database import WRITES, translated

_FIRST: Final = "0" * 64
_PAGE: Final = 1_000
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
            if connection.dialect.name == "postgresql":  # one at a time, or two would follow the same
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(4711004)")
            last = connection.execute(
                select(_AUDIT.seq, _AUDIT.hash).order_by(_AUDIT.seq.desc()).limit(1)
            ).one_or_none()
            told = json.dumps(dict(details), ensure_ascii=False, sort_keys=True)
            seq, before = (last.seq + 1, last.hash) if last else (1, _FIRST)
            entry = Entry(seq, self._now_ms(), tenant, actor, action, resource, told, "")
            sealed = Entry(seq, entry.at_ms, tenant, actor, action, resource, told, entry.seal(before))
            connection.execute(insert(tables.audit), {name: getattr(sealed, name) for name in _FIELDS})
        return sealed

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
        before, expected = _FIRST, 1
        for entry in self.entries():
            if entry.seq != expected or entry.hash != entry.seal(before):
                return expected
            before, expected = entry.hash, expected + 1
        return None


_FIELDS: Final = ("seq", "at_ms", "tenant", "actor", "action", "resource", "details", "hash")
