"""The emulator's application: Azure's doors, and one of our own that makes them misbehave."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Response, WebSocket
from fastapi.responses import JSONResponse

from dragoman import __version__
from dragoman.emulator.admission import KEY
from dragoman.emulator.chat import add_chat
from dragoman.emulator.doors import add_errors, checked
from dragoman.emulator.faults import Fault, Faults
from dragoman.emulator.safety import add_safety
from dragoman.emulator.speech import PATHS, Engines, serve_speech
from dragoman.emulator.transcription import add_transcription
from dragoman.emulator.translator import add_translator
from dragoman.runtime import Runtime
from dragoman.scoring import FLOWS, add_score, scored


def create_emulator(runtime: Runtime, faults: Faults | None = None, keys: frozenset[str] = frozenset({KEY})) -> FastAPI:
    """Return the application on a runtime, which it closes when it stops.

    ``app.state.faults`` are its ``Faults``; ``app.state.drop`` breaks the connection of a WebSocket, and is set by who
    serves the application.
    """
    faults = faults or Faults()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with runtime:
            app.state.engines = Engines(await runtime.transcriber(), runtime.translator)
            yield

    app = FastAPI(title="Dragoman emulator", version=__version__, lifespan=lifespan)
    app.state.faults = faults
    app.state.keys = keys
    app.state.drop = lambda websocket: None

    async def speech(websocket: WebSocket) -> None:
        await serve_speech(websocket, app.state.engines, faults, keys, app.state.drop)

    for path in PATHS:
        app.add_api_websocket_route(path, speech)
    add_chat(app)
    add_safety(app)
    for flow in FLOWS:
        add_score(app, f"/{flow}/score", scored(flow, runtime.settings), [checked("score")])
    add_translator(app)
    add_transcription(app, runtime)
    add_errors(app)
    _add_faults(app, faults)
    return app


def _add_faults(app: FastAPI, faults: Faults) -> None:
    @app.post("/emulator/faults", status_code=204)
    async def add(asked: list[Fault]) -> Response:
        """Let these happen, in order."""
        faults.add(*asked)
        return Response(status_code=204)

    @app.delete("/emulator/faults", status_code=204)
    async def clear() -> Response:
        """Let nothing go wrong any more."""
        faults.clear()
        return Response(status_code=204)

    @app.get("/emulator/knocks")
    async def knocks() -> JSONResponse:
        """Return how often each door was knocked at."""
        return JSONResponse(dict(faults.knocks))
