"""How good the service is while it works: for operators. No word of what was said."""

import asyncio
import time
from typing import Annotated

from fastapi import FastAPI, Query
from fastapi.responses import JSONResponse

from dragoman.api.door import Door
from dragoman.api.operations import Operator, operators
from dragoman.monitoring.view import Document, overview


def add_monitoring(app: FastAPI, door: Door) -> None:
    """Add the route."""
    operator = operators(door)

    @app.get("/v1/operations/monitor")
    async def monitor(
        hours: Annotated[int, Query(ge=1, le=744, description="Figures are of the last so many hours.")] = 24,
        who: Operator = operator,
    ) -> JSONResponse:
        """Return live quality, objectives, drift, alerts and budgets."""
        return JSONResponse(await asyncio.to_thread(_overview, door, who.tenant, hours))


def _overview(door: Door, tenant: str | None, hours: int) -> Document:
    accounts = door.server.purse.store.accounts()
    return overview(door.crew.monitor, accounts, tenant, hours, time.time_ns() // 1_000_000)
