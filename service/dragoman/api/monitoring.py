"""How good the service is while it works: for operators. No word of what was said."""

import asyncio
import time
from typing import Annotated

from fastapi import FastAPI, Query
from fastapi.responses import JSONResponse

from dragoman.api.door import Door
from dragoman.api.operations import Operator, operators
from dragoman.monitoring.view import overview


def add_monitoring(app: FastAPI, door: Door) -> None:
    """Add the route."""
    operator = operators(door)

    @app.get("/v1/operations/monitor")
    async def monitor(
        hours: Annotated[int, Query(ge=1, le=744, description="Figures are of the last so many hours.")] = 24,
        who: Operator = operator,
    ) -> JSONResponse:
        """Return live quality, objectives, drift and alerts."""
        now_ms = time.time_ns() // 1_000_000
        return JSONResponse(await asyncio.to_thread(overview, door.crew.monitor, who.tenant, hours, now_ms))
