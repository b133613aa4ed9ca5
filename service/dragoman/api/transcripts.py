"""Files in, transcripts out; and the transcript of any session, live or of the past."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Annotated, Final, Literal

from fastapi import Depends, FastAPI, File, Form, Query, Response, UploadFile
from fastapi.responses import JSONResponse, StreamingResponse

from dragoman.api.auth import Caller
from dragoman.api.document import OPENING, UNREADABLE, answered, refused
from dragoman.api.door import Door
from dragoman.api.past import there
from dragoman.api.uploads import begin, subjects_of_form, wishes_of_form
from dragoman.domain.errors import CaptionsLanguageError
from dragoman.domain.events import DurableEvent, to_json
from dragoman.domain.language import parse_target
from dragoman.pipeline.captions import CAPTIONS, FORMATS
from dragoman.pipeline.transcript import Transcript, TranscriptBuilder
from dragoman.runtime import Wishes
from dragoman.store.scope import Scope

_MEDIA_TYPES: Final = {
    "json": "application/json",
    "jsonl": "application/x-ndjson",
    "srt": "application/x-subrip",
    "vtt": "text/vtt",
    "tsv": "text/tab-separated-values",
    "text": "text/plain",
}
_Format = Literal["json", "jsonl", "srt", "vtt", "tsv", "text"]


def add_transcripts(app: FastAPI, door: Door) -> None:
    """Add the routes."""
    reader = door.admitted(Scope.TRANSCRIPTS)

    texts = [kind for name, kind in _MEDIA_TYPES.items() if name != "json"]
    opening = refused(*OPENING, *UNREADABLE, "request_invalid")
    begun = answered(200, *texts, headers={"Location": "Where the transcript is kept."})

    @app.post("/v1/transcripts", response_model=Transcript, responses={**opening, **begun})
    async def transcribe(
        file: Annotated[UploadFile, File(description="Audio or video in any common format.")],
        wishes: Annotated[Wishes, Depends(wishes_of_form)],
        subjects: Annotated[tuple[str, ...], Depends(subjects_of_form)],
        channel: Annotated[int | None, Form(ge=0, le=7)] = None,
        captions_in: Annotated[str | None, Form(description="Language of srt and vtt: one of translate.")] = None,
        format: Annotated[_Format, Form()] = "json",  # noqa: A002
        caller: Caller = reader,
    ) -> Response:
        """Transcribe one file and keep the transcript; ``jsonl`` streams its events while it is worked on."""
        _check_captions(format, wishes, captions_in)
        kept = await begin(door.server, file, wishes, caller, channel, subjects)
        events = kept.events()
        location = {"Location": f"/v1/transcripts/{kept.session_id}"}
        if format == "jsonl":
            return StreamingResponse(_lines(events), media_type=_MEDIA_TYPES[format], headers=location)
        transcript = await read_back(events)
        if transcript.errors and not transcript.utterances:
            error = transcript.errors[0]
            body = {"error": {"code": error.code, "message": error.message, "retryable": False}}
            return JSONResponse(body, status_code=422, headers=location)
        return _document(transcript, format, captions_in, location)

    gone = refused("session_unknown", "session_erased")

    @app.get("/v1/transcripts/{session_id}", response_model=Transcript, responses={**gone, **answered(200, *texts)})
    async def transcript(
        session_id: str,
        format: Annotated[_Format, Query()] = "json",  # noqa: A002
        captions_in: Annotated[str | None, Query(description="Language of srt and vtt.")] = None,
        caller: Caller = reader,
    ) -> Response:
        """Return what a session, live or of the past, has said so far."""
        record = await there(door, session_id, caller)
        await door.note(caller, "transcript.read", session_id, {"format": format})
        events = door.server.hub.stored(record.session_id)
        if format == "jsonl":
            return StreamingResponse(_lines(events), media_type=_MEDIA_TYPES[format])
        return _document(await read_back(events), format, captions_in, {})


def _check_captions(wanted: _Format, wishes: Wishes, captions_in: str | None) -> None:
    targets = [parse_target(target) for target in wishes.translate]
    if wanted in CAPTIONS and targets and (captions_in is None or parse_target(captions_in) not in targets):
        raise CaptionsLanguageError(
            "Captions hold one language; name one of translate with captions_in, or leave translate out."
        )


async def read_back(events: AsyncGenerator[DurableEvent, None]) -> Transcript:
    """Return the transcript that events make."""
    builder = TranscriptBuilder()
    async with aclosing(events):
        async for event in events:
            builder.add(event)
    return builder.transcript()


async def _lines(events: AsyncGenerator[DurableEvent, None]) -> AsyncGenerator[str, None]:
    async with aclosing(events):
        async for event in events:
            yield to_json(event) + "\n"


def _document(transcript: Transcript, wanted: _Format, captions_in: str | None, headers: Mapping[str, str]) -> Response:
    if wanted in CAPTIONS:
        text = CAPTIONS[wanted](transcript, parse_target(captions_in) if captions_in else None)
    else:
        text = FORMATS[wanted](transcript)
    return Response(text, media_type=_MEDIA_TYPES[wanted], headers=dict(headers))
