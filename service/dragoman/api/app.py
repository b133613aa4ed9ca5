"""The HTTP door's first room: files in, transcripts or a stream of events out, and whether we are ready.

Sessions, WebSockets, storage and keys are not here yet, so it is bound to the loopback interface only.
"""

import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import ExitStack, aclosing, asynccontextmanager
from typing import Annotated, Literal

from fastapi import FastAPI, File, Form, Request, Response, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse

from dragoman import __version__
from dragoman.domain.errors import DragomanError
from dragoman.domain.events import DurableEvent, to_json
from dragoman.domain.language import LidMode, parse_target, split_tags
from dragoman.pipeline.captions import CAPTIONS, FORMATS
from dragoman.pipeline.transcript import TranscriptBuilder
from dragoman.runtime import Recording, Runtime, Wishes

_MEDIA_TYPES = {
    "json": "application/json",
    "jsonl": "application/x-ndjson",
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

    @app.exception_handler(RequestValidationError)
    async def correct(request: Request, error: RequestValidationError) -> JSONResponse:
        problems = "; ".join(f"{problem['loc'][-1]}: {problem['msg']}" for problem in error.errors())
        return JSONResponse(_problem("request_invalid", f"The request cannot be read: {problems}."), status_code=422)

    @app.get("/healthz")
    async def healthz() -> PlainTextResponse:
        """Answer while the process lives."""
        return PlainTextResponse("ok\n")

    @app.get("/readyz")
    async def readyz() -> JSONResponse:
        """Answer 200 once the model is loaded, 503 with the reason while it cannot be."""
        try:
            engine = await runtime.ready()
        except DragomanError as error:
            return JSONResponse(_problem(error.code, str(error)), status_code=503)
        return JSONResponse({"engine": "whisper", "model": engine.model, "locales": engine.locales})

    @app.post("/v1/transcripts")
    async def transcripts(
        file: Annotated[UploadFile, File(description="Audio or video in any common format.")],
        languages: Annotated[str | None, Form(description="Candidates, for example en-US,de-DE.")] = None,
        lid: Annotated[LidMode, Form()] = LidMode.CONTINUOUS,
        translate: Annotated[str, Form(description="Target languages, for example en,fr.")] = "",
        word_times: Annotated[bool, Form()] = False,
        channel: Annotated[int | None, Form(ge=0)] = None,
        captions_in: Annotated[str | None, Form(description="Language of srt and vtt: one of translate.")] = None,
        format: Annotated[Literal["json", "jsonl", "srt", "vtt", "tsv", "text"], Form()] = "json",  # noqa: A002
    ) -> Response:
        """Transcribe one file; ``jsonl`` streams its events while it is worked on."""
        wishes = Wishes(split_tags(languages), lid, split_tags(translate), word_times)
        targets = [parse_target(target) for target in wishes.translate]
        captions_target = parse_target(captions_in) if captions_in else None
        if format in CAPTIONS and targets and captions_target not in targets:
            message = "Captions hold one language; name one of translate with captions_in, or leave translate out."
            return JSONResponse(_problem("captions_language", message), status_code=422)
        # A streamed answer may outlive the request's own file.
        with ExitStack() as stack:
            copy = stack.enter_context(os.fdopen(os.dup(file.file.fileno()), "rb"))
            transcription = await runtime.start(Recording(copy, name=file.filename, channel=channel), wishes)
            events = _closing(transcription.events(), stack.pop_all())
        if format == "jsonl":
            return StreamingResponse((to_json(event) + "\n" async for event in events), media_type=_MEDIA_TYPES[format])
        builder = TranscriptBuilder()
        async for event in events:
            builder.add(event)
        transcript = builder.transcript()
        if transcript.errors and not transcript.utterances:
            error = transcript.errors[0]
            return JSONResponse(_problem(error.code, error.message), status_code=422)
        text = CAPTIONS[format](transcript, captions_target) if format in CAPTIONS else FORMATS[format](transcript)
        return Response(text, media_type=_MEDIA_TYPES[format])

    return app


async def _closing(events: AsyncGenerator[DurableEvent, None], stack: ExitStack) -> AsyncIterator[DurableEvent]:
    with stack:
        async with aclosing(events):
            async for event in events:
                yield event


def _problem(code: str, message: str) -> dict[str, dict[str, str]]:
    return {"error": {"code": code, "message": message}}
