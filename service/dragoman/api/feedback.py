"""What people say of a session's texts: ratings and corrections, given and read."""

import asyncio

from fastapi import FastAPI
from fastapi.responses import JSONResponse

from dragoman.api.auth import Caller
from dragoman.api.document import refused
from dragoman.api.door import Door
from dragoman.api.past import there
from dragoman.domain.feedback import Feedback
from dragoman.store.feedback import FeedbackStore
from dragoman.store.scope import Scope


def add_feedback(app: FastAPI, door: Door) -> None:
    """Add the routes."""
    reader = door.admitted(Scope.TRANSCRIPTS)

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
