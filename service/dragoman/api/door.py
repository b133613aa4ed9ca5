"""What the routes of the HTTP door share."""

import asyncio
from collections.abc import Mapping
from typing import Final

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer

from dragoman.api.auth import Caller, Doorkeeper
from dragoman.api.stream import Patience
from dragoman.api.watch import Watch
from dragoman.jobs.crew import Crew
from dragoman.operations.board import Board
from dragoman.operations.pulse import Pulse
from dragoman.serving.server import Serving
from dragoman.store.audit import AuditTrail
from dragoman.store.scope import Scope

KEY: Final = HTTPBearer(
    scheme_name="key", description="An API key, or a token of Microsoft Entra ID.", auto_error=False
)
"""For the OpenAPI document: what a bearer shows is read by the doorkeeper."""


class Door:
    """The server behind the routes.

    It, its crew, doorkeeper, audit trail and board are there while the application runs.
    """

    server: Serving
    crew: Crew
    doorkeeper: Doorkeeper
    audit: AuditTrail
    board: Board

    def __init__(self, patience: Patience | None = None) -> None:
        self.watch = Watch()
        self.pulse = Pulse()
        self.patience = patience or Patience()

    def admitted(self, scope: Scope) -> Caller:
        """Return a dependency: who calls, if a key of that scope, or none at all, lets them in."""

        async def admit(request: Request, _: object = Security(KEY)) -> Caller:
            return await self.doorkeeper.admit(request, scope)

        caller: Caller = Depends(admit)
        return caller

    async def note(
        self, caller: Caller, action: str, resource: str, details: Mapping[str, str | int | None] | None = None
    ) -> None:
        """Enter what was done into the audit trail; what is not entered is not done.

        Raises:
            StoreFailedError: if it cannot be entered.
        """
        await asyncio.to_thread(self.audit.add, caller.tenant, caller.owner, action, resource, details or {})
