"""The review queue of a database: what people said, read with what they said it of, and decided on."""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Engine

from dragoman.domain.errors import FeedbackInvalidError, FeedbackUnknownError
from dragoman.pipeline.transcript import Transcript, TranscriptBuilder
from dragoman.reviewing.entries import Entry, entries_of
from dragoman.store.audit import AuditTrail
from dragoman.store.feedback import FeedbackStore
from dragoman.store.reviews import ReviewStore
from dragoman.store.subjects import subjects_of

_MOST: Final = 100_000
"""Entries of a queue: who has more should review more often."""


class ReviewQueue:
    """A tenant's queue, or that of all without one. Every call waits for the database.

    Raises ``StoreFailedError`` if it does not work.
    """

    def __init__(self, engine: Engine, tenant: str | None = None) -> None:
        self._engine = engine
        self._feedback = FeedbackStore(engine)
        self._reviews = ReviewStore(engine)
        self._audit = AuditTrail(engine)
        self._tenant = tenant

    def entries(self) -> list[Entry]:
        """Return all entries in every state, what matters most first."""
        records = self._feedback.since(0, self._tenant, _MOST)
        sessions = {record.session_id for record in records}
        transcripts = {session_id: self._transcript(session_id) for session_id in sorted(sessions)}
        return entries_of(records, self._reviews.all(self._tenant), transcripts)

    def subjects(self, entries: Iterable[Entry]) -> dict[str, str]:
        """Return whose sessions they are about are, as digests, where it is one person's."""
        sessions = {entry.record.session_id for entry in entries}
        known = {session_id: subjects_of(self._engine, session_id) for session_id in sorted(sessions)}
        return {session_id: subjects[0] for session_id, subjects in known.items() if len(subjects) == 1}

    def one(self, feedback_id: str) -> Entry:
        """Return an entry.

        Raises:
            FeedbackUnknownError: if there is none of this id, or a later correction took its place.
        """
        for entry in self.entries():
            if entry.record.feedback_id == feedback_id:
                return entry
        raise FeedbackUnknownError(
            f"There is no feedback '{feedback_id}' to decide on: it is unknown, a later correction took its place, or "
            "it says that something is good. List it with: dragoman feedback list"
        )

    def accept(self, feedback_id: str, actor: str | None, text: str | None = None) -> None:
        """Accept how something should read, as suggested or as the reviewer says.

        Raises:
            FeedbackUnknownError: as ``one``.
            FeedbackInvalidError: if nobody says how it should read.
        """
        entry = self.one(feedback_id)
        if text is None and entry.record.said.kind == "rating":
            raise FeedbackInvalidError("A rating does not say how it should read; say it with --text.")
        if entry.utterance is None and entry.record.said.part != "insight":
            raise FeedbackInvalidError("It is about the whole session; nothing can be corrected there but the insight.")
        self._reviews.decide(feedback_id, self._tenant, "accepted", actor=actor, text=text)
        self._note(entry, actor, "feedback.accept", {"is_edited": int(text is not None)})

    def reject(self, feedback_id: str, actor: str | None, reason: str) -> None:
        """Reject something and say why; raises as ``one``."""
        entry = self.one(feedback_id)
        self._reviews.decide(feedback_id, self._tenant, "rejected", actor=actor, reason=reason)
        self._note(entry, actor, "feedback.reject", {})

    def _note(self, entry: Entry, actor: str | None, action: str, details: dict[str, str | int | None]) -> None:
        record = entry.record
        told = {"session": record.session_id, "part": record.said.part, **details}
        self._audit.add(record.tenant, actor, action, record.feedback_id, told)

    def _transcript(self, session_id: str) -> Transcript:
        builder = TranscriptBuilder()
        for event in self._reviews.events(session_id):
            builder.add(event)
        return builder.transcript()
