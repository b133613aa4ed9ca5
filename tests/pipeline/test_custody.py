import asyncio
from pathlib import Path

from dragoman.pipeline.custody import Custody
from dragoman.store.ports import SessionRecord
from dragoman.store.sql import SqlStore
from tests.store.said import ended, record


class ScriptedLeases:
    """Holds what it is told to hold."""

    def __init__(self, *held: set[str]) -> None:
        self._held = iter(held)

    async def take(self, session_id: str, *, by_force: bool) -> bool:
        return by_force

    async def renew(self) -> set[str]:
        return next(self._held)

    async def free(self) -> list[str]:
        return ["s_9"]

    async def let_go(self, session_id: str) -> None:
        pass


def test_a_session_is_lost_when_it_is_missed_twice(tmp_path: Path) -> None:
    async def body(store: SqlStore) -> None:
        custody = Custody(store, ScriptedLeases({"s_1", "s_2"}, {"s_1"}, {"s_1", "s_2"}, {"s_1"}, {"s_1"}))
        assert [await custody.lost({"s_1", "s_2"}) for _ in range(5)] == [set(), set(), set(), set(), {"s_2"}]
        assert await custody.free() == ["s_9"]

    store = SqlStore.open(f"sqlite:///{tmp_path / 'a.db'}")
    asyncio.run(body(store))
    store.close()


def test_who_is_alone_has_every_session(tmp_path: Path) -> None:
    async def body(store: SqlStore) -> None:
        custody = Custody(store, None)
        await store.create(record("s_1"))
        await store.create(record("s_2"))
        await store.commit("s_2", [ended(1, "s_2")], record().books)
        assert await custody.free() == ["s_1"]
        assert await custody.take("s_1", by_force=False)
        assert await custody.lost({"s_1"}) == set()
        assert custody.may_delete(None)

    store = SqlStore.open(f"sqlite:///{tmp_path / 'a.db'}")
    asyncio.run(body(store))
    store.close()


def test_audio_is_left_over_when_its_session_has_ended(tmp_path: Path) -> None:
    store = SqlStore.open(f"sqlite:///{tmp_path / 'a.db'}")
    custody = Custody(store, ScriptedLeases())
    assert not custody.may_delete(None)
    assert not custody.may_delete(record())
    assert custody.may_delete(SessionRecord("s_1", 0, "{}", is_open=False))
    store.close()
