import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import AsyncGenerator, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing

import pytest

from dragoman.streams import PoolClosedError, ahead, blocking, from_thread


class Numbers:
    """Counts how far it was read, and whether it was closed."""

    def __init__(self, count: int, *, fail: bool = False) -> None:
        self.count = count
        self.fail = fail
        self.made = 0
        self.closed = False

    async def __call__(self) -> AsyncGenerator[int, None]:
        try:
            for number in range(self.count):
                self.made += 1
                yield number
            if self.fail:
                raise ValueError("the source failed")
        finally:
            self.closed = True


def test_items_keep_their_order() -> None:
    async def read() -> list[int]:
        return [number async for number in ahead(Numbers(100)(), 7)]

    assert asyncio.run(read()) == list(range(100))


def test_the_source_runs_ahead_only_as_far_as_allowed() -> None:
    numbers = Numbers(100)

    async def read() -> None:
        async with aclosing(ahead(numbers(), 5)) as reader:
            await anext(reader)
            for _ in range(50):
                await asyncio.sleep(0)

    asyncio.run(read())
    assert numbers.made == 7  # one read, five waiting, one in hand
    assert numbers.closed


def test_an_error_comes_after_the_items_before_it() -> None:
    async def read() -> list[int]:
        reader = ahead(Numbers(3, fail=True)(), 8)
        found = [await anext(reader) for _ in range(3)]
        with pytest.raises(ValueError, match="the source failed"):
            await anext(reader)
        return found

    assert asyncio.run(read()) == [0, 1, 2]


def test_a_blocking_reader_gets_every_item() -> None:
    assert list(blocking(Numbers(20))) == list(range(20))


def test_a_blocking_reader_gets_the_error() -> None:
    with pytest.raises(ValueError, match="the source failed"):
        list(blocking(Numbers(2, fail=True)))


def test_closing_a_blocking_reader_closes_the_source_and_its_thread() -> None:
    numbers = Numbers(1_000)
    reader = blocking(numbers)
    assert next(reader) == 0
    reader.close()
    assert numbers.closed
    assert "dragoman-events" not in {thread.name for thread in threading.enumerate()}


def test_a_program_that_leaves_a_reader_open_ends() -> None:
    code = (
        "import asyncio\nfrom dragoman.streams import blocking\n"
        "async def source():\n    while True:\n        await asyncio.sleep(0)\n        yield 1\n"
        "reader = blocking(source)\nnext(reader)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=20, check=True, capture_output=True).stderr == b""


def test_a_blocking_reader_works_inside_a_running_loop() -> None:
    async def notebook() -> list[int]:
        return list(blocking(Numbers(3)))

    assert asyncio.run(notebook()) == [0, 1, 2]


def test_what_blocks_is_read_from_a_thread_and_its_error_stands_at_its_place() -> None:
    def broken() -> Generator[str, None, None]:
        yield from "ab"
        raise ValueError("c is missing")

    found: list[str] = []

    async def collect() -> None:
        with ThreadPoolExecutor(1) as pool:
            async for piece in from_thread(pool, broken):
                found.append(piece)  # noqa: PERF401 - an error ends it

    with pytest.raises(ValueError, match="c is missing"):
        asyncio.run(collect())
    assert found == ["a", "b"]


def test_who_leaves_a_thread_does_not_wait_for_it_and_its_source_is_closed() -> None:
    closed: list[bool] = []

    def slow() -> Generator[str, None, None]:
        try:
            yield "a"
            time.sleep(0.5)
            yield "b"
        finally:
            closed.append(True)

    async def leave(pool: ThreadPoolExecutor) -> float:
        async with aclosing(from_thread(pool, slow)) as told:
            assert await anext(told) == "a"
            began_s = time.monotonic()
        return time.monotonic() - began_s

    with ThreadPoolExecutor(1) as pool:
        assert asyncio.run(leave(pool)) < 0.4
    assert closed == [True]


def test_a_pool_that_is_closed_before_it_begins_says_so() -> None:
    begun = threading.Event()

    async def close() -> None:
        pool = ThreadPoolExecutor(1)
        pool.submit(begun.wait, 5)
        told = from_thread(pool, lambda: (_ for _ in "a"))
        first = asyncio.ensure_future(anext(told))
        await asyncio.sleep(0.05)
        pool.shutdown(wait=False, cancel_futures=True)
        with pytest.raises(PoolClosedError):
            await asyncio.wait_for(first, 5)
        begun.set()

    asyncio.run(close())
