"""What people said of a session's texts: added to, and erased with the session."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue
from sqlalchemy import Connection, Engine, Row, func, insert, select

from dragoman.domain.errors import FeedbackFullError, FeedbackInvalidError, SessionUnknownError
from dragoman.domain.feedback import FEEDBACK, Correction, Rating
from dragoman.store import tables
from dragoman.store.database import WRITES, translated

MOST_ENTRIES: Final = 1_000
"""Of one session."""

_FEEDBACK = tables.feedback.c
_EVENTS = tables.events.c
_SAID: Final = ("kind", "part", "target", "utterance_id", "rating", "text", "locale", "comment")


@dataclass(frozen=True, slots=True)
class FeedbackRecord:
    """What somebody said, of which session, and when (Unix time); ``actor`` as in the audit trail."""

    feedback_id: str
    tenant: str
    session_id: str
    created_ms: int
    actor: str | None
    said: Rating | Correction

    def told(self) -> dict[str, JsonValue]:
        """Return what its tenant is told of it."""
        said = self.said.model_dump(mode="json")
        return {
            "feedback_id": self.feedback_id,
            "session_id": self.session_id,
            "created_ms": self.created_ms,
            "actor": self.actor,
            **{name: said[name] for name in _SAID if name in said},
        }


class FeedbackStore:
    """The feedback in a database. Every call waits for it, and raises ``StoreFailedError`` if it does not work."""

    def __init__(
        self,
        engine: Engine,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        most_entries: int = MOST_ENTRIES,
    ) -> None:
        self._reads = engine
        self._writes = engine.execution_options(**WRITES)
        self._now_ms = clock_ms
        self._most = most_entries

    def add(self, session_id: str, tenant: str, actor: str | None, said: Rating | Correction) -> FeedbackRecord:
        """Keep what somebody says of a tenant's session, live or of the past.

        Raises:
            SessionUnknownError: if the tenant has no such session.
            FeedbackInvalidError: if the session does not hold what is spoken of.
            FeedbackFullError: if as much was said of it as is kept.
        """
        record = FeedbackRecord(f"f_{secrets.token_hex(16)}", tenant, session_id, self._now_ms(), actor, said)
        with translated(), self._writes.begin() as connection:
            session = (
                select(tables.sessions.c.session_id)
                .where(tables.sessions.c.session_id == session_id, tables.sessions.c.tenant == tenant)
                .with_for_update(read=True, key_share=True)  # it is not erased meanwhile, and goes on all the same
            )
            if connection.scalar(session) is None:
                raise SessionUnknownError("There is no such session.")
            _check(connection, session_id, said)
            kept = select(func.count()).select_from(tables.feedback).where(_FEEDBACK.session_id == session_id)
            if (connection.scalar(kept) or 0) >= self._most:
                raise FeedbackFullError(f"{self._most} entries are kept of a session, and this one has as many.")
            connection.execute(insert(tables.feedback), _row(record))
        return record

    def of_session(self, session_id: str) -> list[FeedbackRecord]:
        """Return what was said of a session, oldest first."""
        query = (
            select(tables.feedback)
            .where(_FEEDBACK.session_id == session_id)
            .order_by(_FEEDBACK.created_ms, _FEEDBACK.feedback_id)
        )
        with translated(), self._reads.connect() as connection:
            return [_record(row) for row in connection.execute(query)]

    def since(self, since_ms: int, tenant: str | None = None, limit: int = 10_000) -> list[FeedbackRecord]:
        """Return what was said since a Unix time, of a tenant's sessions or of all, newest first."""
        query = select(tables.feedback).where(_FEEDBACK.created_ms >= since_ms)
        if tenant is not None:
            query = query.where(_FEEDBACK.tenant == tenant)
        query = query.order_by(_FEEDBACK.created_ms.desc(), _FEEDBACK.feedback_id).limit(limit)
        with translated(), self._reads.connect() as connection:
            return [_record(row) for row in connection.execute(query)]


def _check(connection: Connection, session_id: str, said: Rating | Correction) -> None:
    """Refuse feedback about what a session does not hold."""
    held = select(_EVENTS.seq).where(_EVENTS.session_id == session_id).limit(1)
    if said.utterance_id is not None:
        spoken = held.where(_EVENTS.key == said.utterance_id, _EVENTS.type == "transcript.final")
        if connection.scalar(spoken) is None:
            raise FeedbackInvalidError("The session has no such utterance; its transcript names those that there are.")
        if said.target and connection.scalar(held.where(_EVENTS.key == f"{said.utterance_id}/{said.target}")) is None:
            raise FeedbackInvalidError(f"This utterance was not translated into {said.target}.")
    elif said.target is not None:
        translated_so = _EVENTS.key.endswith(f"/{said.target}", autoescape=True)
        if connection.scalar(held.where(_EVENTS.type.like("translation.%"), translated_so)) is None:
            raise FeedbackInvalidError(f"Nothing of this session was translated into {said.target}.")
    else:
        wanted = "insight.ready" if said.part == "insight" else "transcript.final"
        if connection.scalar(held.where(_EVENTS.type == wanted)) is None:
            raise FeedbackInvalidError(f"The session has no {said.part} yet.")


def _row(record: FeedbackRecord) -> dict[str, str | int | None]:
    said = record.said.model_dump()
    return {
        "feedback_id": record.feedback_id,
        "tenant": record.tenant,
        "session_id": record.session_id,
        "created_ms": record.created_ms,
        "actor": record.actor,
        **{name: said.get(name) for name in _SAID},
    }


def _record(row: Row[tuple[object, ...]]) -> FeedbackRecord:
    kept = row._asdict()
    said = FEEDBACK.validate_python({name: kept[name] for name in _SAID if kept[name] is not None})
    return FeedbackRecord(row.feedback_id, row.tenant, row.session_id, row.created_ms, row.actor, said)
