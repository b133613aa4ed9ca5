"""The steps as Azure ML calls them: ``POST /score``, flat JSON in and out, and ``GET /health``."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from fastapi import FastAPI, Request, Response, params
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from dragoman.domain.errors import ChatFilteredError, DragomanError, LocaleError, SettingsError
from dragoman.domain.insight import Claim
from dragoman.domain.language import parse_target
from dragoman.insight.answering import Answer
from dragoman.insight.conversation import Conversation
from dragoman.resources import code_digest
from dragoman.settings import Settings
from dragoman.steps import Steps

Json = dict[str, JsonValue]

CODE: Final = "x-dragoman-code"
"""The header that says which code answers: the digest that evidence speaks of."""

_LARGEST: Final = 16 << 20
_USERS: Final = (ChatFilteredError, LocaleError)
"""Errors of whoever asks."""


class _Input(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    conversation: Conversation
    language: str = "en"


class _Question(_Input):
    question: Annotated[str, Field(min_length=1, max_length=2_000)]


@dataclass(frozen=True, slots=True)
class Scored:
    """A flow behind ``/score``: ``stream`` is there for those whose answer is text."""

    run: Callable[[bytes], Awaitable[Json]]
    stream: Callable[[bytes], AsyncGenerator[tuple[str, str], None]] | None = None


def scored(flow: str, settings: Settings) -> Scored:
    """Return a flow, with its engines.

    Raises:
        DragomanError: if it cannot be run as it is set.
    """
    return {"insight": _insight, "answer": _answer}[flow](settings)


FLOWS: Final = ("insight", "answer")
"""What can be served."""


def create_score_app(flow: str, settings: Settings) -> FastAPI:
    """Return the application of one flow; raises as ``scored``."""
    app = FastAPI(title=f"Dragoman {flow}", openapi_url=None)
    add_score(app, "/score", scored(flow, settings))

    @app.get("/health")
    async def health() -> PlainTextResponse:
        """Answer while the process lives."""
        return PlainTextResponse("ok\n")

    return app


def add_score(app: FastAPI, path: str, flow: Scored, dependencies: Sequence[params.Depends] = ()) -> None:
    """Add the route of a flow."""
    code = {CODE: code_digest()}  # now: files may change while the process lives

    @app.post(path, dependencies=list(dependencies))
    async def score(request: Request) -> Response:
        """Run the flow; ``Accept: text/event-stream`` streams, where the answer is text."""
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > _LARGEST:
                break
        try:
            if len(body) > _LARGEST:
                return _refused("UserError", f"The body has more than {_LARGEST >> 20} MiB.", 413)
            if flow.stream and "text/event-stream" in request.headers.get("accept", ""):
                told = flow.stream(body)
                first = await anext(told)  # what is wrong with the question has a status of its own
                return StreamingResponse(_events(first, told), media_type="text/event-stream")
            return JSONResponse(await flow.run(body), headers=code)
        except ValidationError as error:
            found = error.errors(include_input=False, include_url=False, include_context=False)
            return _refused(
                "UserError", "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in found)
            )
        except _USERS as error:
            return _refused("UserError", str(error))
        except DragomanError as error:
            return _refused("SystemError", str(error), 503 if error.retryable else 502)


def _refused(code: str, message: str, status: int = 400) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": message}}, status)


def _insight(settings: Settings) -> Scored:
    step = Steps(settings).insight(_words("insight", settings))
    step = step if settings.flow_shots is None else step.with_shots(settings.flow_shots)

    async def run(body: bytes) -> Json:
        given = _Input.model_validate_json(body)
        insight = await step.run(given.conversation, parse_target(given.language))
        return {"insight": insight.model_dump(mode="json")}

    return Scored(run)


def _answer(settings: Settings) -> Scored:
    step = Steps(settings).answer(_words("answer", settings))
    step = step if settings.flow_shots is None else step.with_shots(settings.flow_shots)

    async def run(body: bytes) -> Json:
        given = _Question.model_validate_json(body)
        answer = await step.run(given.question, given.conversation, parse_target(given.language))
        return {"answer": answer.model_dump(mode="json")}

    async def stream(body: bytes) -> AsyncGenerator[tuple[str, str], None]:
        given = _Question.model_validate_json(body)
        told = step.stream(given.question, given.conversation, parse_target(given.language))
        async with aclosing(told):
            async for item in told:
                yield _named(item), item.model_dump_json()

    return Scored(run, stream)


def _words(flow: str, settings: Settings) -> Path | None:
    """Return the folder of a flow's words, which Azure ML may put into another one; ``None`` for those that ship.

    Raises:
        SettingsError: if they are not there.
    """
    if settings.flow_folder is None:
        return None
    name = f"{flow}_system.jinja2"
    for folder in (settings.flow_folder, *sorted(each for each in settings.flow_folder.glob("*") if each.is_dir())):
        if (folder / name).is_file():
            return folder
    raise SettingsError(
        f"There is no '{name}' in '{settings.flow_folder}', nor in a folder in it: it holds no flow '{flow}'. "
        "Set DRAGOMAN_FLOW_FOLDER to the folder of its words, or deploy the model of this flow."
    )


def _named(item: Claim | Answer) -> str:
    return "answer" if isinstance(item, Answer) else "sentence"


async def _events(first: tuple[str, str], rest: AsyncGenerator[tuple[str, str], None]) -> AsyncGenerator[str, None]:
    """Yield server-sent events; trouble that comes after the status is one of them."""
    yield _event(*first)
    try:
        async with aclosing(rest):
            async for name, data in rest:
                yield _event(name, data)
    except DragomanError as error:
        yield _event("error", json.dumps({"code": error.code, "message": str(error)}))


def _event(name: str, data: str) -> str:
    return f"event: {name}\ndata: {data}\n\n"
