"""Commits that have to wait for each other."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import Connection, event

from dragoman.store.sql import SqlStore
from tests.store.said import record


@asynccontextmanager
async def piled_up(store: SqlStore) -> AsyncIterator[None]:
    """Let commits wait for each other: all that are begun within go into one transaction."""
    gate, inside = threading.Event(), threading.Event()

    def hold(_: Connection) -> None:
        inside.set()
        gate.wait(5)

    event.listen(store.engine, "commit", hold, once=True)
    holding = asyncio.ensure_future(store.create(record("s_ffff")))
    await asyncio.to_thread(inside.wait, 5)
    try:
        yield
    finally:
        gate.set()
        await holding
