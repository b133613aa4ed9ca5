"""What people say of a session's texts: ratings and corrections, given, read and decided on."""

import asyncio
from typing import Annotated, Literal, Self

from fastapi import FastAPI, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, model_validator

from dragoman.api.auth import Caller
from dragoman.api.document import refused
from dragoman.api.door import Door
from dragoman.api.past import there
from dragoman.domain.feedback import MOST_COMMENT, MOST_TEXT, NO_ZERO, Feedback
from dragoman.reviewing.entries import told
from dragoman.reviewing.queue import ReviewQueue
from dragoman.store.feedback import FeedbackStore
from dragoman.store.scope import Scope


class Decision(BaseModel):
    """What a reviewer decides: ``text`` is how it should read, if not as suggested; ``reason`` why it is rejected."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    state: Literal["accepted", "rejected"]
    text: Annotated[str | None, Field(max_length=MOST_TEXT, pattern=NO_ZERO)] = None
    reason: Annotated[str | None, Field(min_length=1, max_length=MOST_COMMENT, pattern=NO_ZERO)] = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.state == "rejected") != (self.reason is not None):
            raise ValueError("say why it is rejected, and of nothing else")
        if self.state == "rejected" and self.text is not None:
            raise ValueError("what is rejected should read like nothing")
        return self


def add_feedback(app: FastAPI, door: Door) -> None:
    """Add the routes."""
    reader, reviewer = door.admitted(Scope.TRANSCRIPTS), door.admitted(Scope.ADMIN)

    gone = refused("session_unknown", "session_erased")
    why_not = {**gone, **refused("feedback_full")}

    @app.post("/v1/sessions/{session_id}/feedback", status_code=201, responses=why_not)
    async def give(session_id: str, feedback: Feedback, caller: Caller = reader) -> JSONResponse:
        """Rate or correct a transcript, a translation or an insight of a session, live or of the past."""
        record = await there(door, session_id, caller)
        store = FeedbackStore(door.server.engine)
        kept = await asyncio.to_thread(store.add, record.session_id, caller.tenant, caller.owner, feedback)
        await door.note(caller, "feedback.give", session_id, {"kind": feedback.kind, "part": feedback.part})
        return JSONResponse(kept.told(), status_code=201)

    @app.get("/v1/sessions/{session_id}/feedback", responses=gone)
    async def given(session_id: str, caller: Caller = reader) -> JSONResponse:
        """Return what was said of a session, oldest first."""
        record = await there(door, session_id, caller)
        found = await asyncio.to_thread(FeedbackStore(door.server.engine).of_session, record.session_id)
        await door.note(caller, "feedback.read", session_id)
        return JSONResponse({"feedback": [each.told() for each in found]})

    @app.get("/v1/feedback")
    async def waiting(
        state: Annotated[
            Literal["open", "accepted", "rejected", "all"], Query(description="What became of it.")
        ] = "open",
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
        caller: Caller = reader,
    ) -> JSONResponse:
        """Return what was said of a tenant's sessions and what became of it, what matters most first."""
        queue = ReviewQueue(door.server.engine, caller.tenant)
        entries = [each for each in await asyncio.to_thread(queue.entries) if state in ("all", each.state)]
        await door.note(caller, "feedback.list", state, {"entries": len(entries)})
        return JSONResponse({"feedback": [told(each) for each in entries[:limit]], "entries": len(entries)})

    @app.post("/v1/feedback/{feedback_id}/review", responses=refused("feedback_unknown"))
    async def decide(feedback_id: str, decision: Decision, caller: Caller = reviewer) -> JSONResponse:
        """Accept how something should read, or reject it and say why."""
        queue = ReviewQueue(door.server.engine, caller.tenant)
        if decision.state == "accepted":
            await asyncio.to_thread(queue.accept, feedback_id, caller.owner, decision.text)
        else:
            await asyncio.to_thread(queue.reject, feedback_id, caller.owner, decision.reason or "")
        return JSONResponse(told(await asyncio.to_thread(queue.one, feedback_id)))
