"""What was asked to be erased of a person, what came of it, and what still waits for a session to end.

What stays is an id, when, and how much: once it is done, nothing says any more who it was.
"""

import json
import secrets
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue
from sqlalchemy import Engine, Row, delete, insert, select, update

from dragoman.store import tables
from dragoman.store.database import WRITES, translated
from dragoman.store.subjects import check_free, find

_ERASURES = tables.erasures.c


@dataclass(frozen=True, slots=True)
class Erasure:
    """The erasure of a subject; ``subject`` is its digest while something waits. Times are Unix time."""

    erasure_id: str
    tenant: str
    subject: str | None
    asked_ms: int
    done_ms: int | None
    counts: Mapping[str, int]

    def told(self) -> dict[str, JsonValue]:
        """Return what its tenant is told of it."""
        return {
            "erasure_id": self.erasure_id,
            "state": "waiting" if self.done_ms is None else "done",
            "asked_ms": self.asked_ms,
            "done_ms": self.done_ms,
            "erased": dict(self.counts),
        }


def begin_erasure(engine: Engine, tenant: str, subject: str) -> Erasure:
    """Enter that a subject is to be erased, or return the erasure of it that still waits.

    Raises:
        HeldError: if there is a hold on it, or on one of its sessions; nothing is entered then.
        StoreFailedError: if the database does not work.
    """
    found = find(engine, tenant, subject)
    with translated(), engine.execution_options(**WRITES).begin() as connection:
        check_free(connection, found.sessions, subject)
        waiting = (_ERASURES.tenant == tenant, _ERASURES.subject == subject)
        row = connection.execute(select(tables.erasures).where(*waiting)).first()
        if row is None:
            new = {
                "erasure_id": f"e_{secrets.token_hex(16)}",
                "tenant": tenant,
                "subject": subject,
                "asked_ms": _now_ms(),
                "done_ms": None,
                "counts": "{}",
            }
            connection.execute(insert(tables.erasures), new)
            row = connection.execute(select(tables.erasures).where(_ERASURES.erasure_id == new["erasure_id"])).one()
        return _erasure(row)


def note_erased(engine: Engine, erasure_id: str, counts: Mapping[str, int], *, is_done: bool) -> Erasure:
    """Enter what more was erased; and that it is all, if it is. Then who it was is forgotten."""
    mine = _ERASURES.erasure_id == erasure_id
    with translated(), engine.execution_options(**WRITES).begin() as connection:
        row = connection.execute(select(tables.erasures).where(mine).with_for_update()).one()
        total = Counter(json.loads(row.counts))
        total.update(counts)
        change: dict[str, object] = {"counts": json.dumps(total, sort_keys=True)}
        if is_done and row.done_ms is None:
            connection.execute(delete(tables.subjects).where(tables.subjects.c.subject == row.subject))
            change |= {"done_ms": _now_ms(), "subject": None}
        connection.execute(update(tables.erasures).where(mine).values(change))
        return _erasure(connection.execute(select(tables.erasures).where(mine)).one())


def drop_erasure(engine: Engine, erasure_id: str) -> None:
    """Forget an erasure of nothing."""
    with translated(), engine.execution_options(**WRITES).begin() as connection:
        connection.execute(delete(tables.erasures).where(_ERASURES.erasure_id == erasure_id))


def erasure(engine: Engine, erasure_id: str, tenant: str) -> Erasure | None:
    """Return an erasure of a tenant."""
    query = select(tables.erasures).where(_ERASURES.erasure_id == erasure_id, _ERASURES.tenant == tenant)
    with translated(), engine.connect() as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else _erasure(row)


def waiting_erasures(engine: Engine) -> list[Erasure]:
    """Return the erasures of all tenants that wait for something to end, oldest first."""
    query = select(tables.erasures).where(_ERASURES.done_ms.is_(None)).order_by(_ERASURES.asked_ms)
    with translated(), engine.connect() as connection:
        return [_erasure(row) for row in connection.execute(query)]


def _erasure(row: Row[tuple[object, ...]]) -> Erasure:
    return Erasure(row.erasure_id, row.tenant, row.subject, row.asked_ms, row.done_ms, json.loads(row.counts))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
