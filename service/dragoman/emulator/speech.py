"""The Speech door: one WebSocket, turn after turn."""

import asyncio
import contextlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from dragoman.domain.errors import DragomanError, EngineFailedError
from dragoman.emulator import usp
from dragoman.emulator.admission import refusal
from dragoman.emulator.faults import Fault, Faults
from dragoman.emulator.operation import read_operation, read_targets
from dragoman.emulator.phrases import Body
from dragoman.emulator.turn import Turn
from dragoman.engines.ports import Transcriber, Translator

PATHS: Final = (
    "/speech/recognition/{mode}/cognitiveservices/v1",
    "/speech/universal/v2",
    "/stt/speech/universal/v2",
)

_REFUSED, _FAILED = 1007, 1011
"""Close codes: the SDKs do not try again after the first, and do after the second."""

_LONGEST_REASON: Final = 120  # bytes, of 123 that a close frame holds


@dataclass(frozen=True, slots=True)
class Engines:
    """What does the work."""

    transcriber: Transcriber
    translator: Translator | None


async def serve_speech(
    websocket: WebSocket, engines: Engines, faults: Faults, keys: frozenset[str], drop: Callable[[WebSocket], None]
) -> None:
    """Serve one connection; ``drop`` breaks it as a network would."""
    fault = faults.next("speech")
    if fault and fault.delay_s:
        await asyncio.sleep(fault.delay_s)
    status = fault.status if fault and fault.status else refusal(websocket, keys)
    if status:
        headers = {"Retry-After": str(fault.retry_after_s)} if fault and fault.retry_after_s is not None else None
        await websocket.send_denial_response(PlainTextResponse("The emulator refuses.", status, headers))
        return
    await websocket.accept("USP" if "USP" in websocket.scope.get("subprotocols", ()) else None)
    connection = _Connection(websocket, engines, fault, drop)
    try:
        await connection.serve()
    except WebSocketDisconnect:
        pass
    except DragomanError as error:
        await refuse(websocket, error)
    finally:
        await connection.close()


class _Connection:
    def __init__(
        self, websocket: WebSocket, engines: Engines, fault: Fault | None, drop: Callable[[WebSocket], None]
    ) -> None:
        self._websocket = websocket
        self._engines = engines
        self._fault = fault
        self._drop = drop
        self._turn: Turn | None = None
        self._request_id = ""
        self._running: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        """Take messages until the client leaves."""
        while True:
            received = await self._websocket.receive()
            if received["type"] == "websocket.disconnect":
                return
            data = received.get("text")
            await self._take(usp.parse(received["bytes"] if data is None else data))

    async def close(self) -> None:
        """End the turn that is under way."""
        if self._running:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def _take(self, message: usp.Message) -> None:
        match message.path:
            case "speech.context":
                await self._begin(message)
            case "audio" if self._turn and message.request_id == self._request_id:
                assert isinstance(message.body, bytes)
                await self._hear(self._turn, message.body)
            case "audio.commit" if self._turn:
                await self._turn.commit(message.headers.get("x-client-commit-token", ""))
            case "event" if self._turn and (targets := read_targets(message.body)) is not None:
                self._turn.translate_into(targets)
            case _:
                pass  # telemetry, speech.config, and audio of a turn that is over

    async def _begin(self, message: usp.Message) -> None:
        """Open a turn; one that is under way is over by that."""
        await self.close()
        operation = read_operation(self._websocket.url.path, self._websocket.query_params, message.body)
        self._request_id = request_id = message.request_id

        async def send(path: str, body: Body | None) -> None:
            await self._websocket.send_text(usp.compose(path, request_id, body))

        self._turn = turn = Turn(operation, self._engines.transcriber, self._engines.translator, send)
        await send("turn.start", {"context": {"serviceTag": uuid.uuid4().hex}})
        self._running = asyncio.create_task(self._run(turn))

    async def _run(self, turn: Turn) -> None:
        try:
            await turn.run()
        except WebSocketDisconnect:
            pass
        except DragomanError as error:
            await refuse(self._websocket, error)
        except Exception as error:  # noqa: BLE001 - not swallowed: the client is told, and would wait for a minute else
            await refuse(self._websocket, EngineFailedError(f"The emulator failed ({type(error).__name__})."))
        finally:
            await turn.audio.close()
            if self._turn is turn:
                self._turn = None

    async def _hear(self, turn: Turn, payload: bytes) -> None:
        if not turn.audio.is_open and payload:
            await turn.audio.open(payload)
        elif payload:
            await turn.audio.feed(payload)
        else:
            await turn.audio.end()
        if self._fault and turn.audio.ms >= self._fault.after_ms:
            await self._misbehave(self._fault, turn)

    async def _misbehave(self, fault: Fault, turn: Turn) -> None:
        if fault.silent:
            turn.is_silent = True
        elif fault.drop:
            self._drop(self._websocket)
            raise WebSocketDisconnect
        elif fault.close_code:
            await self._websocket.close(fault.close_code, "The emulator was told to close.")
            raise WebSocketDisconnect


async def refuse(websocket: WebSocket, error: DragomanError) -> None:
    """Close a connection, saying why, in the way that fits the error."""
    with contextlib.suppress(RuntimeError):  # it has been closed by somebody else
        await websocket.close(_FAILED if error.retryable else _REFUSED, str(error)[:_LONGEST_REASON])
