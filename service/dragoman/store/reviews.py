"""What became of feedback: a person accepted it, or rejected it and said why. It goes with its session."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Engine, delete, insert, select

from dragoman.domain.errors import FeedbackUnknownError
from dragoman.domain.events import Event, from_json
from dragoman.store import tables
from dragoman.store.database import WRITES, translated

Decision = Literal["accepted", "rejected"]

_FEEDBACK = tables.feedback.c
_REVIEWS = tables.reviews.c


@dataclass(frozen=True, slots=True)
class Review:
    """What somebody decided, and when (Unix time); ``text`` is how it should read, if not as it was suggested."""

    feedback_id: str
    state: Decision
    text: str | None
    reason: str | None
    actor: str | None
    decided_ms: int


class ReviewStore:
    """The reviews in a database. Every call waits for it, and raises ``StoreFailedError`` if it does not work."""

    def __init__(self, engine: Engine, clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._reads = engine
        self._writes = engine.execution_options(**WRITES)
        self._now_ms = clock_ms

    def decide(
        self,
        feedback_id: str,
        tenant: str | None,
        state: Decision,
        *,
        actor: str | None = None,
        reason: str | None = None,
        text: str | None = None,
    ) -> Review:
        """Keep what was decided of a tenant's feedback, or of anybody's without one; it takes the place of an earlier.

        Raises:
            FeedbackUnknownError: if there is no such feedback there.
        """
        review = Review(feedback_id, state, text, reason, actor, self._now_ms())
        query = select(_FEEDBACK.feedback_id).where(_FEEDBACK.feedback_id == feedback_id)
        if tenant is not None:
            query = query.where(_FEEDBACK.tenant == tenant)
        with translated(), self._writes.begin() as connection:
            if connection.scalar(query.with_for_update(key_share=True)) is None:
                raise FeedbackUnknownError("There is no such feedback, or its session was erased.")
            connection.execute(delete(tables.reviews).where(_REVIEWS.feedback_id == feedback_id))
            row = {name: getattr(review, name) for name in Review.__slots__}
            connection.execute(insert(tables.reviews), row)
        return review

    def all(self, tenant: str | None = None) -> dict[str, Review]:
        """Return every review, of a tenant's feedback or of all, by what it is of."""
        query = select(tables.reviews)
        if tenant is not None:
            mine = select(_FEEDBACK.feedback_id).where(_FEEDBACK.tenant == tenant)
            query = query.where(_REVIEWS.feedback_id.in_(mine))
        with translated(), self._reads.connect() as connection:
            return {row.feedback_id: Review(**row._asdict()) for row in connection.execute(query)}

    def events(self, session_id: str) -> list[Event]:
        """Return what a session said, in order."""
        found = tables.events.c
        query = select(found.body).where(found.session_id == session_id).order_by(found.seq)
        with translated(), self._reads.connect() as connection:
            return [from_json(body) for body in connection.scalars(query)]
