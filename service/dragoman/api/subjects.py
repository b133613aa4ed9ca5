"""Whose data there is: what there is of a person, and its erasure."""

import asyncio
from typing import Annotated, Final

from fastapi import FastAPI, Path
from fastapi.responses import JSONResponse

from dragoman.api.auth import Caller
from dragoman.api.bodies import ErasureTold, OfSubject
from dragoman.api.document import answered, refused
from dragoman.api.door import Door
from dragoman.domain.errors import ErasureUnknownError, SubjectUnknownError
from dragoman.store.erasures import erasure
from dragoman.store.scope import Scope

_ACCEPTED: Final = 202
_Subject = Annotated[str, Path(pattern="^[A-Za-z0-9_.:@=+-]{1,128}$")]


def add_subjects(app: FastAPI, door: Door) -> None:
    """Add the routes."""
    reader = door.admitted(Scope.TRANSCRIPTS)

    nobody, nothing = refused("subject_unknown"), refused("erasure_unknown")
    place = {"Location": "What comes of it."}
    begun = {**refused("subject_unknown", "held"), **answered(200, headers=place), **answered(_ACCEPTED, headers=place)}

    @app.get("/v1/subjects/{subject}", response_model=OfSubject, responses=nobody)
    async def held(subject: _Subject, caller: Caller = reader) -> JSONResponse:
        """Return what there is of a person: sessions, and jobs."""
        found = await door.crew.eraser.found(caller.tenant, subject)
        if not found.sessions and not found.jobs:
            raise SubjectUnknownError("There is nothing of this subject.")
        await door.note(caller, "subject.read", "subject", {"sessions": len(found.sessions), "jobs": len(found.jobs)})
        return JSONResponse({"sessions": found.sessions, "jobs": found.jobs})

    @app.delete("/v1/subjects/{subject}", response_model=ErasureTold, responses=begun)
    async def forget(subject: _Subject, caller: Caller = reader) -> JSONResponse:
        """Erase all of a person: 200 if it is done, 202 while something must end first, and then goes by itself."""
        done = await door.crew.eraser.subject(caller.tenant, subject, caller.owner)
        location = {"Location": f"/v1/erasures/{done.erasure_id}"}
        return JSONResponse(done.told(), 200 if done.done_ms is not None else _ACCEPTED, location)

    @app.get("/v1/erasures/{erasure_id}", response_model=ErasureTold, responses=nothing)
    async def erased(erasure_id: str, caller: Caller = reader) -> JSONResponse:
        """Return what came of an erasure. Nothing says whose it was."""
        found = await asyncio.to_thread(erasure, door.server.engine, erasure_id, caller.tenant)
        if found is None:
            raise ErasureUnknownError("There was no such erasure.")
        return JSONResponse(found.told())
