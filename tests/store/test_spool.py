import asyncio
import resource
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from dragoman.domain.audio import SAMPLE_RATE_HZ
from dragoman.domain.errors import SpoolFailedError, SpoolFullError
from dragoman.store.ports import Spool, SpooledAudio
from dragoman.store.spool import FileSpool, MemorySpool

ID = "s_0123456789abcdef"

Test = Callable[[Spool], Awaitable[None]]


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of an account in Azurite."""
    from tests.datasets.blob_emulator import azurite

    with azurite(tmp_path_factory.mktemp("azurite")) as endpoint:
        yield endpoint


@pytest.fixture(params=["file", "memory", pytest.param("blob", marks=pytest.mark.slow)])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Test], None]:
    """Run a test against each kind of spool."""

    def make() -> Spool:
        match request.param:
            case "file":
                return FileSpool(tmp_path, sync_ms=5)
            case "memory":
                return MemorySpool()
            case _:
                return new_blob_spool(request.getfixturevalue("account"))

    def run_one(test: Test) -> None:
        async def body() -> None:
            async with spooling(make()) as spool:
                await test(spool)

        asyncio.run(body())

    return run_one


def new_blob_spool(account: str) -> Spool:
    """Return a spool in a container of its own."""
    from azure.core.credentials import AzureNamedKeyCredential

    from dragoman.store.blobs import BlobSpool, open_container
    from tests.datasets.blob_emulator import ACCOUNT, KEY

    container = open_container(account, f"c{secrets.token_hex(8)}", AzureNamedKeyCredential(ACCOUNT, KEY))
    container.create_container()
    return BlobSpool(container, sync_ms=5)


@asynccontextmanager
async def spooling(spool: Spool) -> AsyncIterator[Spool]:
    try:
        yield spool
    finally:
        await spool.close()


def speech(samples: int, seed: int = 0) -> bytes:
    return b"".join(((seed + sample * 7) % 65_536).to_bytes(2, "little") for sample in range(samples))


async def read(audio: SpooledAudio, start: int = 0) -> bytes:
    """Read to the end, checking that the frames follow each other."""
    parts = []
    async for frame in audio.read(start):
        assert frame.start == start
        assert 0 < frame.samples <= SAMPLE_RATE_HZ
        parts.append(frame.pcm)
        start = frame.end
    return b"".join(parts)


def test_what_is_appended_becomes_durable_and_is_read_back(run: Callable[[Test], None]) -> None:
    async def body(spool: Spool) -> None:
        audio = await spool.open(ID)
        pcm = speech(40_000)
        for first in range(0, len(pcm), 6_400):
            audio.append(pcm[first : first + 6_400])
        assert audio.written == 40_000
        assert await audio.until_durable(40_000) == audio.durable == 40_000
        assert await read(audio) == pcm
        assert await read(audio, 39_999) == pcm[-2:]
        assert await read(audio, 40_000) == b""

    run(body)


def test_reading_ends_where_writing_was_when_it_was_asked_for(run: Callable[[Test], None]) -> None:
    async def body(spool: Spool) -> None:
        audio = await spool.open(ID)
        audio.append(speech(100))
        frames = audio.read(0)
        audio.append(speech(100, seed=9))
        assert [(frame.start, frame.end) async for frame in frames] == [(0, 100)]
        assert await read(audio) == speech(100) + speech(100, seed=9)

    run(body)


def test_one_may_wait_for_audio_that_is_yet_to_come(run: Callable[[Test], None]) -> None:
    async def body(spool: Spool) -> None:
        audio = await spool.open(ID)
        waiting = asyncio.ensure_future(audio.until_durable(200))
        given_up = asyncio.ensure_future(audio.until_durable(150))
        await asyncio.sleep(0)
        given_up.cancel()
        audio.append(speech(100))
        await audio.until_durable(100)
        assert not waiting.done()
        audio.append(speech(100))
        assert await waiting == 200

    run(body)


def test_closed_audio_can_be_opened_again_and_goes_on(run: Callable[[Test], None]) -> None:
    async def body(spool: Spool) -> None:
        audio = await spool.open(ID)
        audio.append(speech(100))
        never = asyncio.ensure_future(audio.until_durable(101))
        await asyncio.sleep(0)
        await audio.close()
        await audio.close()
        assert audio.durable == 100
        with pytest.raises(SpoolFailedError, match="closed"):
            await never
        with pytest.raises(SpoolFailedError, match="closed"):
            audio.append(speech(1))
        again = await spool.open(ID)
        assert again.written == again.durable == 100
        again.append(speech(50, seed=3))
        await again.until_durable(150)
        assert await read(again) == speech(100) + speech(50, seed=3)

    run(body)


def test_open_audio_cannot_be_opened_twice(run: Callable[[Test], None]) -> None:
    async def body(spool: Spool) -> None:
        await spool.open(ID)
        with pytest.raises(SpoolFailedError, match="open already"):
            await spool.open(ID)

    run(body)


def test_deleted_audio_is_gone(run: Callable[[Test], None]) -> None:
    async def body(spool: Spool) -> None:
        audio = await spool.open(ID)
        audio.append(speech(100))
        await spool.delete(ID)
        await spool.delete(ID)
        with pytest.raises(SpoolFailedError):
            audio.append(speech(100))
        assert (await spool.open(ID)).written == 0

    run(body)


def test_half_a_sample_is_refused(run: Callable[[Test], None]) -> None:
    async def body(spool: Spool) -> None:
        audio = await spool.open(ID)
        with pytest.raises(ValueError, match="whole"):
            audio.append(b"123")
        assert audio.written == 0

    run(body)


@pytest.mark.parametrize("session_id", ["", "s_", "s_../../etc/passwd", "/etc/passwd", "s_A0", "s_1\n", "x_1", "s_1/2"])
def test_what_is_no_session_id_never_becomes_a_path(run: Callable[[Test], None], session_id: str) -> None:
    async def body(spool: Spool) -> None:
        with pytest.raises(ValueError, match="session id"):
            await spool.open(session_id)
        with pytest.raises(ValueError, match="session id"):
            await spool.delete(session_id)

    run(body)


def test_many_sessions_write_at_once(run: Callable[[Test], None]) -> None:
    async def body(spool: Spool) -> None:
        sessions = await asyncio.gather(*(spool.open(f"s_{number:x}") for number in range(40)))
        for part in range(5):
            for number, audio in enumerate(sessions):
                audio.append(speech(160, seed=number + part))
        await asyncio.gather(*(audio.until_durable(800) for audio in sessions))
        for number, audio in enumerate(sessions):
            assert await read(audio) == b"".join(speech(160, seed=number + part) for part in range(5))

    run(body)


def test_a_torn_sample_is_cut_off(tmp_path: Path) -> None:
    (tmp_path / f"{ID}.s16").write_bytes(speech(10) + b"x")

    async def body() -> None:
        async with spooling(FileSpool(tmp_path)) as spool:
            audio = await spool.open(ID)
            assert audio.durable == audio.written == 10
            audio.append(speech(5))
            await audio.until_durable(15)
            assert await read(audio) == speech(10) + speech(5)

    asyncio.run(body())


def test_audio_that_waits_for_the_disk_can_be_read_and_is_bounded(tmp_path: Path) -> None:
    async def body() -> None:
        async with spooling(FileSpool(tmp_path, sync_ms=3_600_000)) as spool:
            first = await spool.open("s_1")
            first.append(speech(1))
            await first.until_durable(1)  # the next pass is an hour away
            audio = await spool.open(ID)
            audio.append(speech(1_000) * 1_000)
            audio.append(bytes(6_000_000))
            with pytest.raises(SpoolFullError, match="keep up"):
                audio.append(bytes(2))
            assert (audio.durable, audio.written) == (0, 4_000_000)
            assert await read(audio) == speech(1_000) * 1_000 + bytes(6_000_000)
            await audio.close()
            assert audio.durable == 4_000_000

    asyncio.run(body())


def test_a_disk_that_fails_fails_its_session_only(tmp_path: Path) -> None:
    async def body() -> None:
        async with spooling(FileSpool(tmp_path, sync_ms=5)) as spool:
            good, bad = await spool.open("s_1"), await spool.open("s_2")
            bad.append(speech(500))
            await bad.until_durable(500)
            with files_limited_to(1_501):
                bad.append(speech(500))
                with pytest.raises(SpoolFailedError, match="too large"):
                    await bad.until_durable(501)
                with pytest.raises(SpoolFailedError, match="too large"):
                    bad.append(speech(1))
                good.append(speech(500))
                assert await good.until_durable(500) == 500
            assert (bad.durable, bad.written) == (500, 1_000)
            assert await read(bad) == speech(500) * 2
            await bad.close()
            again = await spool.open("s_2")
            assert again.written == 500  # nothing of what was written in part
            again.append(speech(500, seed=1))
            await again.until_durable(1_000)
            assert await read(again) == speech(500) + speech(500, seed=1)

    asyncio.run(body())


@contextmanager
def files_limited_to(size_bytes: int) -> Iterator[None]:
    """Let writing fail in the middle: the system writes up to the limit, and then says that the file is too large."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_one_spool_serves_several_event_loops(tmp_path: Path) -> None:
    spool = FileSpool(tmp_path, sync_ms=5)
    audio = asyncio.run(spool.open(ID))
    audio.append(speech(10))
    assert asyncio.run(audio.until_durable(10)) == 10
    asyncio.run(spool.close())
    asyncio.run(spool.close())
    with pytest.raises(SpoolFailedError, match="shut down"):
        asyncio.run(spool.open(ID))


def test_a_folder_that_cannot_be_made_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SpoolFailedError):
        FileSpool(tmp_path / "file" / "spool")


def test_what_the_spool_makes_is_private(tmp_path: Path) -> None:
    async def body() -> None:
        async with spooling(FileSpool(tmp_path / "data" / "spool")) as spool:
            await spool.open(ID)

    asyncio.run(body())
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
    assert modes == {"data": 0o700, "spool": 0o700, f"{ID}.s16": 0o600}


def test_what_has_ended_can_be_read_by_several_and_what_is_not_kept_is_not_made(run: Callable[[Test], None]) -> None:
    async def body(spool: Spool) -> None:
        assert await spool.recorded(ID) is None
        assert await spool.kept() == []
        audio = await spool.open(ID)
        audio.append(speech(1_000))
        await audio.close()
        one, two = await spool.recorded(ID), await spool.recorded(ID)
        for each in (one, two):
            assert each is not None
            assert each.samples == 1_000
            assert b"".join([pcm async for pcm in each.pcm]) == speech(1_000)

    run(body)


def test_what_is_kept_can_be_listed(run: Callable[[Test], None]) -> None:
    async def body(spool: Spool) -> None:
        assert await spool.kept() == []
        audio = await spool.open(ID)
        audio.append(speech(10))
        await audio.close()
        await spool.open("s_02")
        assert await spool.kept() == [ID, "s_02"]
        await spool.delete(ID)
        assert await spool.kept() == ["s_02"]

    run(body)
