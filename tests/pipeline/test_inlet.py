import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.domain.audio import AudioFrame, Flush
from dragoman.domain.speech import AudioInput, Notice
from dragoman.pipeline.inlet import Inlet
from dragoman.store.ports import SpooledAudio
from dragoman.store.spool import MemorySpool


def run(test: Callable[[SpooledAudio], Awaitable[None]]) -> None:
    async def body() -> None:
        spool = MemorySpool()
        await test(await spool.open("s_01"))
        await spool.close()

    asyncio.run(body())


def numbered(start: int, samples: int) -> bytes:
    return b"".join((number % 65_536).to_bytes(2, "little") for number in range(start, start + samples))


async def rest(inlet: Inlet) -> list[AudioInput | Notice]:
    return [item async for item in inlet.audio()]


def heard(items: list[AudioInput | Notice], start: int) -> bytes:
    """Return the audio of frames that follow each other."""
    pcm = b""
    for item in items:
        if isinstance(item, AudioFrame):
            assert item.start == start
            pcm, start = pcm + item.pcm, item.end
    return pcm


@given(
    st.lists(st.tuples(st.integers(1, 30_000), st.booleans()), max_size=12),
    st.integers(0, 20_000),
    st.integers(0, 3),
)
def test_audio_is_heard_once_and_in_order_however_far_behind_the_session_is(
    appended: list[tuple[int, bool]], left: int, readers_pace: int
) -> None:
    async def body(spooled: SpooledAudio) -> None:
        start = left // 2
        spooled.append(numbered(0, left))  # by an earlier process, and half of it was settled
        inlet = Inlet(spooled, start)
        items: list[AudioInput | Notice] = []

        async def read() -> None:
            async for item in inlet.audio():
                items.append(item)
                for _ in range(readers_pace):
                    await asyncio.sleep(0)

        reading = asyncio.create_task(read())
        for samples, pauses in appended:
            inlet.append(numbered(inlet.written, samples))
            if pauses:
                await asyncio.sleep(0)
        inlet.end()
        await reading
        assert heard(items, start) == numbered(start, inlet.written - start)
        assert inlet.behind == 0

    run(body)


@pytest.mark.parametrize("at", [(0,), (100,), (150,), (100, 100), (50, 150, 200)])
def test_flushes_keep_their_places(at: tuple[int, ...]) -> None:
    async def body(spooled: SpooledAudio) -> None:
        inlet = Inlet(spooled, 0)
        written = 0
        for place in at:
            inlet.append(numbered(written, place - written))
            inlet.flush()
            written = place
        inlet.append(numbered(written, 300 - written))
        inlet.end()
        found, position = [], 0
        for item in await rest(inlet):
            if isinstance(item, AudioFrame):
                position = item.end
            elif isinstance(item, Flush):
                found.append(position)
        assert tuple(found) == at

    run(body)


def test_the_end_says_why() -> None:
    async def body(spooled: SpooledAudio) -> None:
        inlet = Inlet(spooled, 0)
        inlet.append(numbered(0, 10))
        inlet.end(Notice("client_gone", "Nobody came back."))
        inlet.append(numbered(10, 10))  # too late: not taken
        items = await rest(inlet)
        assert heard(items, 0) == numbered(0, 10)
        assert [item.code for item in items if isinstance(item, Notice)] == ["client_gone"]

    run(body)


def test_a_door_waits_for_a_session_that_is_far_behind() -> None:
    async def body(spooled: SpooledAudio) -> None:
        inlet = Inlet(spooled, 0)
        for _ in range(61):
            inlet.append(bytes(32_000))
        waiting = asyncio.create_task(inlet.room())
        await asyncio.sleep(0)
        assert not waiting.done()
        audio = inlet.audio()
        for _ in range(3):
            await anext(audio)
        await waiting
        await audio.aclose()

    run(body)


def test_it_is_known_when_a_sample_came() -> None:
    async def body(spooled: SpooledAudio) -> None:
        spooled.append(bytes(200))
        inlet = Inlet(spooled, 0)
        assert inlet.arrived_s(50) is None
        for _ in range(3):
            inlet.append(bytes(3_200))
        times = [inlet.arrived_s(100 + sample) for sample in (1, 1_600, 1_601, 4_800)]
        assert None not in times
        assert times == sorted(times, key=lambda time: time or 0)
        assert inlet.arrived_s(100) is None  # before this process
        assert inlet.arrived_s(4_901) is None  # not yet

    run(body)


@pytest.mark.parametrize("size", [40, 3_200])
def test_what_is_known_of_arrivals_is_little_and_recent(size: int) -> None:
    async def body(spooled: SpooledAudio) -> None:
        inlet = Inlet(spooled, 0)
        while inlet.written < 16_000 * 70:
            inlet.append(bytes(size))
        assert inlet.arrived_s(16_000) is None
        assert inlet.arrived_s(inlet.written - 16_000 * 40) is not None
        assert inlet.arrived_s(inlet.written) is not None

    run(body)
