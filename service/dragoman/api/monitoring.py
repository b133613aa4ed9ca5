"""How good the service is while it works: for operators. No word of what was said."""

import asyncio
import time
from typing import Annotated

from fastapi import FastAPI, Query
from fastapi.responses import JSONResponse

from dragoman.api.auth import Caller
from dragoman.api.door import Door
from dragoman.monitoring.view import overview
from dragoman.store.scope import Scope


def add_monitoring(app: FastAPI, door: Door) -> None:
    """Add the route."""
    reader = door.admitted(Scope.METRICS)

    @app.get("/v1/operations/monitor")
    async def monitor(
        hours: Annotated[int, Query(ge=1, le=744, description="Figures are of the last so many hours.")] = 24,
        caller: Caller = reader,
    ) -> JSONResponse:
        """Return live quality, objectives, drift and alerts, of the caller's tenant."""
        now_ms = time.time_ns() // 1_000_000
        return JSONResponse(await asyncio.to_thread(overview, door.crew.monitor, caller.tenant, hours, now_ms))
