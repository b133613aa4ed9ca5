"""The database behind the store: how it is opened, brought up to date, and what its errors mean."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, TypedDict

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from dragoman.domain.errors import (
    DependencyMissingError,
    DragomanError,
    SettingsError,
    StoreConflictError,
    StoreFailedError,
)
from dragoman.store.folder import private_folder
from dragoman.store.postgres import (
    CONNECT_ARGUMENTS,
    MOST_CONNECTIONS,
    Password,
    check_promises,
    primary_message,
    take_turns,
    use_postgres,
)

WRITES: Final = {"writes": True}
"""Execution options of a connection that is going to write."""

_BUSY_TIMEOUT_MS: Final = 5_000
"""How long a writer waits for another process, such as ``dragoman keys``, before it gives up."""

# SQLite reports a quota that is used up (EDQUOT) as any other error of writing.
_NO_ROOM: Final = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE)
_DISK_FULL: Final = "53100"  # PostgreSQL's
_IDLE: Final = 5
"""Connections to PostgreSQL that are kept open."""

_LOCKED: Final = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class _Options(TypedDict, total=False):
    max_overflow: int
    pool_size: int
    pool_timeout: int
    connect_args: dict[str, str]


def open_database(url: str, password: Password | None = None) -> Engine:
    """Return the database at a SQLAlchemy URL, created and brought up to date if need be. Waits for the disk.

    ``password`` is asked before every connection to PostgreSQL.

    Raises:
        SettingsError: if the URL cannot be used.
        DependencyMissingError: if the database's driver is not installed.
        StoreFailedError: if the database cannot be opened.
    """
    try:
        parsed = make_url(url)
        # hide_parameters: what people said must not get into the text of an exception.
        engine = create_engine(
            parsed, hide_parameters=True, poolclass=QueuePool, pool_pre_ping=True, **_options(parsed)
        )
    except ArgumentError as error:
        raise SettingsError("The database URL (DRAGOMAN_DATABASE_URL) is not one that SQLAlchemy knows.") from error
    except ModuleNotFoundError as error:
        raise DependencyMissingError(f"The database needs the driver {error.name}; install it.") from error
    if engine.dialect.name == "sqlite":
        if parsed.database in (None, "", ":memory:"):
            raise SettingsError("A SQLite database must be a file, or nothing would be kept.")
        _use_sqlite(engine, Path(parsed.database))
    else:
        use_postgres(engine, password)
    try:
        with translated():
            _migrate(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _options(url: URL) -> "_Options":
    if url.get_backend_name() == "sqlite":
        return {"max_overflow": -1}
    arguments = {name: value for name, value in CONNECT_ARGUMENTS.items() if name not in url.query}
    return {"max_overflow": MOST_CONNECTIONS - _IDLE, "pool_size": _IDLE, "pool_timeout": 10, "connect_args": arguments}


def _use_sqlite(engine: Engine, path: Path) -> None:
    try:
        private_folder(path.parent)
        path.touch(mode=0o600)  # SQLite gives the files beside it the same mode
    except OSError as error:
        raise StoreFailedError(
            f"The database {path} cannot be created ({error.strerror}); check its folder."
        ) from error

    @event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, _: object) -> None:
        # Python's driver would begin transactions at times of its own choice, which savepoints do not bear.
        connection.isolation_level = None
        with closing(connection.cursor()) as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
            cursor.execute("PRAGMA journal_mode = WAL")
            cursor.execute("PRAGMA synchronous = FULL")
            cursor.execute("PRAGMA foreign_keys = ON")
            cursor.execute("PRAGMA secure_delete = ON")  # what is erased is not left in free pages

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        # A transaction that reads first and writes later could find that another process was quicker.
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _migrate(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", "dragoman.store:migrations")
    with engine.execution_options(**WRITES).begin() as connection:
        if engine.dialect.name == "postgresql":
            check_promises(connection)
            take_turns(connection)
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise StoreFailedError(
                f"The database cannot be brought up to date ({error}); it may be a newer Dragoman's: use that one."
            ) from error


@contextmanager
def translated() -> Iterator[None]:
    """Raise errors of the database as errors of ours."""
    try:
        yield
    except SQLAlchemyError as error:
        raise store_error(error) from error


def store_error(error: SQLAlchemyError) -> DragomanError:
    """Return the error of ours that says what the database's means."""
    cause = primary_message(error.orig if isinstance(error, DBAPIError) and error.orig else error)
    if isinstance(error, IntegrityError):
        return StoreConflictError(f"The database holds this already ({cause}).")
    if is_full(error) or getattr(getattr(error, "orig", None), "sqlstate", None) == _DISK_FULL:
        return StoreFailedError("The disk that holds the database is full; free some space.")
    if _sqlite_code(error) in _LOCKED:
        return StoreFailedError("Another process keeps the database locked; end it, or try again later.")
    return StoreFailedError(f"The database does not work ({cause}); check that it can be reached and written.")


def is_full(error: BaseException) -> bool:
    """Return whether SQLite found no room on the disk."""
    return _sqlite_code(error) in _NO_ROOM


def _sqlite_code(error: BaseException) -> int | None:
    cause = error.orig if isinstance(error, DBAPIError) else None
    return getattr(cause, "sqlite_errorcode", None)
