"""Async iterators that run ahead of their reader, come from a thread, or serve one that cannot await."""

import asyncio
import atexit
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, closing
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _End:
    error: BaseException | None


async def ahead(source: AsyncGenerator[T, None], depth: int) -> AsyncGenerator[T, None]:
    """Yield what ``source`` yields, letting it run up to ``depth`` items ahead of the reader.

    An error of the source is raised at its place in the order. Closing this iterator cancels and closes the source.
    """
    queue: asyncio.Queue[T | _End] = asyncio.Queue(depth)

    async def pump() -> None:
        error: BaseException | None = None
        try:
            async with aclosing(source):
                async for item in source:
                    await queue.put(item)
        except Exception as raised:  # noqa: BLE001 - not swallowed: raised again where the reader stands
            error = raised
        await queue.put(_End(error))

    task = asyncio.create_task(pump())
    try:
        while not isinstance(item := await queue.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class PoolClosedError(RuntimeError):
    """A pool of threads was closed before it came to a source."""


async def from_thread(
    pool: ThreadPoolExecutor, source: Callable[[], Generator[T, None, None]]
) -> AsyncGenerator[T, None]:
    """Yield what a generator yields that blocks: it runs on a thread of ``pool``.

    An error of the source is raised at its place in the order. Closing this iterator closes the source with its next
    item, and nobody waits for that; a source that was not begun by then never is.

    Raises:
        PoolClosedError: if the pool is closed before the source begins.
    """
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[T | _End] = asyncio.Queue()
    left = threading.Event()

    def tell(item: T | _End) -> None:
        if not left.is_set():
            loop.call_soon_threadsafe(queue.put_nowait, item)

    def run() -> None:
        if left.is_set():
            return
        error: BaseException | None = None
        try:
            with closing(source()) as items:
                for item in items:
                    if left.is_set():
                        return
                    tell(item)
        except Exception as raised:  # noqa: BLE001 - not swallowed: raised again where the reader stands
            error = raised
        tell(_End(error))

    running = pool.submit(run)
    running.add_done_callback(lambda done: tell(_End(PoolClosedError())) if done.cancelled() else None)
    try:
        while not isinstance(item := await queue.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        left.set()


def blocking(start: Callable[[], AsyncGenerator[T, None]]) -> Generator[T, None, None]:
    """Yield what the async generator made by ``start`` yields, for code that cannot await.

    It runs in an event loop on a thread of its own, so this works inside a running loop (a notebook) too. Closing the
    generator closes the source.
    """
    end = _End(None)
    turn = asyncio.Lock()  # an interrupted step must be over before the source can be closed
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="dragoman-events", daemon=True)
    source = start()

    async def step() -> T | _End:
        async with turn:
            return await anext(source, end)

    async def finish() -> None:
        async with turn:
            await source.aclose()
        await loop.shutdown_default_executor()

    def close() -> None:
        atexit.unregister(close)
        # The garbage collector may close the generator on any thread, on this one too, which cannot wait for itself.
        if thread.is_alive() and threading.current_thread() is not thread:
            asyncio.run_coroutine_threadsafe(finish(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    # A generator that is still open when the program ends must be closed before threads are frozen.
    atexit.register(close)
    thread.start()
    try:
        while True:
            upcoming = asyncio.run_coroutine_threadsafe(step(), loop)
            try:
                item = upcoming.result()
            finally:
                upcoming.cancel()
            if isinstance(item, _End):
                return
            yield item
    finally:
        close()
