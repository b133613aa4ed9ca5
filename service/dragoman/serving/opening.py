"""A server is opened on a data folder that no other one uses, and goes on with what was left there."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from dragoman import __version__
from dragoman.domain.errors import (
    FolderTakenError,
)
from dragoman.pipeline.observer import Observer
from dragoman.runtime import Runtime
from dragoman.serving.server import Serving
from dragoman.storage import database_password, holder_of, open_spool
from dragoman.store.audit import AuditTrail
from dragoman.store.folder import private_folder
from dragoman.store.sql import SqlStore
from dragoman.versions import note_change, read_versions


@asynccontextmanager
async def serving(runtime: Runtime, observer: Observer) -> AsyncIterator[Serving]:
    """Open the data folder of a runtime's settings, and go on with the sessions left there.

    Raises:
        FolderTakenError: if another server uses it.
        StoreFailedError: if it cannot be used.
    """
    settings = runtime.settings
    with _taken(settings.data):
        store = await asyncio.to_thread(
            SqlStore.open, settings.effective_database_url, database_password(settings), holder_of(settings)
        )
        try:
            spool = await asyncio.to_thread(open_spool, settings)
        except BaseException:
            await asyncio.to_thread(store.close)
            raise
        try:
            versions = await asyncio.to_thread(read_versions, settings, __version__)
            await asyncio.to_thread(note_change, AuditTrail(store.engine), versions)
            server = Serving(runtime, store, spool, observer, versions)
            await server.hub.recover()
            try:
                yield server
            finally:
                await server.close()
        finally:
            await spool.close()
            await asyncio.to_thread(store.close)


@contextmanager
def _taken(folder: Path) -> Iterator[None]:
    """Keep other servers out of a data folder: two would go on with the same sessions."""
    private_folder(folder)
    descriptor = os.open(folder / "server.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderTakenError(
                f"Another server uses the data in '{folder}'; stop it, or choose another folder with --data."
            ) from None
        yield
    finally:
        os.close(descriptor)
