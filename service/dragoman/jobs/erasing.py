"""Erases what there is of a session or a person, wherever it lies: database, spool, files of jobs, datasets."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine

from dragoman.datasets.erasing import Origin, erase_items
from dragoman.datasets.store import DatasetStore
from dragoman.domain.errors import DragomanError, SessionOpenError, SubjectUnknownError
from dragoman.settings import Settings
from dragoman.storage import open_job_files, open_spool
from dragoman.store.audit import AuditTrail
from dragoman.store.digest import subject_digest
from dragoman.store.erasure import ASKED, SUBJECT, check_erasable, erase, settle
from dragoman.store.erasures import Erasure, begin_erasure, drop_erasure, note_erased, waiting_erasures
from dragoman.store.job_files import JobFiles
from dragoman.store.jobs import JobStore
from dragoman.store.ports import Spool
from dragoman.store.subjects import Found, find, sessions_of

_LOOK_S: Final = 5.0

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Places:
    """Where what is erased may lie."""

    engine: Engine
    spool: Spool
    files: JobFiles
    datasets: DatasetStore


class Eraser:
    """Erases, and goes on with what could not be erased yet."""

    def __init__(self, places: Places) -> None:
        self.places = places
        """Where it erases."""
        self._engine = places.engine
        self._jobs = JobStore(places.engine)
        self._audit = AuditTrail(places.engine)
        self._turn = asyncio.Lock()

    async def session(self, session_id: str, reason: str = ASKED) -> None:
        """Erase a session that has ended, its audio and its copies in datasets.

        Raises:
            SessionOpenError: if it has not ended.
            HeldError: if there is a hold on it.
            DragomanError: if it could not all be erased; begin again then.
        """
        await self.copies(session_id)
        await self.places.spool.delete(session_id)
        await asyncio.to_thread(erase, self._engine, session_id, reason)
        await asyncio.to_thread(settle, self._engine)

    async def copies(self, session_id: str) -> None:
        """Erase the copies of a session in datasets, also if it was itself kept long enough; raises as ``session``."""
        await asyncio.to_thread(check_erasable, self._engine, session_id)
        await asyncio.to_thread(erase_items, self.places.datasets, Origin(sessions={session_id}), "session")

    async def found(self, tenant: str, subject: str) -> Found:
        """Return what there is of a subject, by its id, in the database."""
        return await asyncio.to_thread(find, self._engine, tenant, subject_digest(tenant, subject))

    async def subject(self, tenant: str, subject: str, actor: str | None) -> Erasure:
        """Erase all of a subject; what has not ended is erased when it has.

        Raises:
            SubjectUnknownError: if there is nothing of it.
            HeldError: if there is a hold on it, or on one of its sessions; nothing is erased then.
            DragomanError: if it could not all be erased: it will be gone on with.
        """
        begun = await asyncio.to_thread(begin_erasure, self._engine, tenant, subject_digest(tenant, subject))
        done = await self._go_on(begun)
        if done.done_ms is not None and not done.counts:
            await asyncio.to_thread(drop_erasure, self._engine, done.erasure_id)
            raise SubjectUnknownError("There is nothing of this subject.")
        await self._note(done, actor)
        return done

    async def run(self) -> None:
        """Go on with what waits, until it is cancelled."""
        while True:
            try:
                for waiting in await asyncio.to_thread(waiting_erasures, self._engine):
                    done = await self._go_on(waiting)
                    if done.done_ms is not None:
                        await self._note(done, None)
            except DragomanError as error:
                _LOG.warning("what was asked to be erased could not be: %s", error.code)
            await asyncio.sleep(_LOOK_S)

    async def _note(self, done: Erasure, actor: str | None) -> None:
        details = {"state": "waiting" if done.done_ms is None else "done", **done.counts}
        await asyncio.to_thread(self._audit.add, done.tenant, actor, "subject.erase", done.erasure_id, details)

    async def _go_on(self, erasure: Erasure) -> Erasure:
        """Erase what can be erased by now; the sessions last, for they say what else there may be."""
        assert erasure.subject is not None
        async with self._turn:
            erased, places = Counter[str](), self.places
            is_done = True
            for job_id in (await asyncio.to_thread(find, self._engine, erasure.tenant, erasure.subject)).jobs:
                await asyncio.to_thread(places.files.drop, job_id)
                if (job := await asyncio.to_thread(self._jobs.remove, job_id)) is not None:
                    erased["jobs"] += 1
                    is_done = is_done and job.state != "running"  # else its session may be about to begin
            found = await asyncio.to_thread(find, self._engine, erasure.tenant, erasure.subject)
            had = await asyncio.to_thread(sessions_of, self._engine, erasure.subject)
            origin = Origin(had, erasure.tenant, _named(erasure.tenant, erasure.subject))
            copies = await asyncio.to_thread(erase_items, places.datasets, origin, SUBJECT, erasure.erasure_id)
            erased["dataset_items"] += copies.items
            for session_id in found.sessions:
                try:
                    await asyncio.to_thread(check_erasable, self._engine, session_id)
                except SessionOpenError:
                    is_done = False
                    continue
                await places.spool.delete(session_id)
                erased["sessions"] += await asyncio.to_thread(erase, self._engine, session_id, SUBJECT)
            await asyncio.to_thread(settle, self._engine)
            return await asyncio.to_thread(note_erased, self._engine, erasure.erasure_id, +erased, is_done=is_done)


@asynccontextmanager
async def erasing(settings: Settings, engine: Engine) -> AsyncIterator[Eraser]:
    """Open the places that the settings name, for a command that runs beside a server."""
    spool = await asyncio.to_thread(open_spool, settings)
    try:
        with closing(await asyncio.to_thread(open_job_files, settings)) as files:
            yield Eraser(Places(engine, spool, files, DatasetStore(settings.data / "datasets")))
    finally:
        await spool.close()


def _named(tenant: str, digest: str) -> Callable[[str], bool]:
    """Return what knows a subject by what an item of a dataset names: its id, or the digest of it."""
    return lambda named: digest in (named, subject_digest(tenant, named))
