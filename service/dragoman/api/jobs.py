"""Long files as jobs: taken, followed, cancelled."""

import asyncio
import hashlib
import secrets
import time
from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, FastAPI, File, Form, Header, Query, UploadFile
from fastapi.responses import JSONResponse

from dragoman.api.auth import Caller
from dragoman.api.bodies import Job, Jobs
from dragoman.api.document import OPENING, answered, refused
from dragoman.api.door import Door
from dragoman.api.uploads import subjects_of_form, wishes_of_form
from dragoman.domain.errors import JobUnknownError
from dragoman.domain.messages import SessionWishes
from dragoman.runtime import Wishes
from dragoman.serving.records import digests, session_wishes
from dragoman.store.jobs import JobRecord
from dragoman.store.scope import Scope


def add_jobs(app: FastAPI, door: Door) -> None:
    """Add the routes."""
    reader = door.admitted(Scope.TRANSCRIPTS)

    taking = refused(
        *(*OPENING, "job_conflict", "language_limit", "locale_invalid", "request_invalid"),
        *("spool_failed", "webhook_refused"),
    )
    taken_at = answered(202, headers={"Location": "Where the job is."})
    unknown = refused("job_unknown")

    @app.post("/v1/jobs", status_code=202, response_model=Job, responses={**taking, **taken_at})
    async def submit(
        file: Annotated[UploadFile, File(description="Audio or video in any common format.")],
        wishes: Annotated[Wishes, Depends(wishes_of_form)],
        subjects: Annotated[tuple[str, ...], Depends(subjects_of_form)],
        channel: Annotated[int | None, Form(ge=0, le=7)] = None,
        webhook: Annotated[str | None, Form(description="Where to tell that it is over.", max_length=2_000)] = None,
        idempotency_key: Annotated[str | None, Header(min_length=1, max_length=255)] = None,
        caller: Caller = reader,
    ) -> JSONResponse:
        """Take a file to transcribe; the same ``Idempotency-Key`` begins one job, however often it is sent."""
        crew = door.crew
        if webhook is not None:
            crew.webhooks.check(webhook)
        door.server.admit()
        await door.server.within(caller, is_live=False, bytes_more=file.size or 0)
        await door.server.purse.check(caller.tenant)
        await door.server.runtime.check(wishes)
        kept = session_wishes(wishes, channel, file.filename)
        whose = digests(caller.tenant, subjects)
        digest = await asyncio.to_thread(_digest, file, kept, webhook, whose)
        job_id = f"j_{secrets.token_hex(16)}"
        job = JobRecord(
            job_id=job_id,
            tenant=caller.tenant,
            owner=caller.owner,
            request_hash=digest,
            created_ms=time.time_ns() // 1_000_000,
            wishes_json=kept.model_dump_json(),
            place=crew.files.place,
            source=file.filename,
            uploaded_bytes=file.size or 0,
            webhook_url=webhook,
            idempotency_key=idempotency_key,
        )
        await file.seek(0)
        await asyncio.to_thread(crew.files.keep, job_id, file.file)
        try:
            taken, is_new = await asyncio.to_thread(crew.jobs.submit, job, whose)
        except BaseException:
            crew.files.drop(job_id)
            raise
        if is_new:
            await door.note(caller, "job.submit", job_id)
            crew.wake()
        else:
            crew.files.drop(job_id)
        return JSONResponse(taken.told(), 202, {"Location": f"/v1/jobs/{taken.job_id}"})

    @app.get("/v1/jobs", response_model=Jobs)
    async def jobs(limit: Annotated[int, Query(ge=1, le=1_000)] = 100, caller: Caller = reader) -> JSONResponse:
        """Return the newest jobs."""
        found = await asyncio.to_thread(door.crew.jobs.list, caller.tenant, limit)
        return JSONResponse({"jobs": [job.told() for job in found]})

    @app.get("/v1/jobs/{job_id}", response_model=Job, responses=unknown)
    async def job(job_id: str, caller: Caller = reader) -> JSONResponse:
        """Return how far a job is; once it is completed, ``session_id`` names its transcript."""
        return JSONResponse(_there(await asyncio.to_thread(door.crew.jobs.get, job_id, caller.tenant)).told())

    @app.delete("/v1/jobs/{job_id}", response_model=Job, responses=unknown)
    async def cancel(job_id: str, caller: Caller = reader) -> JSONResponse:
        """End a job that is not over; one that is stays as it is."""
        ended = _there(await asyncio.to_thread(door.crew.jobs.cancel, job_id, caller.tenant))
        await asyncio.to_thread(door.crew.files.drop, job_id)
        await door.note(caller, "job.cancel", job_id)
        return JSONResponse(ended.told())


def _there(job: JobRecord | None) -> JobRecord:
    if job is None:
        raise JobUnknownError("There is no such job.")
    return job


def _digest(file: UploadFile, wishes: SessionWishes, webhook: str | None, subjects: Sequence[str]) -> str:
    digest = hashlib.sha256()
    file.file.seek(0)
    while block := file.file.read(1 << 20):
        digest.update(block)
    digest.update(f"\0{wishes.model_dump_json()}\0{webhook}\0{','.join(subjects)}".encode())
    return digest.hexdigest()
