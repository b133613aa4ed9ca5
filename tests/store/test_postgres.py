"""What PostgreSQL does that SQLite does not."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, Engine, event, insert, make_url

from dragoman.domain.errors import SettingsError, StoreConflictError, StoreFailedError
from dragoman.store import tables
from dragoman.store.database import open_database, translated
from dragoman.store.ports import Books
from dragoman.store.sql import SqlStore
from dragoman.store.writer import Writer
from tests.postgres import PostgresServer
from tests.store.said import final, record

pytestmark = pytest.mark.slow


@pytest.fixture
def database(postgres: PostgresServer, empty_database: str) -> Iterator[str]:
    """The URL of a database that is up to date."""
    with postgres.database(empty_database) as name:
        yield postgres.url(name)


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    opened = open_database(database)
    yield opened
    opened.dispose()


def test_replicas_that_start_at_once_bring_the_database_up_to_date_in_turn(postgres: PostgresServer) -> None:
    with postgres.database() as name, ThreadPoolExecutor(6) as replicas:
        stores = list(replicas.map(SqlStore.open, [postgres.url(name)] * 6))
        asyncio.run(stores[0].create(record()))
        for store in stores:
            assert asyncio.run(store.session("s_1")) == record()
            store.close()


def test_of_two_replicas_that_go_on_at_once_one_does(database: str) -> None:
    async def body(here: SqlStore, there: SqlStore) -> None:
        await here.create(record())
        for seq in range(1, 31):
            outcomes = await asyncio.gather(
                here.commit("s_1", [final(seq, f"u_{seq}", text="here")], Books(settled=seq)),
                there.commit("s_1", [final(seq, f"u_{seq}", text="there")], Books(settled=seq)),
                return_exceptions=True,
            )
            assert [type(each) for each in outcomes if each] == [StoreConflictError]
        assert [each.seq for each in await here.events("s_1")] == list(range(1, 31))

    here, there = SqlStore.open(database), SqlStore.open(database)
    asyncio.run(body(here, there))
    here.close()
    there.close()


def test_a_deadlock_is_resolved_by_beginning_again(engine: Engine) -> None:
    """Two writers take the rows of two sessions, each in its own order, and each waits for the other."""
    both = threading.Barrier(2, timeout=5)

    def taking(first: str, second: str) -> None:
        def work(connection: Connection) -> None:
            connection.execute(tables.sessions.update().where(tables.sessions.c.session_id == first).values(lost=1))
            if not both.broken:
                both.wait()
            connection.execute(tables.sessions.update().where(tables.sessions.c.session_id == second).values(lost=1))
            both.abort()  # whoever comes here has both

        writer = Writer(engine, None)
        try:
            asyncio.run(writer.carry_out(work))
        finally:
            writer.close()

    with engine.begin() as connection:
        for each in ("s_1", "s_2"):
            connection.execute(insert(tables.sessions), row(each))
    with ThreadPoolExecutor(2) as writers:
        list(writers.map(taking, ("s_1", "s_2"), ("s_2", "s_1")))
    with engine.connect() as connection:
        assert connection.scalars(tables.sessions.select().with_only_columns(tables.sessions.c.lost)).all() == [1, 1]


def row(session_id: str) -> dict[str, str | int | bool]:
    numbers = dict.fromkeys(("created_ms", "last_seq", "settled", "text", "lost", "discarded"), 0)
    return {"session_id": session_id, "spec_json": "{}", "is_open": True, **numbers}


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_commit_whose_answer_is_lost_is_made_once(database: str, moment: str) -> None:
    """The connection breaks at the commit: what came of it is found out before it is made again."""

    async def body(store: SqlStore) -> None:
        await store.create(record())
        await store.commit("s_1", [final(1, "u_1")], Books(settled=1))
        broken = threading.Event()

        def breaks(connection: Connection) -> None:
            if broken.is_set():
                return
            broken.set()
            raw = connection.connection.dbapi_connection
            assert raw is not None
            if moment == "after":
                raw.commit()
            with store.engine.connect() as other:
                mine = raw.info.backend_pid
                other.exec_driver_sql(f"SELECT pg_terminate_backend({mine}, 5000)").close()

        said = [final(2, "u_2"), final(3, "u_3")]
        event.listen(store.engine, "commit", breaks)
        await store.commit("s_1", said, Books(settled=2))
        assert broken.is_set()
        assert await store.events("s_1", after_seq=1) == said
        broken.clear()
        await store.create(record("s_2"))
        assert broken.is_set()
        with pytest.raises(StoreConflictError):
            await store.commit("s_1", said, Books(settled=2))

    store = SqlStore.open(database)
    asyncio.run(body(store))
    store.close()


def test_reading_bears_a_connection_that_breaks(database: str) -> None:
    async def body(store: SqlStore) -> None:
        await store.create(record())
        broken = threading.Event()

        def breaks(connection: Connection, *_: object) -> None:
            if broken.is_set():
                return
            broken.set()
            raw = connection.connection.dbapi_connection
            assert raw is not None
            with store.engine.connect() as other:
                other.exec_driver_sql(f"SELECT pg_terminate_backend({raw.info.backend_pid}, 5000)").close()

        event.listen(store.engine, "before_execute", breaks)
        assert await store.session("s_1") == record()
        assert broken.is_set()

    store = SqlStore.open(database)
    asyncio.run(body(store))
    store.close()


def test_the_password_is_asked_for_every_connection(postgres: PostgresServer, database: str) -> None:
    """A token lasts an hour; the pool opens connections for as long as the process lives."""
    asked: list[str] = []

    def token() -> str:
        asked.append("once more")
        return postgres.password

    url = make_url(database).set(password=None).render_as_string()
    opened = open_database(url, token)
    with opened.connect(), opened.connect():
        assert len(asked) == 2
    opened.dispose()
    with pytest.raises(StoreFailedError, match="password"):
        open_database(url, lambda: "another")


def test_the_urls_own_options_win(database: str) -> None:
    url = make_url(database).update_query_dict({"options": "-c statement_timeout=10ms"})
    opened = open_database(url.render_as_string(hide_password=False))
    with opened.connect() as connection, pytest.raises(StoreFailedError, match="statement timeout"), translated():
        connection.exec_driver_sql("SELECT pg_sleep(5)")
    opened.dispose()


def test_a_server_that_promises_too_much_is_refused(database: str) -> None:
    url = make_url(database).update_query_dict({"options": "-c synchronous_commit=off"})
    with pytest.raises(SettingsError, match="synchronous_commit is off"):
        open_database(url.render_as_string(hide_password=False))


def test_a_server_that_is_not_there_is_named(postgres: PostgresServer) -> None:
    with pytest.raises(StoreFailedError, match="reached"):
        open_database(postgres.url("nothing"))


def test_what_people_said_stays_out_of_messages(engine: Engine) -> None:
    said = {"session_id": "s_1", "seq": 1, "body": "confidential", "key": None, "type": None}
    with (
        engine.connect() as connection,
        pytest.raises(StoreConflictError, match="null value") as caught,
        translated(),
    ):
        connection.execute(insert(tables.events), said)
    cause = caught.value.__cause__
    assert cause is not None
    assert "confidential" not in f"{caught.value} {cause} {cause.__cause__} {cause.__context__}"
