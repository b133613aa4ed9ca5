"""Questions about sessions, live or of the past."""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from dragoman.api.auth import Caller
from dragoman.api.document import EVENT_STREAM, answered, refused
from dragoman.api.door import Door
from dragoman.api.transcripts import read_back
from dragoman.domain.errors import DragomanError
from dragoman.domain.insight import Claim
from dragoman.domain.language import parse_target
from dragoman.insight.answering import Answer
from dragoman.monitoring.costs import ANSWER, tokens_of
from dragoman.monitoring.purse import Purse
from dragoman.pipeline.recorded import conversation_of
from dragoman.store.scope import Scope


class Question(BaseModel):
    """What is asked, about which sessions, and the language of the answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: Annotated[str, Field(min_length=1, max_length=2_000)]
    sessions: Annotated[tuple[str, ...], Field(min_length=1, max_length=100)]
    language: str = "en"


def add_answers(app: FastAPI, door: Door) -> None:
    """Add the route."""
    reader = door.admitted(Scope.TRANSCRIPTS)

    refusals = refused(
        *("budget_exhausted", "chat_failed", "chat_filtered", "engine_failed", "engine_refused"),
        *("locale_invalid", "request_invalid", "session_unknown"),
    )
    streamed = answered(200, EVENT_STREAM)

    @app.post("/v1/answers", response_model=Answer, responses={**refusals, **streamed})
    async def answer(asked: Question, request: Request, caller: Caller = reader) -> Response:
        """Answer from what was said; ``Accept: text/event-stream`` streams the sentences as they are borne out."""
        language = parse_target(asked.language)
        records = [await door.server.allowed(session_id, caller) for session_id in asked.sessions]
        for record in records:
            await door.note(caller, "transcript.ask", record.session_id, door.server.versions.of_answer())
        transcripts = [await read_back(door.server.hub.stored(record.session_id)) for record in records]
        conversation = conversation_of(transcripts)
        step = door.server.runtime.steps.answer()
        purse = door.server.purse
        if "text/event-stream" in request.headers.get("accept", ""):
            await purse.check(caller.tenant)  # later there is no status any more
            told = _paid(purse, caller.tenant, step.stream(asked.question, conversation, language))
            return StreamingResponse(_events(told), media_type=EVENT_STREAM)
        async with purse.spending(caller.tenant, ANSWER) as receipt:
            whole = await step.run(asked.question, conversation, language)
            receipt.consumed = tokens_of(whole.costs)
        return JSONResponse(whole.model_dump(mode="json"))


async def _paid(
    purse: Purse, tenant: str, told: AsyncGenerator[Claim | Answer, None]
) -> AsyncGenerator[Claim | Answer, None]:
    async with purse.spending(tenant, ANSWER) as receipt, aclosing(told):
        async for item in told:
            if isinstance(item, Answer):
                receipt.consumed = tokens_of(item.costs)
            yield item


async def _events(told: AsyncGenerator[Claim | Answer, None]) -> AsyncGenerator[str, None]:
    """Yield ``sentence`` events and an ``answer``, or an ``error``, which comes too late for a status."""
    try:
        async with aclosing(told):
            async for item in told:
                yield _event("answer" if isinstance(item, Answer) else "sentence", item.model_dump_json())
    except DragomanError as error:
        yield _event("error", json.dumps({"code": error.code, "message": str(error)}))


def _event(name: str, data: str) -> str:
    return f"event: {name}\ndata: {data}\n\n"
