"""Everybody who works behind the door of a server: workers, and who makes the calls."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass

import structlog

from dragoman.datasets.store import DatasetStore
from dragoman.jobs.erasing import Eraser, Places
from dragoman.jobs.retention import Keep, Retention
from dragoman.jobs.watching import keep_within_budgets, watch
from dragoman.jobs.webhooks import Webhooks
from dragoman.jobs.worker import Worker
from dragoman.monitoring.monitor import Line, Monitor
from dragoman.monitoring.rules import read_rules
from dragoman.serving.server import Serving
from dragoman.storage import FETCHED, open_job_files
from dragoman.store.alerts import AlertStore
from dragoman.store.budgets import BudgetStore
from dragoman.store.job_files import JobFiles
from dragoman.store.jobs import JobStore
from dragoman.store.windows import Windows


@dataclass(frozen=True)
class Crew:
    """What the door needs of them."""

    jobs: JobStore
    files: JobFiles
    webhooks: Webhooks
    eraser: Eraser
    monitor: Monitor
    workers: tuple[Worker, ...]

    def wake(self) -> None:
        """There is something to do."""
        for worker in self.workers:
            worker.woken.set()


@asynccontextmanager
async def working(server: Serving) -> AsyncIterator[Crew]:
    """Have a server's jobs worked on, and the server watched; at the end what is under way is given back.

    Raises:
        SettingsError: if the rules of what is watched cannot be used.
        WebhookRefusedError: if alerts would go where this server does not call.
    """
    # What a server that was killed had fetched is fetched again.
    await asyncio.to_thread(shutil.rmtree, server.settings.data / FETCHED, ignore_errors=True)
    with closing(await asyncio.to_thread(open_job_files, server.settings)) as files:
        async with _working(server, files) as crew:
            yield crew


@asynccontextmanager
async def _working(server: Serving, files: JobFiles) -> AsyncIterator[Crew]:
    settings = server.settings
    jobs = JobStore(server.engine)
    secret = settings.webhook_secret.get_secret_value().encode() if settings.webhook_secret else None
    webhooks = Webhooks(jobs, settings.webhook_hosts, secret)
    places = Places(server.engine, server.spool, files, DatasetStore(settings.data / "datasets"))
    alerts = AlertStore(server.engine)
    told = Webhooks(alerts, settings.webhook_hosts, secret)
    for url in settings.alert_webhooks:
        told.check(url)
    rules = await asyncio.to_thread(read_rules, settings.monitoring)
    monitor = Monitor(Windows(server.engine), alerts, rules, server.purse.price, _tell, settings.alert_webhooks)
    workers = tuple(Worker(server, jobs, files) for _ in range(settings.job_workers))
    crew = Crew(jobs, files, webhooks, Eraser(places), monitor, workers)
    # Of what lies where other servers reach it too, they may be working on it: its leases run out.
    for place in files.places if server.is_alone else (files.folder.place,):
        await asyncio.to_thread(jobs.recover, place)
    tasks = [
        *(asyncio.create_task(each.run()) for each in crew.workers),
        asyncio.create_task(webhooks.run()),
        asyncio.create_task(told.run()),
        asyncio.create_task(crew.eraser.run()),
        asyncio.create_task(watch(monitor, server.turned_away, lambda: _used(server.purse.store))),
        asyncio.create_task(keep_within_budgets(server)),
    ]
    if (keep := Keep.of(settings)) != Keep():
        tasks.append(asyncio.create_task(Retention(places, keep).run()))
    try:
        yield crew
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _tell(event: str, line: Line) -> None:
    structlog.get_logger("dragoman").info(event, **line)


def _used(budgets: BudgetStore) -> dict[str, float]:
    return {each.tenant: each.used for each in budgets.accounts() if each.used is not None}
