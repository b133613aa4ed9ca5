"""The door for clients of OpenAI's audio API: a file in, its text out, in that API's formats and with its errors."""

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, FastAPI, File, Form, Response, UploadFile
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from pydantic import Field

from dragoman.api.auth import Caller
from dragoman.api.document import EVENT_STREAM, OPENING, UNREADABLE, answered, refused
from dragoman.api.door import Door
from dragoman.api.openai_documents import (
    ENGLISH,
    Task,
    joint,
    languages_of,
    phrases_of,
    text_of,
    to_brief,
    to_captions,
    to_verbose,
    untranslated,
)
from dragoman.api.openai_problems import (
    FieldError,
    OpenAiRoute,
    SessionFailedError,
    late_refusal,
    refusal,
    unknown_route,
)
from dragoman.api.transcripts import read_back
from dragoman.api.uploads import begin, subjects_of_form
from dragoman.domain.errors import TranslationFailedError
from dragoman.domain.events import ErrorEvent
from dragoman.domain.language import base_language, default_locale, parse_locale
from dragoman.domain.recognition import choose_recognition
from dragoman.pipeline.transcript import Transcript, TranscriptBuilder
from dragoman.runtime import Wishes
from dragoman.serving.kept import KeptTranscription
from dragoman.store.scope import Scope

_Format = Literal["json", "text", "srt", "verbose_json", "vtt"]
_Granularity = Literal["word", "segment"]
_STREAMED: Final = frozenset({"json", "text"})
_MOST_PHRASES: Final = 500

_Upload = Annotated[UploadFile, File(description="Audio or video in any common format.")]
_Model = Annotated[str, Form(min_length=1, description="Any name: the server's own model answers.")]
_Language = Annotated[str | None, Form(description="ISO 639-1, or a locale; without it all of the model's.")]
_Languages = Annotated[list[str] | None, Form(alias="languages[]", description="Candidates, ISO 639-1.")]
_Word = Annotated[str, Field(min_length=1, max_length=200)]
_Keywords = Annotated[list[_Word] | None, Form(alias="keywords[]", description="Words to expect.")]
_Prompt = Annotated[str, Form(description="Names and words to expect, with commas; prose is left out.")]
_Subjects = Annotated[tuple[str, ...], Depends(subjects_of_form)]
_Temperature = Annotated[float, Form(ge=0, le=1, description="Changes nothing: this server does not sample.")]
_Granularities = Annotated[list[_Granularity] | None, Form(alias="timestamp_granularities[]")]


def add_openai(app: FastAPI, door: Door) -> None:
    """Add the routes."""
    reader = door.admitted(Scope.TRANSCRIPTS)
    router = APIRouter(prefix="/v1/audio", route_class=OpenAiRoute)

    kept = {"Location": "Where the transcript is kept.", "x-request-id": "The session's id."}
    written = answered(200, "text/plain", headers=kept)
    streamed = answered(200, "text/plain", EVENT_STREAM, headers=kept)
    refusals = refused(
        *(*OPENING, *UNREADABLE, "key_refused", "origin_refused", "request_invalid", "token_keys_missing"),
        *("translation_failed",),
        shape="OpenAiProblem",
        invalid=400,
    )

    @router.post("/transcriptions", responses={**refusals, **streamed})
    async def transcribe(
        file: _Upload,
        model: _Model,
        subjects: _Subjects,
        language: _Language = None,
        languages: _Languages = None,
        keywords: _Keywords = None,
        prompt: _Prompt = "",
        response_format: Annotated[_Format, Form()] = "json",
        temperature: _Temperature = 0,
        timestamp_granularities: _Granularities = None,
        stream: Annotated[bool, Form(description="Server-sent events, for json and text.")] = False,
        caller: Caller = reader,
    ) -> Response:
        """Transcribe a file."""
        if stream and response_format not in _STREAMED:
            raise FieldError("stream", f"'{response_format}' is not streamed; use json or text, or leave stream out.")
        candidates = _candidates(language, languages)
        asked: frozenset[_Granularity] = frozenset(timestamp_granularities or ["segment"])
        wishes = Wishes(
            candidates,
            word_times="word" in asked and response_format == "verbose_json",
            recognition=choose_recognition((*(keywords or ()), *phrases_of(prompt))[:_MOST_PHRASES]),
        )
        kept = await begin(door.server, file, wishes, caller, subjects=subjects)
        if stream:
            return StreamingResponse(_told(kept), media_type=EVENT_STREAM, headers=_headers(kept))
        transcript = await read_back(kept.events())
        return _document(kept, transcript, "transcribe", response_format, asked, candidates)

    @router.post("/translations", responses={**refusals, **written})
    async def translate(
        file: _Upload,
        model: _Model,
        subjects: _Subjects,
        language: _Language = None,
        languages: _Languages = None,
        prompt: _Prompt = "",
        response_format: Annotated[_Format, Form()] = "json",
        temperature: _Temperature = 0,
        caller: Caller = reader,
    ) -> Response:
        """Transcribe a file, and say it in English."""
        recognition = choose_recognition(phrases_of(prompt))
        wishes = Wishes(_candidates(language, languages), translate=(ENGLISH,), recognition=recognition)
        kept = await begin(door.server, file, wishes, caller, subjects=subjects)
        return _document(kept, await read_back(kept.events()), "translate", response_format)

    @router.post("/{rest:path}", include_in_schema=False)
    async def elsewhere(rest: str) -> Response:
        """Say what there is."""
        return unknown_route()

    app.include_router(router)


def _candidates(language: str | None, languages: Sequence[str] | None) -> tuple[str, ...] | None:
    """Return the usual locales of ISO 639-1 codes; a locale stays what it is."""
    codes = [language] if language else languages or ()
    usual = [default_locale(code) if base_language(code) == code else parse_locale(code) for code in codes]
    return tuple(usual) or None


def _headers(kept: KeptTranscription) -> dict[str, str]:
    """Return where the session is; OpenAI's clients show its id as that of the request."""
    return {"Location": f"/v1/transcripts/{kept.session_id}", "x-request-id": kept.session_id}


def _document(
    kept: KeptTranscription,
    transcript: Transcript,
    task: Task,
    wanted: _Format,
    granularities: frozenset[_Granularity] = frozenset({"segment"}),
    candidates: Sequence[str] | None = None,
) -> Response:
    headers = _headers(kept)
    # There is no place for what went wrong beside the text, and half a transcript must not look like a whole one.
    if transcript.errors:
        return refusal(SessionFailedError(transcript.errors[0]), headers)
    if task == "translate" and untranslated(transcript):
        return refusal(TranslationFailedError("Not all of it could be translated into English; try again."), headers)
    match wanted:
        case "json":
            return JSONResponse(to_brief(transcript, task), headers=headers)
        case "verbose_json":
            return JSONResponse(to_verbose(transcript, task, granularities, candidates), headers=headers)
        case "text":
            return PlainTextResponse(text_of(transcript, task) + "\n", headers=headers)
        case "srt" | "vtt":
            return PlainTextResponse(to_captions(transcript, task, wanted), headers=headers)


async def _told(kept: KeptTranscription) -> AsyncGenerator[str, None]:
    """Yield what is said while it is heard, and at the end all of it."""
    builder = TranscriptBuilder()
    is_first = True
    async with aclosing(kept.events()) as events:
        async for event in events:
            if isinstance(event, ErrorEvent):
                yield _data(late_refusal(SessionFailedError(event)))
                return
            for utterance in builder.add(event):
                if utterance.text:
                    before = "" if is_first else joint(utterance, "transcribe")
                    yield _data({"type": "transcript.text.delta", "delta": before + utterance.text})
                    is_first = False
    transcript = builder.transcript()
    text, languages = text_of(transcript, "transcribe"), languages_of(transcript)
    yield _data({"type": "transcript.text.done", "text": text, "languages": languages})


def _data(body: object) -> str:
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n"
