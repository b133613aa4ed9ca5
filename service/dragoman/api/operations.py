"""For operators: how everything is doing, once or as a stream, and the timeline of a session. No word of speech.

An operator (scope ``metrics``) sees its tenant; an administrator of the tenant that runs the server sees all.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Annotated, Final

from fastapi import Depends, FastAPI, Query, Request, Security
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import JsonValue

from dragoman.api.auth import Caller
from dragoman.api.document import EVENT_STREAM, answered, refused
from dragoman.api.door import KEY, Door
from dragoman.api.problems import problem
from dragoman.domain.audio import to_ms
from dragoman.domain.errors import DragomanError, KeyRefusedError, SessionUnknownError, TokenEndedError
from dragoman.operations.board import Board
from dragoman.operations.sections import Here
from dragoman.operations.timeline import timeline
from dragoman.store.feedback import FeedbackStore
from dragoman.store.overview import Overview
from dragoman.store.scope import Scope

_EVERY_S: Final = 2.0
_TICK_S: Final = 0.25


@dataclass(frozen=True, slots=True)
class Operator:
    """Who looks, and at what: a tenant, or everybody."""

    caller: Caller
    tenant: str | None


def operators(door: Door) -> Operator:
    """Return a dependency: who looks."""

    async def admit(
        request: Request,
        tenant: Annotated[str | None, Query(max_length=64, description="Only this tenant.")] = None,
        _: object = Security(KEY),
    ) -> Operator:
        return await _admitted(door, request, tenant)

    operator: Operator = Depends(admit)
    return operator


def add_operations(app: FastAPI, door: Door) -> None:
    """Add the routes."""
    operator = operators(door)
    hours_asked = Query(ge=1, le=744, description="Sums are of sessions that began in the last so many hours.")

    @app.get("/v1/operations")
    async def operations(hours: Annotated[int, hours_asked] = 24, who: Operator = operator) -> JSONResponse:
        """Return how everything is doing."""
        return JSONResponse(await _snapshot(door, who, hours))

    told = answered(200, EVENT_STREAM)

    @app.get("/v1/operations/stream", response_class=StreamingResponse, responses=told)
    async def stream(hours: Annotated[int, hours_asked] = 24, who: Operator = operator) -> StreamingResponse:
        """Tell the same again and again, as server-sent events: ``snapshot``, or ``problem`` while it cannot be had."""
        told = _told(door, who, hours)
        return StreamingResponse(told, media_type=EVENT_STREAM, headers={"Cache-Control": "no-store"})

    unknown = refused("session_unknown")

    @app.get("/v1/operations/sessions/{session_id}", responses=unknown)
    async def session(session_id: str, who: Operator = operator) -> JSONResponse:
        """Return where the audio of a session went, and when what happened; what was said is in its transcript."""
        record = await door.server.hub.record(session_id)
        if who.tenant not in (None, record.tenant):
            raise SessionUnknownError("There is no such session; begin a new one.")
        await door.note(who.caller, "timeline.read", session_id, {"tenant": record.tenant})
        events = await asyncio.to_thread(Overview(door.server.engine).events, session_id)
        books = record.books
        return JSONResponse(
            {
                "session_id": session_id,
                "tenant": record.tenant,
                "created_ms": record.created_ms,
                "is_open": record.is_open,
                "is_readable": record.tenant == who.caller.tenant,
                "settled_ms": to_ms(books.settled),
                "lost_ms": to_ms(books.lost),
                "discarded_ms": to_ms(books.discarded),
                **asdict(timeline(events, books)),
            }
        )


@asynccontextmanager
async def watched(door: Door) -> AsyncIterator[Board]:
    """Watch how far behind the sessions of a server are, and give the board that shows it."""
    engine = door.server.engine
    board = Board(Overview(engine), FeedbackStore(engine), door.pulse, door.server.purse.prices)

    async def look() -> None:
        while True:
            door.pulse.sample(
                {live.session_id: to_ms(max(0, live.written - live.settled)) for live in door.server.hub.live}
            )
            await asyncio.sleep(_EVERY_S)

    looking = asyncio.create_task(look())
    try:
        yield board
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


async def _admitted(door: Door, request: Request, tenant: str | None) -> Operator:
    try:
        caller = await door.doorkeeper.admit(request, Scope.ADMIN)
        sees_all = caller.tenant == door.server.settings.operator_tenant
    except KeyRefusedError:
        caller, sees_all = await door.doorkeeper.admit(request, Scope.METRICS), False
    if sees_all:
        return Operator(caller, tenant)
    if tenant not in (None, caller.tenant):
        raise KeyRefusedError("This key sees its own tenant only.")
    return Operator(caller, caller.tenant)


async def _snapshot(door: Door, who: Operator, hours: int) -> dict[str, JsonValue]:
    server = door.server
    here = {live.session_id: Here(live.written, live.settled) for live in server.hub.live}
    return await asyncio.to_thread(door.board.snapshot, who.tenant, hours, here, server.runtime.health)


async def _told(door: Door, who: Operator, hours: int) -> AsyncGenerator[str, None]:
    while True:
        try:
            await door.doorkeeper.again(who.caller)
            yield _event("snapshot", await _snapshot(door, who, hours))
        except TokenEndedError as error:
            yield _event("problem", problem(error))
            return
        except DragomanError as error:
            yield _event("problem", problem(error))
        for _ in range(round(_EVERY_S / _TICK_S)):
            if door.server.hub.is_draining:  # the server stops, and waits for nobody who only looks
                return
            await asyncio.sleep(_TICK_S)


def _event(name: str, data: object) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
