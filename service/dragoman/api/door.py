"""What the routes of the HTTP door share."""

from fastapi import Depends, Request

from dragoman.api.auth import Caller, Doorkeeper
from dragoman.api.stream import Patience
from dragoman.api.watch import Watch
from dragoman.jobs.crew import Crew
from dragoman.serving import Serving
from dragoman.store.scope import Scope


class Door:
    """The server behind the routes; ``server``, ``crew`` and ``doorkeeper`` are there while the application runs."""

    server: Serving
    crew: Crew
    doorkeeper: Doorkeeper

    def __init__(self, patience: Patience | None = None) -> None:
        self.watch = Watch()
        self.patience = patience or Patience()

    def admitted(self, scope: Scope) -> Caller:
        """Return a dependency: who calls, if a key of that scope, or none at all, lets them in."""

        async def admit(request: Request) -> Caller:
            return await self.doorkeeper.admit(request, scope)

        caller: Caller = Depends(admit)
        return caller
