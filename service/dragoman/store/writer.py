"""The one thread that writes to the database: what waits goes into one transaction, because a sync costs most."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from dragoman.domain.errors import DragomanError, StoreFailedError
from dragoman.store.database import WRITES, is_full, store_error
from dragoman.store.outages import persisting
from dragoman.store.reserve import Reserve

Work = Callable[[Connection], None]
Check = Callable[[Connection], bool]
"""Tells whether the work was done already."""


@dataclass(frozen=True, slots=True, eq=False)
class _Item:
    work: Work
    is_there: Check | None
    done: "Future[None]" = field(default_factory=Future)


class Writer:
    """Carries out work in the order of the calls, from any thread or event loop. What fails, fails alone."""

    def __init__(self, engine: Engine, reserve: Reserve | None) -> None:
        self._engine = engine.execution_options(**WRITES)
        self._reserve = reserve
        self._items: list[_Item] = []
        self._closed = False
        self._door = threading.Condition()  # of the two above
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)
        self._thread.start()

    async def carry_out(self, work: Work, is_there: Check | None = None) -> None:
        """Run ``work`` in a transaction and wait until that is durable. Cancelling ends the waiting only.

        A connection may break in the very moment of committing; the transaction is then made again, and ``is_there``
        asked first. Work without it must bear being done twice.

        Raises:
            StoreFailedError: if it could not be committed; nothing of it was.
            DragomanError: what ``work`` raised.
        """
        item = _Item(work, is_there)
        item.done.set_running_or_notify_cancel()
        with self._door:
            if self._closed:
                raise StoreFailedError("The store is shut down; open it again.")
            self._items.append(item)
            self._door.notify()
        await asyncio.wrap_future(item.done)

    def close(self) -> None:
        """Finish what waits and end the thread. Idempotent."""
        with self._door:
            self._closed = True
            self._door.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._door:
                self._door.wait_for(lambda: self._items or self._closed)
                batch, self._items = self._items, []
            if not batch:
                return
            self._settle(batch)

    def _settle(self, batch: Sequence[_Item]) -> None:
        try:
            outcomes = persisting(lambda is_again: self._transact(batch, is_again))
        except Exception as error:  # noqa: BLE001 - not swallowed: every waiting session gets it
            if is_full(error):
                if self._reserve is not None and self._reserve.give_up():
                    self._settle(batch)
                    return
                if len(batch) > 1:  # what is small may still fit
                    for item in batch:
                        self._settle([item])
                    return
            outcomes = [_failure(error) for _ in batch]
        for item, outcome in zip(batch, outcomes, strict=True):
            if outcome is None:
                item.done.set_result(None)
            else:
                item.done.set_exception(outcome)

    def _transact(self, batch: Sequence[_Item], is_again: bool) -> list[DragomanError | None]:
        with self._engine.begin() as connection:
            return [_attempt(connection, item, is_again) for item in batch]


def _attempt(connection: Connection, item: _Item, is_again: bool) -> DragomanError | None:
    """Run one item; return why it failed, with the transaction as it was before."""
    savepoint = connection.begin_nested()
    try:
        if not (is_again and item.is_there and item.is_there(connection)):
            item.work(connection)
    except OperationalError:
        raise  # the database is in trouble, and the transaction may be gone with its savepoints
    except Exception as error:  # noqa: BLE001 - not swallowed: the waiting session gets it
        savepoint.rollback()
        return _failure(error)
    savepoint.commit()
    return None


def _failure(error: Exception) -> DragomanError:
    if isinstance(error, DragomanError):
        return error
    failure = (
        store_error(error)
        if isinstance(error, SQLAlchemyError)
        else StoreFailedError(f"The store failed unexpectedly ({type(error).__name__}).")
    )
    failure.__cause__ = error
    return failure
