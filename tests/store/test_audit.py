"""The trail of what was done: added to, never changed."""

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from dragoman.store.audit import AuditTrail
from dragoman.store.database import WRITES, open_database


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = open_database(url)
    yield engine
    engine.dispose()


def test_what_was_done_is_told_in_its_order(engine: Engine) -> None:
    trail = AuditTrail(engine, lambda: 17)
    trail.add("acme", "key1", "transcript.read", "s_1", {"format": "srt"})
    trail.add("acme", None, "transcript.erase", "s_1", {})
    assert [(each.seq, each.at_ms, each.actor, each.action, each.details) for each in trail.entries()] == [
        (1, 17, "key1", "transcript.read", '{"format": "srt"}'),
        (2, 17, None, "transcript.erase", "{}"),
    ]
    assert trail.first_broken() is None


@pytest.mark.parametrize("change", ["UPDATE audit SET actor = 'somebody else'", "DELETE FROM audit WHERE seq = 2"])
def test_the_database_refuses_to_change_it(engine: Engine, change: str) -> None:
    trail = AuditTrail(engine)
    for number in range(3):
        trail.add("acme", "key1", "transcript.read", f"s_{number}", {})
    with pytest.raises(DBAPIError, match="audit trail"), engine.execution_options(**WRITES).begin() as connection:
        connection.execute(text(change))
    assert trail.first_broken() is None


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ("UPDATE audit SET actor = 'somebody else' WHERE seq = 2", 2),
        ("UPDATE audit SET at_ms = at_ms + 1 WHERE seq = 3", 3),
        ("DELETE FROM audit WHERE seq = 2", 2),
        ("DELETE FROM audit WHERE seq = 1", 1),
    ],
)
def test_who_changes_it_all_the_same_is_found_out(engine: Engine, change: str, broken: int) -> None:
    trail = AuditTrail(engine)
    for number in range(4):
        trail.add("acme", "key1", "transcript.read", f"s_{number}", {})
    off = (
        ["DROP TRIGGER audit_kept", "DROP TRIGGER audit_whole"]
        if engine.dialect.name == "sqlite"
        else ["DROP TRIGGER audit_kept ON audit", "DROP TRIGGER audit_whole ON audit"]
    )
    with engine.execution_options(**WRITES).begin() as connection:
        for statement in (*off, change):
            connection.execute(text(statement))
    assert trail.first_broken() == broken


def test_many_at_once_follow_each_other(engine: Engine) -> None:
    trail = AuditTrail(engine)

    def add(number: int) -> None:
        for _ in range(5):
            trail.add("acme", f"key{number}", "transcript.read", "s_1", {})

    threads = [threading.Thread(target=add, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each.seq for each in trail.entries()] == list(range(1, 31))
    assert trail.first_broken() is None


def grown(engine: Engine, number: int) -> AuditTrail:
    """Return a trail whose entries were made at 1, 2, 3, …"""
    ticks = iter(range(1, 10_000))
    trail = AuditTrail(engine, lambda: next(ticks))
    for each in range(number):
        trail.add("acme", "key1", "transcript.read", f"s_{each}", {})
    return trail


def test_the_oldest_are_retired_and_the_rest_is_verified(engine: Engine) -> None:
    trail = grown(engine, 6)
    assert trail.retire(before_ms=1) == 0
    assert trail.retire(before_ms=4) == 3
    assert trail.retire(before_ms=4) == 0
    assert [each.seq for each in trail.entries()] == [4, 5, 6, 7]
    assert (trail.retired, trail.first_broken()) == (3, None)
    assert [each.action for each in trail.entries()][-1] == "audit.retire"
    assert trail.add("acme", None, "search", "finals", {}).seq == 8
    assert trail.retire(before_ms=10_000) == 5
    assert [(each.seq, each.action) for each in trail.entries()] == [(9, "audit.retire")]
    assert (trail.retired, trail.first_broken()) == (8, None)


def test_what_is_not_retired_is_still_not_removed(engine: Engine) -> None:
    trail = grown(engine, 6)
    trail.retire(before_ms=4)
    for change in ("DELETE FROM audit WHERE seq = 4", "DELETE FROM audit_anchors", "UPDATE audit_anchors SET seq = 9"):
        with pytest.raises(DBAPIError, match="audit trail"), engine.execution_options(**WRITES).begin() as connection:
            connection.execute(text(change))
    assert trail.first_broken() is None


def test_who_retires_in_silence_is_found_out(engine: Engine) -> None:
    trail = grown(engine, 6)
    with engine.execution_options(**WRITES).begin() as connection:
        connection.execute(text("INSERT INTO audit_anchors SELECT seq, hash, 1 FROM audit WHERE seq = 3"))
        connection.execute(text("DELETE FROM audit WHERE seq <= 3"))
    assert trail.first_broken() == 4
