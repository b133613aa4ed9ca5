"""A database of an earlier version is brought up to date with what is in it."""

import sqlite3
from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from dragoman.store import tables
from dragoman.store.database import open_database
from dragoman.store.keys import KeyStore


def first_version(file: Path) -> None:
    """Make a database as the first version did, with a session and a key in it."""
    engine = create_engine(f"sqlite:///{file}")
    config = Config()
    config.set_main_option("script_location", "dragoman.store:migrations")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("INSERT INTO sessions VALUES ('s_1', 1, '{}', 'k', NULL, 0, 1, 0, 0, 0, 0)")
        database.execute("INSERT INTO api_keys VALUES ('abcdef01', 'a', 'h', 'stream', 1, NULL)")


def test_what_was_there_is_the_default_tenants(tmp_path: Path) -> None:
    first_version(tmp_path / "a.db")
    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    with engine.connect() as connection:
        row = connection.execute(tables.sessions.select()).one()
        assert (row.session_id, row.tenant, row.owner, row.uploaded_bytes) == ("s_1", "default", "k", 0)
    (key,) = KeyStore(engine).list()
    assert (key.tenant, key.expires_ms, key.quota.streams) == ("default", None, None)
    engine.dispose()
