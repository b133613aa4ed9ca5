"""Which alerts stand, and who is to be told of them: the same for all servers, so that nobody is told twice."""

import json
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue
from sqlalchemy import Engine, insert, select, update

from dragoman.store import tables
from dragoman.store.database import WRITES, translated
from dragoman.store.outbox import Hook, close_call, take_due

_ALERTS = tables.alerts.c


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """How one alert stands; ``since_ms`` is when that began (Unix time), ``message`` what was told of it last."""

    rule: str
    subject: str
    is_firing: bool
    since_ms: int
    severity: int
    message: str

    def told(self) -> dict[str, JsonValue]:
        """Return what somebody is told of it."""
        return {
            "type": "alert",
            "state": "fired" if self.is_firing else "resolved",
            "rule": self.rule,
            "subject": self.subject,
            "severity": self.severity,
            "message": self.message,
            "since_ms": self.since_ms,
        }


Change = Callable[[AlertRecord | None], AlertRecord | None]
"""Says how an alert stands from now on by how it stood; ``None`` if nothing changed."""


class AlertStore:
    """The alerts in a database. Every call waits for it, and raises ``StoreFailedError`` if it does not work."""

    def __init__(self, engine: Engine, clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._reads = engine
        self._writes = engine.execution_options(**WRITES)
        self._now_ms = clock_ms

    def all(self) -> list[AlertRecord]:
        """Return all alerts that were ever told of, those that fire first, newest first."""
        query = select(tables.alerts).order_by(_ALERTS.is_firing.desc(), _ALERTS.since_ms.desc(), _ALERTS.rule)
        with translated(), self._reads.connect() as connection:
            return [AlertRecord(**row._asdict()) for row in connection.execute(query)]

    def change(
        self, rule: str, subject: str, decide: Change, urls: Sequence[str]
    ) -> tuple[AlertRecord, Literal["fired", "resolved"]] | None:
        """Decide how an alert stands, and enter the calls that tell of it, both or neither; ``None`` if as before."""
        mine = (_ALERTS.rule == rule, _ALERTS.subject == subject)
        with translated(), self._writes.begin() as connection:
            if connection.dialect.name == "postgresql":  # an alert that is not there yet cannot be locked by its row
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(4711008)")
            row = connection.execute(select(tables.alerts).where(*mine)).one_or_none()
            after = decide(None if row is None else AlertRecord(**row._asdict()))
            if after is None:
                return None
            values = {name: getattr(after, name) for name in _FIELDS}
            if row is None:
                connection.execute(insert(tables.alerts), values)
            else:
                connection.execute(update(tables.alerts).where(*mine).values(values))
            for url in urls:
                call = {
                    "call_id": f"a_{secrets.token_hex(16)}",
                    "url": url,
                    "body": json.dumps(after.told(), ensure_ascii=False),
                    "attempts": 0,
                    "due_ms": self._now_ms(),
                    "is_open": True,
                }
                connection.execute(insert(tables.alert_calls), call)
        return after, "fired" if after.is_firing else "resolved"

    def due_hook(self, pause_ms: int) -> Hook | None:
        """Take a call that is due; see ``Outbox``."""
        with translated(), self._writes.begin() as connection:
            return take_due(connection, "alert_calls", "call_id", self._now_ms(), pause_ms)

    def told(self, about: str) -> None:
        """Enter that a call was made, or is given up."""
        with translated(), self._writes.begin() as connection:
            close_call(connection, "alert_calls", "call_id", about)


_FIELDS = ("rule", "subject", "is_firing", "since_ms", "severity", "message")
