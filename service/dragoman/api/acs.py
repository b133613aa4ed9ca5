"""The door for Azure Communication Services: a call's audio in, mixed or by participant; what was said, to others."""

import asyncio
import json
import re
import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Final, Literal

from fastapi import FastAPI, Query, Response, WebSocket
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from pydantic import ValidationError
from starlette.requests import HTTPConnection

from dragoman.api.acs_calls import Call, Calls, CallTokens, follow
from dragoman.api.acs_stream import serve_call
from dragoman.api.auth import Caller
from dragoman.api.bodies import CallExpected, CallSoFar
from dragoman.api.document import EVENT_STREAM, answered, refused
from dragoman.api.door import Door
from dragoman.api.problems import explained, headers_of, problem, status_of
from dragoman.api.transcripts import read_back
from dragoman.domain.errors import DragomanError, RequestInvalidError, SessionUnknownError
from dragoman.domain.events import to_json
from dragoman.domain.language import parse_target, split_tags
from dragoman.domain.messages import SessionWishes
from dragoman.pipeline.captions import CAPTIONS, FORMATS
from dragoman.pipeline.transcript import Transcript, merge
from dragoman.serving.server import Serving
from dragoman.store.calls import sessions_of
from dragoman.store.digest import digest
from dragoman.store.keys import KEY_PREFIX
from dragoman.store.scope import Scope
from dragoman.store.tickets import Ticket, TicketStore

_CALL_ID: Final = re.compile(r"[A-Za-z0-9_.=-]{1,128}")
_LISTS: Final = frozenset({"languages", "subjects", "translate"})
_PLAIN: Final = frozenset({"lid", "word_times", "insight", "polish", "partials"})
_RECOGNITION: Final = frozenset({"speakers", "dictation", "end_silence_ms"})
TICKET_S: Final = 3_600
"""How long a call may ring before its audio is streamed."""

_LONGEST_CALL_S: Final = 24 * 3_600
"""How long it may be streamed, connection after connection."""

_OURS: Final = frozenset({"call", "ticket"})


def add_acs(app: FastAPI, door: Door, tokens: CallTokens | None = None) -> None:
    """Add the routes; ``tokens`` checks those that Azure signs, without it our own tickets and keys open the door."""
    calls = Calls()
    streamer, reader = door.admitted(Scope.STREAM), door.admitted(Scope.TRANSCRIPTS)

    @app.websocket("/v1/acs")
    async def stream(websocket: WebSocket) -> None:
        try:
            wishes = wishes_of(websocket)
            call = await _call(websocket, door, calls, tokens)
        except DragomanError as error:
            await websocket.send_denial_response(JSONResponse(problem(error), status_of(error), headers_of(error)))
            return
        await websocket.accept()
        try:
            await serve_call(websocket, door, call, wishes)
        finally:
            if call.is_over and call.ticket:
                await asyncio.to_thread(TicketStore(door.server.engine).redeem, call.ticket)

    async def known(call_id: str, caller: Caller) -> Call:
        if not _CALL_ID.fullmatch(call_id):
            raise SessionUnknownError("There is no such call.")
        kept = await asyncio.to_thread(sessions_of, door.server.engine, caller.tenant, call_id)
        return calls.known(call_id, caller, kept)

    unknown = refused("session_unknown")
    written, told = answered(200, "text/plain"), {**unknown, **answered(200, EVENT_STREAM)}

    @app.post("/v1/acs/calls", status_code=201, response_model=CallExpected)
    async def expect(caller: Caller = streamer) -> JSONResponse:
        """Return the address at which a call may be streamed, with a ticket for that call alone."""
        call, ticket = calls.named(f"c_{secrets.token_hex(16)}", caller), secrets.token_urlsafe(32)
        tickets = TicketStore(door.server.engine)
        await asyncio.to_thread(tickets.add, _shown(call.call_id, ticket), Ticket(caller, None), TICKET_S)
        path = f"/v1/acs?call={call.call_id}&ticket={ticket}"
        return JSONResponse({"call_id": call.call_id, "path": path, "expires_in_s": TICKET_S}, status_code=201)

    @app.get("/v1/acs/calls/{call_id}", response_model=CallSoFar, responses={**unknown, **written})
    async def transcript(
        call_id: str,
        format: Annotated[Literal["json", "text", "srt", "vtt", "tsv"], Query()] = "json",  # noqa: A002
        captions_in: Annotated[str | None, Query(description="Language of srt and vtt.")] = None,
        caller: Caller = reader,
    ) -> Response:
        """Return what a call's participants, live or not, have said so far, in the order in which they began."""
        call = await known(call_id, caller)
        whole = await _whole(call, door.server)
        if format == "json":
            sessions = [{"session_id": track.session_id, "speaker": track.speaker} for track in call.sessions]
            spoken = whole.model_dump(mode="json") if whole else None
            return JSONResponse({"call_id": call.call_id, "sessions": sessions, "transcript": spoken})
        if whole is None:
            return PlainTextResponse("")
        if format in CAPTIONS:
            return PlainTextResponse(CAPTIONS[format](whole, parse_target(captions_in) if captions_in else None))
        return PlainTextResponse(FORMATS[format](whole))

    @app.get("/v1/acs/calls/{call_id}/events", response_class=StreamingResponse, responses=told)
    async def events(call_id: str, caller: Caller = reader) -> Response:
        """Stream the events of all sessions of a call, from their beginning, as server-sent events."""
        call = await known(call_id, caller)
        return StreamingResponse(_told(call, door.server), media_type=EVENT_STREAM)


async def _call(websocket: WebSocket, door: Door, calls: Calls, tokens: CallTokens | None) -> Call:
    """Return the call that somebody may stream.

    Raises:
        KeyRefusedError: if it may not be streamed.
    """
    call_id, ticket = websocket.query_params.get("call"), websocket.query_params.get("ticket")
    if call_id and ticket:
        shown, tickets = _shown(call_id, ticket), TicketStore(door.server.engine)
        if found := await asyncio.to_thread(tickets.prolong, shown, _LONGEST_CALL_S):
            call = calls.named(call_id, found.caller)
            call.ticket = shown
            return call
    kind, _, token = websocket.headers.get("authorization", "").partition(" ")
    if ticket:
        # Azure sends its own token with every connection: it must not be taken for a key of ours.
        headers = [each for each in websocket.scope["headers"] if each[0] != b"authorization"]
        scope = {**websocket.scope, "headers": headers}
        caller = await door.doorkeeper.admit(HTTPConnection(scope), Scope.STREAM)
    elif tokens and kind.lower() == "bearer" and not token.strip().startswith(KEY_PREFIX):
        caller = await tokens.verify(token.strip(), Scope.STREAM)
    else:
        caller = await door.doorkeeper.admit(websocket, Scope.STREAM)
    named = call_id or websocket.headers.get("x-ms-call-connection-id") or ""
    return calls.named(named if _CALL_ID.fullmatch(named) else f"c_{secrets.token_hex(16)}", caller)


def _shown(call_id: str, ticket: str) -> str:
    """Return what is kept of the ticket of a call, which opens no other one."""
    return digest(f"{call_id} {ticket}")


def wishes_of(connection: HTTPConnection) -> SessionWishes:
    """Return what the query of an address wishes.

    Raises:
        RequestInvalidError: if it wishes for what there is not.
    """
    wished: dict[str, object] = {}
    recognition: dict[str, object] = {}
    for name, value in connection.query_params.multi_items():
        if name in _LISTS:
            wished[name] = split_tags(value)
        elif name in _PLAIN:
            wished[name] = value
        elif name == "phrases":
            recognition[name] = split_tags(value)
        elif name in _RECOGNITION:
            recognition[name] = value
        elif name not in _OURS:
            raise RequestInvalidError("There is a name in the query of this address that means nothing here.")
    try:
        return SessionWishes.model_validate({**wished, "recognition": recognition})
    except ValidationError as error:
        raise RequestInvalidError(f"The query of this address cannot be read: {explained(error)}") from None


async def _whole(call: Call, server: Serving) -> Transcript | None:
    parts = []
    for number, track in enumerate(call.sessions):
        part = await read_back(server.hub.stored(track.session_id))
        channel = number if len(call.sessions) > 1 else None
        utterances = [
            utterance.model_copy(update={"channel": channel, "speaker": utterance.speaker or track.speaker})
            for utterance in part.utterances
        ]
        parts.append(part.model_copy(update={"utterances": tuple(utterances)}))
    return merge(parts) if parts else None


async def _told(call: Call, server: Serving) -> AsyncGenerator[str, None]:
    try:
        async with aclosing(follow(call, server.hub)) as events:
            async for event in events:
                yield ": nothing new\n\n" if event is None else f"event: {event.type}\ndata: {to_json(event)}\n\n"
    except DragomanError as error:
        yield f"event: connection.closing\ndata: {json.dumps(problem(error))}\n\n"
