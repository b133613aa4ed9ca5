"""What the tests of the store run on: both kinds of database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dragoman.store.sql import SqlStore
from tests.postgres import PostgresServer


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A SQLite database as the migrations leave it."""
    path = tmp_path_factory.mktemp("empty") / "dragoman.db"
    SqlStore.open(f"sqlite:///{path}").close()
    return path.read_bytes()


@pytest.fixture(scope="session")
def empty_database(postgres: PostgresServer) -> Iterator[str]:
    """The name of a PostgreSQL database as the migrations leave it."""
    with postgres.database() as name:
        SqlStore.open(postgres.url(name)).close()
        yield name


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database that is up to date and empty."""
    if request.param == "postgres":
        postgres: PostgresServer = request.getfixturevalue("postgres")
        with postgres.database(request.getfixturevalue("empty_database")) as name:
            yield postgres.url(name)
    else:
        path = tmp_path / "dragoman.db"
        path.write_bytes(request.getfixturevalue("empty_file"))
        yield f"sqlite:///{path}"
