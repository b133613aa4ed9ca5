"""The HTTP door's first room: files in, transcripts or a stream of events out, and whether we are ready.

Sessions, WebSockets, storage and keys are not here yet, so it is bound to the loopback interface only.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Annotated, Literal

from fastapi import FastAPI, File, Form, Request, Response, UploadFile
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse

from dragoman import __version__
from dragoman.domain.errors import DragomanError
from dragoman.domain.events import DurableEvent, to_json
from dragoman.domain.language import LidMode
from dragoman.pipeline.captions import FORMATS
from dragoman.pipeline.transcript import TranscriptBuilder
from dragoman.runtime import Recording, Runtime, Wishes

_MEDIA_TYPES = {
    "json": "application/json",
    "srt": "application/x-subrip",
    "vtt": "text/vtt",
    "tsv": "text/tab-separated-values",
    "text": "text/plain",
}


def create_app(runtime: Runtime) -> FastAPI:
    """Return the application on a runtime, which it closes when it stops."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with runtime:
            yield

    app = FastAPI(title="Dragoman", version=__version__, lifespan=lifespan)

    @app.exception_handler(DragomanError)
    async def refuse(request: Request, error: DragomanError) -> JSONResponse:
        return JSONResponse(_problem(error.code, str(error)), status_code=422)

    @app.get("/healthz")
    async def healthz() -> PlainTextResponse:
        """Answer while the process lives."""
        return PlainTextResponse("ok\n")

    @app.get("/readyz")
    async def readyz() -> JSONResponse:
        """Answer 200 once the model is loaded, 503 with the reason while it cannot be."""
        try:
            name = await runtime.ready()
        except DragomanError as error:
            return JSONResponse(_problem(error.code, str(error)), status_code=503)
        return JSONResponse({"engine": "whisper", "model": name})

    @app.post("/v1/transcripts")
    async def transcripts(
        file: Annotated[UploadFile, File(description="Audio or video in any common format.")],
        languages: Annotated[str | None, Form(description="Candidates, for example en-US,de-DE.")] = None,
        lid: Annotated[LidMode, Form()] = LidMode.CONTINUOUS,
        translate: Annotated[str, Form(description="Target languages, for example en,fr.")] = "",
        word_times: Annotated[bool, Form()] = False,
        channel: Annotated[int | None, Form(ge=0)] = None,
        format: Annotated[Literal["json", "jsonl", "srt", "vtt", "tsv", "text"], Form()] = "json",  # noqa: A002
    ) -> Response:
        """Transcribe one file; ``jsonl`` streams its events while it is worked on."""
        wishes = Wishes(_tags(languages) if languages else None, lid, _tags(translate), word_times)
        recording = Recording(file.file, name=file.filename, channel=channel)
        events = runtime.transcribe(recording, wishes)
        if format == "jsonl":
            return StreamingResponse(_lines(events), media_type="application/x-ndjson")
        builder = TranscriptBuilder()
        async with aclosing(events):
            async for event in events:
                builder.add(event)
        transcript = builder.transcript()
        if transcript.errors and not transcript.utterances:
            error = transcript.errors[0]
            return JSONResponse(_problem(error.code, error.message), status_code=422)
        return Response(FORMATS[format](transcript), media_type=_MEDIA_TYPES[format])

    return app


async def _lines(events: AsyncGenerator[DurableEvent, None]) -> AsyncIterator[str]:
    async with aclosing(events):
        async for event in events:
            yield to_json(event) + "\n"


def _tags(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip() for part in text.split(","))))


def _problem(code: str, message: str) -> dict[str, dict[str, str]]:
    return {"error": {"code": code, "message": message}}
