import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, event, insert

from dragoman.domain.errors import DependencyMissingError, SettingsError, StoreConflictError, StoreFailedError
from dragoman.store import tables
from dragoman.store.database import WRITES, open_database, translated
from dragoman.store.ports import Books
from dragoman.store.sql import SqlStore
from tests.store.said import record, warning

NEWEST = max(path.name[:4] for path in (Path(tables.__file__).parent / "migrations" / "versions").glob("[0-9]*.py"))


@contextmanager
def opened(path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{path}")
    try:
        yield engine
    finally:
        engine.dispose()


def is_ours(item: object, name: str | None, kind: str, is_there: bool, other: object) -> bool:
    """The index of finals is the database's: SQLite keeps it in tables of its own."""
    return not (kind == "table" and (name or "").startswith("finals"))


def test_the_migrations_make_the_tables_that_the_code_knows(tmp_path: Path) -> None:
    with opened(tmp_path / "a.db") as engine, engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_object": is_ours})
        assert compare_metadata(context, tables.metadata) == []


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    for _ in range(2):
        with opened(tmp_path / "a.db") as engine, engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all() == [NEWEST]


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    with opened(tmp_path / "a.db") as engine, engine.execution_options(**WRITES).begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreFailedError, match="newer"):
        open_database(f"sqlite:///{tmp_path / 'a.db'}")


def test_sqlite_is_set_up_to_lose_nothing(tmp_path: Path) -> None:
    with opened(tmp_path / "a.db") as engine, engine.connect() as connection:
        pragmas = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    assert pragmas == ["wal", 2, 1, 5_000]


def test_what_is_made_is_private(tmp_path: Path) -> None:
    with opened(tmp_path / "data" / "a.db") as engine, engine.connect():
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
    assert modes == {"data": 0o700, "a.db": 0o600, "a.db-wal": 0o600, "a.db-shm": 0o600}


@pytest.mark.parametrize("url", ["nonsense", "nobody://", "sqlite://", "sqlite:///:memory:"])
def test_a_url_that_cannot_be_used_is_a_wrong_setting(url: str) -> None:
    with pytest.raises(SettingsError):
        open_database(url)


def test_a_missing_driver_is_named() -> None:
    with pytest.raises(DependencyMissingError, match="pg8000"):
        open_database("postgresql+pg8000://localhost/dragoman")


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreFailedError, match="not a database"):
        open_database(f"sqlite:///{tmp_path / 'a.db'}")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreFailedError, match="cannot be created"):
        open_database(f"sqlite:///{tmp_path / 'file' / 'a.db'}")


def test_a_database_that_another_process_keeps_locked_fails_for_now(tmp_path: Path) -> None:
    async def body(store: SqlStore, other: Engine) -> None:
        await store.create(record())
        event.listen(store.engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout = 1"))
        store.engine.dispose()
        with other.execution_options(**WRITES).begin():
            with pytest.raises(StoreFailedError, match="locked") as caught:
                await store.commit("s_1", [warning(1)], Books())
            assert caught.value.retryable
        await store.commit("s_1", [warning(1)], Books())

    store = SqlStore.open(f"sqlite:///{tmp_path / 'a.db'}")
    with opened(tmp_path / "a.db") as other:
        asyncio.run(body(store, other))
    store.close()


def test_what_people_said_stays_out_of_messages(tmp_path: Path) -> None:
    with opened(tmp_path / "a.db") as engine, engine.connect() as connection:
        row = {"session_id": "s_1", "seq": 1, "type": "t", "body": "confidential"}
        with pytest.raises(StoreConflictError) as caught, translated():
            connection.execute(insert(tables.events), row)
        assert "confidential" not in f"{caught.value} {caught.value.__cause__}"
