"""The ledger of jobs: who works on what, until when, and what came of it.

A worker that dies loses its lease; the job is another's when that has run out.
"""

import json
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Final, Literal

from pydantic import JsonValue
from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, delete, insert, or_, select, update

from dragoman.domain.errors import JobConflictError, StoreConflictError
from dragoman.store import tables
from dragoman.store.outages import reading, writing
from dragoman.store.outbox import Hook, close_call, take_due
from dragoman.store.subjects import is_held, note_subjects, subjects_of

State = Literal["queued", "running", "completed", "failed", "cancelled", "dead"]
"""``failed``: the input cannot be transcribed, ever. ``dead``: it took the worker with it too often."""

LEASE_S: Final = 60
MOST_ATTEMPTS: Final = 5
OVER: Final = ("completed", "failed", "cancelled", "dead")
_JOBS = tables.jobs.c


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job as it was last committed; times are Unix time, ``done_ms`` and ``duration_ms`` are of the audio.

    ``place`` is where its file lies: workers take what lies where they can read it. ``session_id`` is the session of
    its last attempt.
    """

    job_id: str
    tenant: str
    owner: str | None
    request_hash: str
    created_ms: int
    wishes_json: str
    place: str
    source: str | None
    uploaded_bytes: int
    webhook_url: str | None = None
    idempotency_key: str | None = None
    state: State = "queued"
    attempts: int = 0
    worker: str | None = None
    lease_until_ms: int | None = None
    done_ms: int = 0
    duration_ms: int | None = None
    session_id: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    finished_ms: int | None = None

    def told(self) -> dict[str, JsonValue]:
        """Return what its tenant is told of it."""
        error: JsonValue = {"code": self.error_code, "message": self.error_message} if self.error_code else None
        return {
            "job_id": self.job_id,
            "state": self.state,
            "source": self.source,
            "created_ms": self.created_ms,
            "finished_ms": self.finished_ms,
            "attempts": self.attempts,
            "done_ms": self.done_ms,
            "duration_ms": self.duration_ms,
            "session_id": self.session_id if self.state == "completed" else None,
            "error": error,
        }

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in OVER


class JobStore:
    """The jobs in a database. Every call waits for it, and raises ``StoreFailedError`` if it does not work."""

    def __init__(self, engine: Engine, clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._engine = engine
        self._now_ms = clock_ms

    def submit(self, job: JobRecord, subjects: Collection[str] = ()) -> tuple[JobRecord, bool]:
        """Enter a job, and digests of whose data it is; return it, or what its idempotency key began, and if it is new.

        Raises:
            JobConflictError: if the key began another request.
        """
        if job.idempotency_key is not None and (earlier := self._begun(job)):
            return earlier, False

        def work(connection: Connection, is_again: bool) -> None:
            if is_again and connection.scalar(select(_JOBS.job_id).where(_JOBS.job_id == job.job_id)):
                return
            connection.execute(insert(tables.jobs), asdict(job))
            note_subjects(connection, job.job_id, subjects)

        try:
            writing(self._engine, work)
        except StoreConflictError:  # somebody was quicker with the same key
            if (earlier := self._begun(job)) is None:
                raise
            return earlier, False
        return job, True

    def get(self, job_id: str, tenant: str) -> JobRecord | None:
        """Return a job of a tenant, or ``None`` if it has none of this id."""
        query = select(tables.jobs).where(_JOBS.job_id == job_id, _JOBS.tenant == tenant)
        row = reading(self._engine, lambda connection: connection.execute(query).one_or_none())
        return None if row is None else _record(row)

    def whose(self, job_id: str) -> tuple[str, ...]:
        """Return digests of whose data a job is."""
        return subjects_of(self._engine, job_id)

    def list(self, tenant: str, limit: int) -> list[JobRecord]:
        """Return the newest jobs of a tenant."""
        query = (
            select(tables.jobs)
            .where(_JOBS.tenant == tenant)
            .order_by(_JOBS.created_ms.desc(), _JOBS.job_id)
            .limit(limit)
        )
        return reading(self._engine, lambda connection: [*map(_record, connection.execute(query))])

    def claim(self, worker: str, places: Collection[str]) -> JobRecord | None:
        """Take the oldest job of some places that waits, or whose worker is gone, for ``LEASE_S`` seconds.

        What took a worker with it goes behind the others; after ``MOST_ATTEMPTS`` times it is put aside as dead.
        """

        def work(connection: Connection, is_again: bool) -> JobRecord | None:
            if is_again and (mine := self._taken(connection, worker)):
                return mine
            while True:
                now_ms = self._now_ms()
                gone = and_(_JOBS.state == "running", _JOBS.lease_until_ms < now_ms)
                query = (
                    select(tables.jobs)
                    .where(_JOBS.place.in_(places), or_(_JOBS.state == "queued", gone))
                    .order_by(_JOBS.attempts, _JOBS.created_ms, _JOBS.job_id)
                    .limit(1)
                    .with_for_update(skip_locked=True)
                )
                row = connection.execute(query).one_or_none()
                if row is None:
                    return None
                job = _record(row)
                if job.attempts >= MOST_ATTEMPTS:
                    self._end(connection, job, "dead", "job_dead", f"{MOST_ATTEMPTS} workers died or stopped over it.")
                    continue
                taken = {
                    "state": "running",
                    "worker": worker,
                    "attempts": job.attempts + 1,
                    "lease_until_ms": now_ms + LEASE_S * 1_000,
                    "done_ms": 0,
                }
                connection.execute(update(tables.jobs).where(_JOBS.job_id == job.job_id).values(taken))
                return _record(connection.execute(select(tables.jobs).where(_JOBS.job_id == job.job_id)).one())

        return writing(self._engine, work)

    def recover(self, place: str) -> int:
        """Give back what an earlier server of a place was working on; return how much. Two cannot be there at once."""
        change = {"state": "queued", "worker": None, "lease_until_ms": None}
        mine = update(tables.jobs).where(_JOBS.place == place, _JOBS.state == "running").values(change)
        return writing(self._engine, lambda connection, _: connection.execute(mine).rowcount)

    def beat(self, job: JobRecord, done_ms: int, duration_ms: int | None, session_id: str) -> bool:
        """Say how far a job is, and keep it for ``LEASE_S`` more; ``False`` if it is not the worker's any more."""
        change = {
            "lease_until_ms": self._now_ms() + LEASE_S * 1_000,
            "done_ms": done_ms,
            "duration_ms": duration_ms,
            "session_id": session_id,
        }
        held = update(tables.jobs).where(*_held(job)).values(change)
        return writing(self._engine, lambda connection, _: connection.execute(held).rowcount) == 1

    def extend(self, job: JobRecord) -> None:
        """Keep a job for ``LEASE_S`` more, if it is still the worker's."""
        until_ms = self._now_ms() + LEASE_S * 1_000
        held = update(tables.jobs).where(*_held(job)).values(lease_until_ms=until_ms)
        writing(self._engine, lambda connection, _: connection.execute(held))

    def finish(self, job: JobRecord, state: State, code: str | None = None, message: str | None = None) -> bool:
        """End a job, and enter the call that tells of it, both or neither; ``False`` if it was not the worker's."""

        def work(connection: Connection, is_again: bool) -> bool:
            held = connection.execute(select(_JOBS.job_id).where(*_held(job)).with_for_update()).one_or_none()
            if held is None:
                return is_again and connection.scalar(select(_JOBS.job_id).where(*_held(job, state))) is not None
            self._end(connection, job, state, code, message)
            return True

        return writing(self._engine, work)

    def release(self, job: JobRecord) -> None:
        """Give a job back at once, untried: its worker stops."""
        change = {"state": "queued", "worker": None, "lease_until_ms": None, "attempts": job.attempts - 1}
        held = update(tables.jobs).where(*_held(job)).values(change)
        writing(self._engine, lambda connection, _: connection.execute(held))

    def cancel(self, job_id: str, tenant: str) -> JobRecord | None:
        """End a job that is not over; return it as it is then, or ``None`` if there is none of this id."""

        def work(connection: Connection, _: bool) -> JobRecord | None:
            mine = [_JOBS.job_id == job_id, _JOBS.tenant == tenant]
            row = connection.execute(select(tables.jobs).where(*mine).with_for_update()).one_or_none()
            if row is None:
                return None
            if not (job := _record(row)).is_over:
                self._end(connection, job, "cancelled", None, None)
            return _record(connection.execute(select(tables.jobs).where(*mine)).one())

        return writing(self._engine, work)

    def begun_before(self, before_ms: int) -> Sequence[JobRecord]:
        """Return jobs that nobody works on, were entered before a Unix time and are not held, oldest first."""
        query = (
            select(tables.jobs)
            .where(_JOBS.created_ms < before_ms, _JOBS.state != "running", ~is_held(_JOBS.job_id))
            .order_by(_JOBS.created_ms)
        )
        return reading(self._engine, lambda connection: [*map(_record, connection.execute(query))])

    def remove(self, job_id: str) -> JobRecord | None:
        """Remove a job, whatever its state, and the call that tells of it; return it, if it was there.

        Who works on it hears of that at the next beat.
        """

        def work(connection: Connection, _: bool) -> JobRecord | None:
            row = connection.execute(select(tables.jobs).where(_JOBS.job_id == job_id).with_for_update()).one_or_none()
            remove_jobs(connection, [job_id])
            return None if row is None else _record(row)

        return writing(self._engine, work)

    def due_hook(self, pause_ms: int) -> Hook | None:
        """Take a call that is due; see ``Outbox``."""
        return writing(
            self._engine, lambda connection, _: take_due(connection, "webhooks", "job_id", self._now_ms(), pause_ms)
        )

    def told(self, about: str) -> None:
        """Enter that a call was made, or is given up."""
        writing(self._engine, lambda connection, _: close_call(connection, "webhooks", "job_id", about))

    def _begun(self, job: JobRecord) -> JobRecord | None:
        query = select(tables.jobs).where(_JOBS.tenant == job.tenant, _JOBS.idempotency_key == job.idempotency_key)
        row = reading(self._engine, lambda connection: connection.execute(query).one_or_none())
        if row is not None and row.request_hash != job.request_hash:
            raise JobConflictError("This Idempotency-Key began another request; use one key for one request.")
        return None if row is None else _record(row)

    def _taken(self, connection: Connection, worker: str) -> JobRecord | None:
        """Return the job that a worker took before its connection broke: it works on one at a time."""
        query = select(tables.jobs).where(_JOBS.worker == worker, _JOBS.state == "running").limit(1)
        row = connection.execute(query).one_or_none()
        return None if row is None else _record(row)

    def _end(self, connection: Connection, job: JobRecord, state: State, code: str | None, message: str | None) -> None:
        now_ms = self._now_ms()
        change = {
            "state": state,
            "finished_ms": now_ms,
            "lease_until_ms": None,
            "error_code": code,
            "error_message": message,
        }
        connection.execute(update(tables.jobs).where(_JOBS.job_id == job.job_id).values(change))
        if job.webhook_url:
            row = connection.execute(select(tables.jobs).where(_JOBS.job_id == job.job_id)).one()
            hook = {
                "job_id": job.job_id,
                "url": job.webhook_url,
                "body": json.dumps(_record(row).told(), ensure_ascii=False),
                "attempts": 0,
                "due_ms": now_ms,
                "is_open": True,
            }
            connection.execute(insert(tables.webhooks), hook)


def remove_jobs(connection: Connection, job_ids: Collection[str]) -> int:
    """Remove jobs, the calls that tell of them and whose data they are; return how many there were."""
    connection.execute(delete(tables.webhooks).where(tables.webhooks.c.job_id.in_(job_ids)))
    connection.execute(delete(tables.subjects).where(tables.subjects.c.resource_id.in_(job_ids)))
    return connection.execute(delete(tables.jobs).where(_JOBS.job_id.in_(job_ids))).rowcount


def _held(job: JobRecord, state: State = "running") -> list[ColumnElement[bool]]:
    """Return what holds of a job while a worker has it: somebody else has tried it since, or it is over, otherwise.

    With another ``state``, what holds once that worker has ended it so.
    """
    mine = [_JOBS.worker == job.worker, _JOBS.attempts == job.attempts]
    return [_JOBS.job_id == job.job_id, _JOBS.state == state, *mine]


def _record(row: Row[tuple[object, ...]]) -> JobRecord:
    return JobRecord(**row._asdict())
