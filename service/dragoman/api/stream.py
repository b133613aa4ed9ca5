"""The streaming door: one WebSocket carries audio in and events out; what breaks is the connection, not the session."""

import asyncio
import math
import time
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError
from starlette.responses import JSONResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from dragoman.api.auth import Caller, Doorkeeper
from dragoman.api.problems import explained, problem, retry_after_s, status_of
from dragoman.audio.incoming import Incoming, incoming
from dragoman.domain.errors import (
    DragomanError,
    IdleError,
    KeyRefusedError,
    MessageInvalidError,
    StoreFailedError,
    TakenOverError,
)
from dragoman.domain.events import ConnectionClosing, ServerMessage, SessionEnded, to_json
from dragoman.domain.messages import (
    AudioFormat,
    ClientMessage,
    Configure,
    EndAudio,
    FlushAudio,
    KeepAlive,
    Resume,
    ShowToken,
    parse_message,
)
from dragoman.domain.speech import Notice
from dragoman.pipeline.live import Feed, LiveSession
from dragoman.serving.records import declared_audio
from dragoman.serving.server import Serving
from dragoman.store.scope import Scope

_LONGEST_MESSAGE: Final = 16_384
_CURE: Final = "send 'token' with another one, or resume with it when this connection is closed."

_CLOSE_CODES: Final = {
    "capacity": 4429,
    "draining": 1012,
    "idle": 4408,
    "key_refused": 4401,
    "session_unknown": 4404,
    "taken_over": 4409,
    "token_ended": 4401,
}


def close_code(error: DragomanError) -> int:
    """Return the code with which an error closes a WebSocket."""
    return _CLOSE_CODES.get(error.code, 1013 if error.retryable else 4400)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a connection may keep us waiting, in seconds: for its first message, for anything, for taking a message.

    One that goes beyond is let go; its session waits for it to resume. ``admission_s`` is how often a connection is
    asked again whether it may be here, and ``warning_s`` how long before its token ends it is told.
    """

    first_message_s: float = 10.0
    idle_s: float = 30.0
    send_s: float = 10.0
    admission_s: float = 15.0
    warning_s: float = 120.0


async def serve_stream(websocket: WebSocket, server: Serving, doorkeeper: Doorkeeper, patience: Patience) -> None:
    """Serve one connection."""
    try:
        caller = await _caller(websocket, doorkeeper)
    except DragomanError as error:
        await websocket.send_denial_response(JSONResponse(problem(error), status_of(error)))
        return
    await websocket.accept()
    connection = _Connection(websocket, server, doorkeeper, caller, patience)
    try:
        await connection.serve()
    except (WebSocketDisconnect, TimeoutError):  # it has left, or reads nothing: its session waits for it
        pass
    except DragomanError as error:
        await connection.close(error)


async def _caller(websocket: WebSocket, doorkeeper: Doorkeeper) -> Caller | None:
    """Return who calls; ``None`` for who must show a session's token."""
    shows_something = "authorization" in websocket.headers or "ticket" in websocket.query_params
    try:
        return await doorkeeper.admit(websocket, Scope.STREAM)
    except KeyRefusedError:
        if shows_something:
            raise
        return None


class _Connection:
    """One WebSocket and the session behind it."""

    def __init__(
        self,
        websocket: WebSocket,
        server: Serving,
        doorkeeper: Doorkeeper,
        caller: Caller | None,
        patience: Patience,
    ) -> None:
        self._patience = patience
        self._websocket = websocket
        self._server = server
        self._doorkeeper = doorkeeper
        self._renewed = asyncio.Event()
        self._caller = caller
        self._session_id: str | None = None

    async def serve(self) -> None:
        """Serve the session that the first message asks for, until it or the connection ends.

        Raises:
            DragomanError: why the connection must end.
            WebSocketDisconnect: if the client has left.
        """
        first = await self._first()
        if isinstance(first, Resume):
            await self._resume(first)
            return
        if self._caller is None:
            raise KeyRefusedError("A key is needed to begin a session; 'dragoman keys create' makes one.")
        opened = await self._server.open(first, self._caller)
        await self._go_on(opened.live, first.audio, first.channel, after_seq=0)

    async def close(self, error: DragomanError) -> None:
        """Say why, and close."""
        seconds = retry_after_s(error)
        closing = ConnectionClosing(
            session_id=self._session_id,
            code=error.code,
            message=str(error),
            retryable=error.retryable,
            retry_after_ms=seconds * 1000 if seconds else None,
        )
        with suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
            await self._send(closing)
            async with asyncio.timeout(self._patience.send_s):
                await self._websocket.close(close_code(error), error.code)

    async def _first(self) -> Configure | Resume:
        try:
            async with asyncio.timeout(self._patience.first_message_s):
                first = await self._receive()
        except TimeoutError:
            raise IdleError("Nothing was asked for; send 'configure' or 'resume' first.") from None
        if isinstance(first, Configure | Resume):
            return first
        raise MessageInvalidError("The first message must be 'configure' or 'resume'.")

    async def _resume(self, resume: Resume) -> None:
        if self._caller is None and resume.token is None:
            raise KeyRefusedError("A key, or the session's token, is needed to resume it.")
        record = await self._server.allowed(resume.session_id, self._caller, resume.token)
        if resume.after_seq > record.last_seq:
            raise MessageInvalidError(f"This session has {record.last_seq} events; after_seq is beyond them.")
        self._session_id = record.session_id
        live = await self._server.hub.resume(record.session_id)
        if live is None:
            await self._tell(resume.after_seq)
            return
        declared, channel = declared_audio(record)
        await self._go_on(live, resume.audio or declared, channel, resume.after_seq)

    async def _go_on(self, live: LiveSession, declared: AudioFormat, channel: int | None, after_seq: int) -> None:
        self._session_id = live.session_id
        with self._server.hub.connected(live.session_id):
            feed = await live.take_over()
            decoder = incoming(declared, channel, feed.append, live.tell)
            telling = asyncio.create_task(self._tell(after_seq))
            listening = asyncio.create_task(self._listen(decoder, feed))
            taken = asyncio.create_task(feed.taken_over.wait())
            tasks = {telling, listening, taken, asyncio.create_task(self._ask_again(live))}
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                if taken in done:
                    raise TakenOverError("Another connection has resumed this session and sends its audio now.")
                for task in done:
                    task.result()
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                await decoder.close()

    async def _listen(self, decoder: Incoming, feed: Feed) -> None:
        """Take what the client sends; it never returns, because the session ends the connection."""
        has_ended, idle_s = False, self._patience.idle_s
        while True:
            try:
                async with asyncio.timeout(None if has_ended else idle_s):
                    received = await self._receive()
            except TimeoutError:
                raise IdleError(f"Neither audio nor keepalive came for {idle_s:g} s; resume to go on.") from None
            match received:
                case bytes():
                    await decoder.feed(received)
                    await feed.room()
                case FlushAudio():
                    feed.flush()
                case ShowToken():
                    await self._show(received.token)
                case EndAudio():
                    await decoder.end()
                    feed.end()
                    has_ended = True
                case KeepAlive():
                    pass
                case Configure() | Resume():
                    raise MessageInvalidError(
                        "This connection has its session; open another connection for another one."
                    )

    async def _show(self, token: str) -> None:
        """Take another key or token in place of what was shown; it must be the same tenant's."""
        shown = await self._doorkeeper.bearer(token, Scope.STREAM)
        if self._caller is not None:
            if shown.tenant != self._caller.tenant:
                raise KeyRefusedError("This token is another tenant's.")
            self._caller = shown
            self._renewed.set()

    async def _ask_again(self, live: LiveSession) -> None:
        """Find out again and again whether the client may still be here; it never returns.

        Who shows the token of a session needs nothing else.

        Raises:
            TokenEndedError: if not.
        """
        told_s: float | None = None
        while True:
            self._renewed.clear()
            wait_s = self._patience.admission_s
            if self._caller is not None:
                with suppress(StoreFailedError):  # the database is away: it is asked later
                    self._caller = await self._doorkeeper.again(self._caller)
                until_s = self._caller.until_s
                left_s = math.inf if until_s is None else until_s - time.time()
                if left_s <= self._patience.warning_s and told_s != until_s:
                    told_s = until_s
                    live.tell(Notice("token_ending", f"What was shown ends in {max(0, left_s):.0f} s: {_CURE}"))
                wait_s = min(wait_s, max(0.1, left_s))
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._renewed.wait()

    async def _tell(self, after_seq: int) -> None:
        assert self._session_id is not None
        async with aclosing(self._server.hub.follow(self._session_id, after_seq)) as events:
            async for event in events:
                await self._send(event)
                if isinstance(event, SessionEnded):
                    break
        await self._websocket.close(1000)

    async def _receive(self) -> ClientMessage | bytes:
        """Return the next message, or audio.

        Raises:
            MessageInvalidError: if it cannot be read.
            WebSocketDisconnect: if the client has left.
        """
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        if (data := message.get("bytes")) is not None:
            return bytes(data)
        text: str = message.get("text") or ""
        if len(text) > _LONGEST_MESSAGE:
            raise MessageInvalidError(f"A message may hold {_LONGEST_MESSAGE} characters; audio goes in binary frames.")
        try:
            return parse_message(text)
        except ValidationError as error:
            raise MessageInvalidError(f"The message cannot be read: {explained(error)}") from None

    async def _send(self, message: ServerMessage) -> None:
        async with asyncio.timeout(self._patience.send_s):
            await self._websocket.send_text(to_json(message))
