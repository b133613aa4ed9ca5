"""What stands in the way of a transaction and passes: a server that starts again, a race that was lost."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from dragoman.store.database import WRITES, translated

T = TypeVar("T")

_PAUSES_S: Final = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.5, 2.0, 2.0, 2.0)
"""Ten seconds in all: a PostgreSQL that was killed is back after one or two, as measured in ``test_outages.py``."""

_LOST_RACES: Final = ("40001", "40P01")  # serialization_failure, deadlock_detected
_AWAY: Final = ("57P01", "57P02", "57P03", "53300")  # shut down, crashed, starting, no connection free
_CONNECTION: Final = "08"
# Source: PostgreSQL 15, appendix A, "PostgreSQL Error Codes".


def is_passing(error: BaseException) -> bool:
    """Return whether PostgreSQL has undone a transaction, or may have, that can be begun again.

    A connection that broke while committing leaves open whether it was undone.
    """
    cause = error.orig if isinstance(error, DBAPIError) else None
    if cause is None or not hasattr(cause, "sqlstate"):
        return False  # SQLite's, which has waited long enough by itself
    state: object = cause.sqlstate
    if state is None:  # libpq's own: it cannot reach the server, or has lost it
        return True
    return isinstance(state, str) and (state in _LOST_RACES or state in _AWAY or state.startswith(_CONNECTION))


def persisting(attempt: Callable[[bool], T]) -> T:
    """Return what an attempt returns, making it again while what stands in its way passes.

    It is told whether it is made again: then an earlier one may have been committed after all.
    """
    is_again = False
    for pause_s in _PAUSES_S:
        try:
            return attempt(is_again)
        except DBAPIError as error:
            if not is_passing(error):
                raise
        is_again = True
        time.sleep(pause_s)
    return attempt(is_again)


def reading(engine: Engine, work: Callable[[Connection], T]) -> T:
    """Return what is read, however often it must be begun again.

    Raises:
        StoreFailedError: if the database stays away.
    """

    def attempt(is_again: bool) -> T:
        with engine.connect() as connection:
            return work(connection)

    with translated():
        return persisting(attempt)


def writing(engine: Engine, work: Callable[[Connection, bool], T]) -> T:
    """Return what ``work`` returns in a transaction that is committed, however often it must be begun again.

    ``work`` is told whether it is made again: then an earlier one may have been committed after all.

    Raises:
        StoreFailedError: if the database stays away.
        DragomanError: what ``work`` raises; nothing is committed then.
    """
    writes = engine.execution_options(**WRITES)

    def attempt(is_again: bool) -> T:
        with writes.begin() as connection:
            return work(connection, is_again)

    with translated():
        return persisting(attempt)
