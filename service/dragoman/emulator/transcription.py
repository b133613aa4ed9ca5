"""The fast transcription door: a file in, its whole transcript out."""

from typing import Annotated, Final

from fastapi import FastAPI, File, Form, Query, UploadFile
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from pydantic.alias_generators import to_camel

from dragoman.domain.audio import to_ms
from dragoman.domain.errors import AudioLimitError, DragomanError
from dragoman.domain.events import ErrorEvent, SessionEnded, TranscriptFinal
from dragoman.domain.language import LidMode
from dragoman.emulator.doors import Refused, checked
from dragoman.runtime import Recording, Runtime, Wishes

VERSION: Final = "2025-10-15"
PATH: Final = "/speechtotext/transcriptions:transcribe"


class _Diarization(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel)

    enabled: bool = True
    max_speakers: int | None = None


class _Definition(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel)

    locales: tuple[str, ...] = ()
    diarization: _Diarization | None = None
    channels: tuple[Annotated[int, Field(ge=0, le=1)], ...] = ()


def add_transcription(app: FastAPI, runtime: Runtime) -> None:
    """Add the door to an application."""

    @app.post(PATH, dependencies=[checked("transcription")])
    async def transcribe(
        version: Annotated[str, Query(alias="api-version")],
        audio: Annotated[UploadFile, File()],
        definition: Annotated[str, Form()] = "{}",
    ) -> JSONResponse:
        """Transcribe a file: in its language, or in that of each utterance if several are named, or none."""
        if version != VERSION:
            raise Refused(400, "InvalidRequest", f"The API version is not valid; the emulator speaks {VERSION}.")
        try:
            asked = _Definition.model_validate_json(definition)
        except ValidationError as error:
            first = error.errors()[0]
            raise Refused(400, "InvalidRequest", f"definition: {first['loc']}: {first['msg']}") from error
        channels: tuple[int | None, ...] = asked.channels or (None,)
        heard = [await _channel(runtime, audio, asked, channel) for channel in channels]
        return JSONResponse(_result(heard, asked))


class _Heard(BaseModel):
    """One channel, or all of them mixed."""

    channel: int | None
    duration_ms: int
    finals: tuple[TranscriptFinal, ...]


async def _channel(runtime: Runtime, audio: UploadFile, asked: _Definition, channel: int | None) -> _Heard:
    wishes = Wishes(languages=asked.locales or None, lid=LidMode.CONTINUOUS, word_times=True)
    await audio.seek(0)
    finals: list[TranscriptFinal] = []
    duration_ms = 0
    try:
        async for event in runtime.transcribe(Recording(audio.file, channel=channel), wishes):
            match event:
                case TranscriptFinal():
                    finals.append(event)
                case SessionEnded():
                    duration_ms = to_ms(event.ledger.accepted_samples)
                case ErrorEvent():
                    raise Refused(*_error(event.code), event.message)
                case _:
                    pass
    except AudioLimitError as error:
        raise Refused(413, "InvalidRequest", str(error)) from error
    except DragomanError as error:
        raise Refused(400, "InvalidRequest", str(error)) from error
    return _Heard(channel=channel, duration_ms=duration_ms, finals=tuple(finals))


def _error(code: str) -> tuple[int, str]:
    if code == AudioLimitError.code:
        return 413, "InvalidRequest"
    return (422, "UnprocessableEntity") if code.startswith("audio_") else (500, "InternalServerError")


def _result(heard: list[_Heard], asked: _Definition) -> dict[str, JsonValue]:
    phrases = sorted(
        (_phrase(each.channel, final, asked) for each in heard for final in each.finals),
        key=lambda phrase: int(str(phrase["offsetMilliseconds"])),
    )
    combined: list[JsonValue] = [
        _in_channel(each.channel, {"text": " ".join(final.text for final in each.finals)}) for each in heard
    ]
    return {
        "durationMilliseconds": max(each.duration_ms for each in heard),
        "combinedPhrases": combined,
        "phrases": list(phrases),
    }


def _phrase(channel: int | None, final: TranscriptFinal, asked: _Definition) -> dict[str, JsonValue]:
    words: list[JsonValue] = [
        {
            "text": word.text,
            "offsetMilliseconds": word.start_ms,
            "durationMilliseconds": word.end_ms - word.start_ms,
        }
        for word in final.words
    ]
    phrase: dict[str, JsonValue] = {
        "offsetMilliseconds": final.start_ms,
        "durationMilliseconds": final.end_ms - final.start_ms,
        "text": final.text,
        "words": words,
        "locale": final.locale,
        "confidence": final.confidence or 0.0,
    }
    if asked.diarization and asked.diarization.enabled:
        phrase["speaker"] = 0  # nobody is told apart: the engine does not know voices
    return _in_channel(channel, phrase)


def _in_channel(channel: int | None, body: dict[str, JsonValue]) -> dict[str, JsonValue]:
    return body if channel is None else {"channel": channel, **body}
