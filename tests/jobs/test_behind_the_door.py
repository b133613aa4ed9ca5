"""Who works behind the door goes on when the database comes back."""

import asyncio
from collections.abc import Callable, Collection
from io import BytesIO
from typing import TYPE_CHECKING, cast

import pytest

from dragoman.domain.errors import DrainingError, StoreFailedError
from dragoman.jobs.webhooks import MOST_ATTEMPTS, Webhooks
from dragoman.jobs.worker import Worker
from dragoman.store.job_files import FolderFiles, JobFiles
from dragoman.store.jobs import JobRecord, JobStore
from dragoman.store.outbox import Hook

if TYPE_CHECKING:
    from dragoman.serving.server import Serving


class AwayOnce:
    """A ledger whose database is away at the first call of each kind; ``done`` is called when all went well."""

    def __init__(self, done: Callable[[], object]) -> None:
        self._done = done
        self._called: set[str] = set()

    def _answer(self, call: str) -> None:
        if call not in self._called:
            self._called.add(call)
            raise StoreFailedError("The database is away.")

    def due_hook(self, pause_ms: int) -> Hook:
        self._answer("due_hook")
        return Hook("j_1", "http://127.0.0.1:1/", "{}", MOST_ATTEMPTS)

    def told(self, job_id: str) -> None:
        self._answer("told")
        self._done()

    def claim(self, worker: str, places: Collection[str]) -> JobRecord:
        self._answer("claim")
        return JobRecord("j_1", "acme", None, "hash", 1, '{"channel": null}', next(iter(places)), "a.wav", 1)

    def get(self, job_id: str, tenant: str) -> JobRecord:
        return self.claim("w", ["here"])

    def whose(self, job_id: str) -> tuple[str, ...]:
        return ()

    def release(self, job: JobRecord) -> None:
        self._answer("release")
        self._done()


class Busy:
    """A server that takes nothing."""

    async def transcribe(self, *asked: object) -> None:
        raise DrainingError("The server stops.")


@pytest.mark.slow
@pytest.mark.parametrize("who", ["worker", "webhooks"])
def test_a_database_that_was_away_ends_nobody(who: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    async def body() -> None:
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        jobs = cast("JobStore", AwayOnce(lambda: loop.call_soon_threadsafe(done.set)))
        files = JobFiles(FolderFiles(tmp_path_factory.mktemp("jobs")))
        files.keep("j_1", BytesIO(b"something"))
        worker = Worker(cast("Serving", Busy()), jobs, files)
        running = asyncio.create_task(
            worker.run() if who == "worker" else Webhooks(jobs, ["127.0.0.1:1"], b"secret").run()
        )
        async with asyncio.timeout(60):
            while not done.is_set():
                worker.woken.set()  # nobody waits for the next look
                await asyncio.sleep(0.05)
        assert not running.done()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(body())
