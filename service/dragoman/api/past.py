"""What was said in the past: found by its words, and erased when somebody asks for that."""

import asyncio
import io
import wave
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import FastAPI, Query, Response
from fastapi.responses import JSONResponse, StreamingResponse

from dragoman.api.auth import Caller
from dragoman.api.bodies import Hits
from dragoman.api.document import answered, refused
from dragoman.api.door import Door
from dragoman.domain.audio import SAMPLE_RATE_HZ, SAMPLE_WIDTH_BYTES
from dragoman.domain.errors import AudioGoneError, SessionErasedError, SessionOpenError, SessionUnknownError
from dragoman.store.erasure import ASKED, is_erased
from dragoman.store.ports import Recorded, SessionRecord
from dragoman.store.scope import Scope
from dragoman.store.search import search


def add_past(app: FastAPI, door: Door) -> None:
    """Add the routes."""
    reader = door.admitted(Scope.TRANSCRIPTS)

    @app.get("/v1/search", response_model=Hits)
    async def find(
        q: Annotated[str, Query(min_length=1, max_length=500, description="Words that must all be in a final.")],
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        caller: Caller = reader,
    ) -> JSONResponse:
        """Return finals in which all words are, newest session first."""
        hits = await asyncio.to_thread(search, door.server.engine, caller.tenant, q, limit)
        await door.note(caller, "search", "finals", {"hits": len(hits)})
        found = [
            {
                "session_id": hit.final.session_id,
                "session_created_ms": hit.created_ms,
                "utterance_id": hit.final.utterance_id,
                "start_ms": hit.final.start_ms,
                "end_ms": hit.final.end_ms,
                "locale": hit.final.locale,
                "text": hit.final.text,
            }
            for hit in hits
        ]
        return JSONResponse({"finals": found})

    gone = refused("session_unknown", "session_erased", "session_open", "audio_gone")
    wav = answered(200, "audio/wav")

    @app.get("/v1/transcripts/{session_id}/audio", response_class=StreamingResponse, responses={**gone, **wav})
    async def audio(session_id: str, caller: Caller = reader) -> StreamingResponse:
        """Return what a live session heard, as WAV (16 kHz, mono), once it has ended, if the server keeps that."""
        record = await there(door, session_id, caller)
        if record.is_open:
            raise SessionOpenError("This session has not ended; its audio can be had when it has.")
        recorded = await door.server.spool.recorded(session_id)
        if recorded is None:
            raise AudioGoneError(
                "The audio of this session is not kept, or not any more (DRAGOMAN_KEEP_AUDIO, "
                "DRAGOMAN_RETENTION_AUDIO_DAYS); its text is."
            )
        await door.note(caller, "audio.read", session_id)
        return StreamingResponse(_wav(recorded), media_type="audio/wav")

    why_not = refused("session_unknown", "session_erased", "session_open", "held")

    @app.delete("/v1/transcripts/{session_id}", status_code=204, responses=why_not)
    async def forget(session_id: str, caller: Caller = reader) -> Response:
        """Erase a session that has ended: text, translations, insights. What stays is that it was erased, and when."""
        try:
            record = await there(door, session_id, caller)
        except SessionErasedError:
            await door.crew.eraser.copies(session_id)  # retention leaves those in datasets
            raise
        await door.crew.eraser.session(record.session_id)
        await door.note(caller, "transcript.erase", session_id, {"reason": ASKED})
        return Response(status_code=204)


async def _wav(recorded: Recorded) -> AsyncIterator[bytes]:
    yield _wav_head(recorded.samples)
    async for pcm in recorded.pcm:
        yield pcm


def _wav_head(samples: int) -> bytes:
    head = io.BytesIO()
    with wave.open(head, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(SAMPLE_WIDTH_BYTES)
        file.setframerate(SAMPLE_RATE_HZ)
        file.setnframes(samples)
        file.writeframesraw(b"")
        return head.getvalue()


async def there(door: Door, session_id: str, caller: Caller) -> SessionRecord:
    """Return a session that a caller may see.

    Raises:
        SessionErasedError: if it was the caller's tenant's, and was erased.
        SessionUnknownError: if there is none, or not for this caller.
    """
    try:
        return await door.server.allowed(session_id, caller)
    except SessionUnknownError:
        if await asyncio.to_thread(is_erased, door.server.engine, session_id, caller.tenant):
            raise SessionErasedError("This session was erased.") from None
        raise
