"""Everybody who works behind the door of a server: workers, and who makes the calls."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from dragoman.datasets.store import DatasetStore
from dragoman.jobs.erasing import Eraser, Places
from dragoman.jobs.files import JobFiles
from dragoman.jobs.retention import Keep, Retention
from dragoman.jobs.webhooks import Webhooks
from dragoman.jobs.worker import Worker
from dragoman.serving import Serving
from dragoman.store.jobs import JobStore


@dataclass(frozen=True)
class Crew:
    """What the door needs of them."""

    jobs: JobStore
    files: JobFiles
    webhooks: Webhooks
    eraser: Eraser
    workers: tuple[Worker, ...]

    def wake(self) -> None:
        """There is something to do."""
        for worker in self.workers:
            worker.woken.set()


@asynccontextmanager
async def working(server: Serving) -> AsyncIterator[Crew]:
    """Have a server's jobs worked on; at the end what is under way is given back."""
    settings = server.settings
    jobs = JobStore(server.engine)
    files = JobFiles(settings.data / "jobs")
    secret = settings.webhook_secret.get_secret_value().encode() if settings.webhook_secret else None
    webhooks = Webhooks(jobs, settings.webhook_hosts, secret)
    places = Places(server.engine, server.spool, files, DatasetStore(settings.data / "datasets"))
    crew = Crew(
        jobs, files, webhooks, Eraser(places), tuple(Worker(server, jobs, files) for _ in range(settings.job_workers))
    )
    await asyncio.to_thread(jobs.recover, files.place)
    tasks = [
        *(asyncio.create_task(each.run()) for each in crew.workers),
        asyncio.create_task(webhooks.run()),
        asyncio.create_task(crew.eraser.run()),
    ]
    if (keep := Keep.of(settings)) != Keep():
        tasks.append(asyncio.create_task(Retention(places, keep).run()))
    try:
        yield crew
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
