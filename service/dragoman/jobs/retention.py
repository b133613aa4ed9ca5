"""Forgets what was kept long enough, each class in its own time: audio, transcripts, jobs, the audit trail."""

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from dragoman.domain.errors import DragomanError
from dragoman.jobs.erasing import Places
from dragoman.settings import Settings
from dragoman.store.audit import AuditTrail
from dragoman.store.erasure import RETENTION, begun_before, erase, settle
from dragoman.store.jobs import JobStore

_DAY_MS: Final = 86_400_000
_LOOK_S: Final = 3_600.0

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Keep:
    """How many days each class is kept; ``None`` is for ever."""

    audio_days: float | None = None
    transcript_days: float | None = None
    job_days: float | None = None
    audit_days: float | None = None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return what the settings say; what a class does not say is said for all but the audit trail."""
        default = settings.retention_days
        transcript_days = settings.retention_transcript_days or default
        said = [settings.retention_audio_days or default, transcript_days]
        audio_days = min((days for days in said if days is not None), default=None)
        return cls(audio_days, transcript_days, settings.retention_job_days or default, settings.retention_audit_days)


class Retention:
    """Forgets in the places of a server. What is held is passed by."""

    def __init__(self, places: Places, keep: Keep) -> None:
        self._places = places
        self._keep = keep
        self._audit = AuditTrail(places.engine)
        self._jobs = JobStore(places.engine)

    async def run(self) -> None:
        """Forget every hour, until it is cancelled."""
        while True:
            try:
                await self.forget(time.time_ns() // 1_000_000)
            except DragomanError as error:
                _LOG.warning("what was kept long enough could not be erased: %s", error.code)
            await asyncio.sleep(_LOOK_S)

    async def forget(self, now_ms: int) -> Mapping[str, int]:
        """Forget what was kept long enough by a Unix time; return how much of each class."""
        forgotten = {
            "transcripts": await self._transcripts(_before(now_ms, self._keep.transcript_days)),
            "audio": await self._audio(_before(now_ms, self._keep.audio_days)),
            "jobs": await self._old_jobs(_before(now_ms, self._keep.job_days)),
        }
        if any(forgotten.values()):
            await asyncio.to_thread(settle, self._places.engine)
        audit_ms = _before(now_ms, self._keep.audit_days)
        return {**forgotten, "audit": await asyncio.to_thread(self._audit.retire, audit_ms) if audit_ms > 0 else 0}

    async def _transcripts(self, before_ms: int) -> int:
        found = await asyncio.to_thread(begun_before, self._places.engine, before_ms)
        for session_id, tenant in found:
            await self._places.spool.delete(session_id)
            await asyncio.to_thread(erase, self._places.engine, session_id, RETENTION)
            await self._note(tenant, "transcript.erase", session_id)
        return len(found)

    async def _audio(self, before_ms: int) -> int:
        found = dict(await asyncio.to_thread(begun_before, self._places.engine, before_ms))
        old = [session_id for session_id in await self._places.spool.kept() if session_id in found] if found else []
        for session_id in old:
            await self._places.spool.delete(session_id)
            await self._note(found[session_id], "audio.erase", session_id)
        return len(old)

    async def _old_jobs(self, before_ms: int) -> int:
        found = await asyncio.to_thread(self._jobs.begun_before, before_ms)
        for job in found:
            await asyncio.to_thread(self._places.files.drop, job.job_id)
            await asyncio.to_thread(self._jobs.remove, job.job_id)
            await self._note(job.tenant, "job.erase", job.job_id)
        return len(found)

    async def _note(self, tenant: str, action: str, resource: str) -> None:
        await asyncio.to_thread(self._audit.add, tenant, None, action, resource, {"reason": RETENTION})


def _before(now_ms: int, days: float | None) -> int:
    """Return before when something must have begun to be forgotten; nothing began before 0."""
    return 0 if days is None else now_ms - round(days * _DAY_MS)
