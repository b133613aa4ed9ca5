"""What happens when the disk is full, on a disk that is small enough to fill."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dragoman.domain.errors import SpoolFullError, StoreFailedError
from dragoman.store.ports import Books
from dragoman.store.reserve import Reserve
from dragoman.store.spool import FileSpool
from dragoman.store.sql import SqlStore
from tests.store.piling import piled_up
from tests.store.said import ended, final, record, warning


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 4 MB."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(tmp_path)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if done.returncode:
        pytest.skip("mounting a small disk is not permitted here")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def fill(disk: Path, leave_bytes: int = 0) -> Path:
    """Fill the disk; delete the file to have room again."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        free = os.statvfs(disk)
        file.write(bytes(free.f_bavail * free.f_frsize - leave_bytes))
    return ballast


def test_a_full_disk_keeps_what_was_durable(disk: Path) -> None:
    async def body() -> None:
        spool = FileSpool(disk, sync_ms=1)
        first, other = await spool.open("s_1"), await spool.open("s_2")
        pcm = os.urandom(2 * 100_001)
        first.append(pcm)
        await first.until_durable(100_001)
        other.append(pcm[:2_000])
        await other.until_durable(1_000)
        ballast = fill(disk, leave_bytes=8_192)
        first.append(bytes(100_000))
        with pytest.raises(SpoolFullError, match="full"):
            await first.until_durable(100_002)
        assert first.durable == 100_001
        other.append(pcm[2_000:4_000])  # there is room for this
        assert await other.until_durable(2_000) == 2_000
        with pytest.raises(SpoolFullError, match="full"):
            first.append(bytes(2))
        await first.close()

        ballast.unlink()
        again = await spool.open("s_1")
        assert again.durable == 100_001
        again.append(pcm)
        await again.until_durable(200_002)
        assert b"".join([frame.pcm async for frame in again.read(0)]) == pcm * 2
        await spool.close()

    asyncio.run(body())


def test_the_reserve_lets_sessions_end_when_the_disk_is_full(disk: Path) -> None:
    async def body(store: SqlStore) -> None:
        await store.create(record())
        ballast = fill(disk)
        seq = 0
        while store.has_room:
            seq += 1
            await store.commit("s_1", [final(seq, f"u_{seq}", text="a" * 5_000)], Books(settled=seq))
        await store.commit("s_1", [ended(seq + 1)], Books(settled=seq))  # has_room is False: open sessions may end
        assert len(await store.events("s_1")) == seq + 1
        assert await store.open_sessions() == []
        ballast.unlink()

    store = SqlStore.open(f"sqlite:///{disk / 'dragoman.db'}")
    assert store.has_room
    asyncio.run(body(store))
    assert store.has_room
    store.close()


def test_without_a_reserve_only_what_does_not_fit_fails(disk: Path) -> None:
    async def body(store: SqlStore) -> None:
        await store.create(record("s_1"))
        await store.create(record("s_2"))
        ballast = fill(disk, leave_bytes=200_000)
        large = [final(seq, f"u_{seq}", text="ä" * 5_000) for seq in range(1, 1_000)]  # more than a page cache holds
        async with piled_up(store):
            too_large = asyncio.ensure_future(store.commit("s_1", large, Books(settled=1)))
            small = asyncio.ensure_future(store.commit("s_2", [warning(1, "s_2")], Books(settled=1)))
            await asyncio.sleep(0)
        with pytest.raises(StoreFailedError, match="free some space"):
            await too_large
        await small
        assert not store.has_room
        assert await store.events("s_1") == []
        assert await store.events("s_2") == [warning(1, "s_2")]
        ballast.unlink()
        await store.commit("s_1", [warning(1)], Books(settled=1))

    store = SqlStore.open(f"sqlite:///{disk / 'dragoman.db'}")
    asyncio.run(body(store))
    store.close()


def test_a_store_opens_on_a_full_disk(disk: Path) -> None:
    url = f"sqlite:///{disk / 'dragoman.db'}"
    SqlStore.open(url).close()
    (disk / "dragoman.db.reserve").unlink()
    fill(disk, leave_bytes=100_000)
    store = SqlStore.open(url)
    assert not store.has_room
    assert asyncio.run(store.open_sessions()) == []
    store.close()


def test_the_reserve_is_room_on_the_disk(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "r")
    assert not reserve.give_up()
    assert reserve.hold()
    assert reserve.hold()
    assert (tmp_path / "r").stat().st_blocks * 512 >= 1 << 20
    assert reserve.give_up()
    assert not list(tmp_path.iterdir())
