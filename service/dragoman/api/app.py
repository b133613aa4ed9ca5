"""The HTTP door: streams and files in, events and transcripts out, and how the server is doing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.responses import JSONResponse, PlainTextResponse

from dragoman import __version__
from dragoman.api.acs import add_acs
from dragoman.api.acs_calls import CallTokens
from dragoman.api.acs_tokens import AcsOptions, AcsTokens
from dragoman.api.answers import add_answers
from dragoman.api.auth import TICKET_S, Caller, Doorkeeper
from dragoman.api.bodies import Readiness, SessionBegun, Ticket
from dragoman.api.document import OPENING, Documented, refused
from dragoman.api.door import Door
from dragoman.api.entra import EntraOptions, EntraTokens
from dragoman.api.feedback import add_feedback
from dragoman.api.jobs import add_jobs
from dragoman.api.monitoring import add_monitoring
from dragoman.api.openai import add_openai
from dragoman.api.operations import add_operations, watched
from dragoman.api.pages import add_pages
from dragoman.api.past import add_past
from dragoman.api.problems import headers_of, problem
from dragoman.api.refusals import add_refusals
from dragoman.api.stream import Patience, serve_stream
from dragoman.api.subjects import add_subjects
from dragoman.api.traces import tracing
from dragoman.api.transcripts import add_transcripts
from dragoman.api.watch import CONTENT_TYPE
from dragoman.domain.errors import DragomanError
from dragoman.domain.messages import SessionWishes
from dragoman.jobs.crew import working
from dragoman.pipeline.observer import Observer, Observers
from dragoman.runtime import Runtime
from dragoman.serving.opening import serving
from dragoman.settings import Settings
from dragoman.store.audit import AuditTrail
from dragoman.store.scope import Scope
from dragoman.store.tickets import TicketStore


def create_app(
    runtime: Runtime,
    patience: Patience | None = None,
    call_tokens: CallTokens | None = None,
    observer: Observer | None = None,
) -> FastAPI:
    """Return the application on a runtime, which it closes when it stops; ``app.state.door`` holds its ``Door``.

    ``observer`` is told of its sessions beside our own figures and traces.
    """
    door = Door(patience)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with runtime, tracing(runtime.settings) as traces:
            async with (
                serving(runtime, Observers(door.watch, door.pulse, traces, observer)) as door.server,
                working(door.server) as door.crew,
                watched(door) as door.board,
            ):
                door.audit = AuditTrail(door.server.engine)
                door.doorkeeper = Doorkeeper(
                    door.server.keys,
                    TicketStore(door.server.engine),
                    runtime.settings.allowed_origins,
                    _entra(runtime.settings),
                )
                yield

    app = Documented(title="Dragoman", version=__version__, lifespan=lifespan)
    app.state.door = door

    add_refusals(app)
    _add_health(app, door, runtime)
    _add_sessions(app, door)
    add_transcripts(app, door)
    add_past(app, door)
    add_feedback(app, door)
    add_subjects(app, door)
    add_answers(app, door)
    add_jobs(app, door)
    add_monitoring(app, door)
    add_openai(app, door)
    add_operations(app, door)
    add_acs(app, door, call_tokens or _acs(runtime.settings))
    add_pages(app)
    return app


def _entra(settings: Settings) -> EntraTokens | None:
    if settings.entra_audience is None:
        return None
    return EntraTokens(EntraOptions(settings.entra_audience, settings.entra_tenants, settings.entra_authority))


def _acs(settings: Settings) -> AcsTokens | None:
    if settings.acs_resource is None:
        return None
    return AcsTokens(AcsOptions(settings.acs_resource, settings.acs_tenant, settings.acs_issuer))


def _add_health(app: FastAPI, door: Door, runtime: Runtime) -> None:
    reader = door.admitted(Scope.METRICS)

    @app.get("/healthz", response_class=PlainTextResponse)
    async def healthz() -> PlainTextResponse:
        """Answer while the process lives."""
        return PlainTextResponse("ok\n")

    unready = refused("draining", "model_invalid", "model_missing", "store_failed")  # whatever it is, with status 503

    @app.get("/readyz", response_model=Readiness, responses=unready)
    async def readyz() -> JSONResponse:
        """Answer 200 once a session could begin, 503 with the reason while none can."""
        try:
            engine = await runtime.ready()
            transcriber = await runtime.transcriber()
            door.server.admit()
        except DragomanError as error:
            return JSONResponse(problem(error), 503, headers_of(error))
        return JSONResponse(
            {
                "transcription": {"engine": transcriber.name, "model": engine.model, "locales": engine.locales},
                "translation": {"targets": engine.targets},
            }
        )

    @app.get("/metrics", response_class=PlainTextResponse)
    async def metrics(caller: Caller = reader) -> Response:
        """Return the figures of this server for Prometheus."""
        return Response(door.watch.exposition(door.server.hub, runtime.delay_s), media_type=CONTENT_TYPE)


def _add_sessions(app: FastAPI, door: Door) -> None:
    streamer = door.admitted(Scope.STREAM)

    @app.websocket("/v1/stream")
    async def stream(websocket: WebSocket) -> None:
        await serve_stream(websocket, door.server, door.doorkeeper, door.patience)

    @app.post("/v1/sessions", status_code=201, response_model=SessionBegun, responses=refused(*OPENING))
    async def sessions(wishes: SessionWishes, caller: Caller = streamer) -> JSONResponse:
        """Begin a session for another machine, a browser for example, which resumes it with the token on the stream."""
        opened = await door.server.open(wishes, caller)
        return JSONResponse(
            {
                "session_id": opened.live.session_id,
                "token": opened.token,
                "stream": "/v1/stream",
                "resume_within_s": door.server.settings.resume_s,
            },
            status_code=201,
        )

    @app.post("/v1/tickets", status_code=201, response_model=Ticket)
    async def tickets(request: Request, caller: Caller = streamer) -> JSONResponse:
        """Return a ticket for one stream, for browsers, which can send no headers: ``/v1/stream?ticket=…``."""
        ticket = await door.doorkeeper.ticket(caller, request.headers.get("origin"))
        return JSONResponse({"ticket": ticket, "expires_in_s": TICKET_S}, status_code=201)
