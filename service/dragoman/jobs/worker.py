"""Works on jobs, one at a time: a session for each, its progress told, its lease kept while it lasts."""

import asyncio
import logging
import secrets
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Final

from dragoman.domain.caller import Caller
from dragoman.domain.errors import (
    CapacityError,
    DragomanError,
    DrainingError,
    SpoolFailedError,
    SpoolFullError,
    StoreFailedError,
)
from dragoman.domain.events import ErrorEvent
from dragoman.domain.messages import SessionWishes
from dragoman.runtime import Recording
from dragoman.serving.kept import KeptTranscription
from dragoman.serving.records import wishes_of
from dragoman.serving.server import Serving
from dragoman.store.erasure import ASKED, erase, settle
from dragoman.store.job_files import JobFiles
from dragoman.store.jobs import LEASE_S, JobRecord, JobStore, State

_BEAT_S: Final = LEASE_S / 6
_NOT_NOW: Final = (CapacityError, DrainingError, SpoolFailedError, SpoolFullError, StoreFailedError)
_PASSING: Final = frozenset(error.code for error in _NOT_NOW)
_LOOK_S: Final = 5.0
"""How often a worker looks for jobs of others: its own server wakes it."""

_LOG: Final = logging.getLogger(__name__)


class Worker:
    """Takes jobs whose files lie where it can read them, until it is cancelled."""

    def __init__(self, server: Serving, jobs: JobStore, files: JobFiles) -> None:
        self._server = server
        self._jobs = jobs
        self._files = files
        self._name = secrets.token_hex(8)
        self.woken = asyncio.Event()
        """Set it when there is something to do."""

    async def run(self) -> None:
        """Work. Cancelled, it gives its job back."""
        while True:
            self.woken.clear()
            try:
                job = await asyncio.to_thread(self._jobs.claim, self._name, self._files.places)
                if job is not None:
                    await self._work(job)
                    continue
            except DragomanError as error:  # the database is away: what was under way is taken again with its lease
                _LOG.warning("jobs cannot be worked on: %s", error.code)
            await self._until_woken(_LOOK_S)

    async def _work(self, job: JobRecord) -> None:
        trouble: tuple[str, str] | tuple[()] = ()
        try:
            state, trouble = await self._transcribe(job)
        except _NOT_NOW:
            await asyncio.to_thread(self._jobs.release, job)
            await self._until_woken(_LOOK_S)
            return
        except DragomanError as failure:
            state, trouble = "failed", (failure.code, str(failure))
        except asyncio.CancelledError:
            self._jobs.release(job)  # the server stops: another takes it at once
            raise
        if state is None:
            return
        if await asyncio.to_thread(self._jobs.finish, job, state, *trouble):
            await asyncio.to_thread(self._files.drop, job.job_id)
            if job.session_id is not None:
                await self._server.forget(job.session_id)  # of an attempt that came to nothing

    async def _transcribe(self, job: JobRecord) -> tuple[State | None, tuple[str, str] | tuple[()]]:
        """Return how a job ends, and the code and message of why; no state if it is not this worker's any more."""
        fetched = self._files.fetched(job.job_id, job.place)
        path = await self._while_kept(job, fetched.__enter__)
        try:
            return await self._hear(job, path)
        finally:
            await asyncio.to_thread(fetched.__exit__, None, None, None)

    async def _while_kept(self, job: JobRecord, fetch: Callable[[], Path]) -> Path:
        """Fetch the file of a job, and keep the job meanwhile, however long that takes."""
        fetching = asyncio.create_task(asyncio.to_thread(fetch))
        while not (await asyncio.wait([fetching], timeout=_BEAT_S))[0]:
            await asyncio.to_thread(self._jobs.extend, job)
        return fetching.result()

    async def _hear(self, job: JobRecord, path: Path) -> tuple[State | None, tuple[str, str] | tuple[()]]:
        kept = SessionWishes.model_validate_json(job.wishes_json)
        whose = await asyncio.to_thread(self._jobs.whose, job.job_id)
        if await self._is_erased(job):  # and nothing says any more whose it was
            return None, ()
        running = await self._server.transcribe(
            Recording(path, job.source, kept.channel),
            wishes_of(kept),
            Caller(job.tenant, job.owner),
            job.uploaded_bytes,
            whose,
        )
        beating = asyncio.create_task(self._beat(job, running))
        trouble: tuple[str, str] | tuple[()] = ()
        try:
            async with aclosing(running.events()) as events:
                async for event in events:
                    if isinstance(event, ErrorEvent):
                        trouble = (event.code, event.message)
        except asyncio.CancelledError:
            await running.stop()
            raise
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)
        if not await self._tell(job, running):
            if await self._is_erased(job):
                await asyncio.to_thread(erase, self._server.engine, running.session_id, ASKED)
                await asyncio.to_thread(settle, self._server.engine)
            return None, ()
        if trouble and trouble[0] in _PASSING:  # its session could not go on, and another one may
            raise StoreFailedError(trouble[1])
        return ("failed" if trouble else "completed"), trouble

    async def _is_erased(self, job: JobRecord) -> bool:
        return await asyncio.to_thread(self._jobs.get, job.job_id, job.tenant) is None

    async def _beat(self, job: JobRecord, running: KeptTranscription) -> None:
        while await self._tell(job, running):  # noqa: ASYNC110 - it is time that is waited for
            await asyncio.sleep(_BEAT_S)
        await running.stop()  # cancelled, or taken by another

    async def _tell(self, job: JobRecord, running: KeptTranscription) -> bool:
        done_ms, duration_ms = running.progress
        try:
            return await asyncio.to_thread(self._jobs.beat, job, done_ms, duration_ms, running.session_id)
        except StoreFailedError:
            return True  # the lease lasts longer than that

    async def _until_woken(self, most_s: float) -> None:
        try:
            async with asyncio.timeout(most_s):
                await self.woken.wait()
        except TimeoutError:
            pass
