"""PostgreSQL: how it is spoken to, so that nobody waits for ever and nothing said gets into an error's text."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, Engine, ExceptionContext, event

from dragoman.domain.errors import SettingsError

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect
    from sqlalchemy.pool import ConnectionPoolEntry

Password = Callable[[], str]
"""Gives the password of the next connection, such as a token that does not last."""

MOST_CONNECTIONS: Final = 16
"""Of one process: PostgreSQL has a process for each, and 100 for everybody unless told otherwise."""

CONNECT_ARGUMENTS: Final[dict[str, str]] = {
    "connect_timeout": "5",
    # A server that is gone without a word is noticed after 25 s; libpq would wait for hours.
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "25000",
    # Ours take milliseconds. A transaction whose process stands still must not keep others from a session's row.
    "options": "-c statement_timeout=15s -c lock_timeout=10s -c idle_in_transaction_session_timeout=30s",
}
"""What libpq is told unless the URL says otherwise."""

_MIGRATIONS: Final = 0x64726167
"""The advisory lock of who brings the database up to date."""

_MIGRATION_LIMITS: Final = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '300s'"
"""A migration of large tables takes as long as it takes, and so does waiting for another replica's."""


def use_postgres(engine: Engine, password: Password | None) -> None:
    """Prepare an engine before its first connection."""

    @event.listens_for(engine, "handle_error")
    def failed(context: ExceptionContext) -> None:
        # The detail of an error may be a row, and in it what people said.
        primary = primary_message(context.original_exception)
        context.original_exception.args = (primary,)
        if context.sqlalchemy_exception is not None:
            context.sqlalchemy_exception.args = (primary,)

    if password is None:
        return

    @event.listens_for(engine, "do_connect")
    def connecting(_: "Dialect", __: "ConnectionPoolEntry", ___: tuple[str, ...], parameters: dict[str, str]) -> None:
        parameters["password"] = password()


def primary_message(error: BaseException) -> str:
    """Return what PostgreSQL says is wrong, without the rows that it may add."""
    told: object = getattr(getattr(error, "diag", None), "message_primary", None)
    return told if isinstance(told, str) else str(error).partition("\nDETAIL:")[0]


def take_turns(connection: Connection) -> None:
    """Wait until no other replica brings the database up to date; it is our turn until the transaction ends."""
    connection.exec_driver_sql(_MIGRATION_LIMITS)
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATIONS})").close()


def check_promises(connection: Connection) -> None:
    """Find out whether what the server acknowledges is on its disk.

    Raises:
        SettingsError: if not.
    """
    for name in ("fsync", "synchronous_commit"):
        if connection.exec_driver_sql(f"SHOW {name}").scalar_one() == "off":
            raise SettingsError(
                f"PostgreSQL acknowledges what it has not written ({name} is off), so a crash would lose sessions; "
                f"set it to on for this database."
            )
