"""The operators' page in a real browser, and calls that are streamed meanwhile."""

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect

from dragoman.client import Stream
from dragoman.domain.messages import SessionWishes
from dragoman.store.ports import SessionRecord
from dragoman.store.sql import SqlStore
from tests.api.streaming import pieces
from tests.calls import call
from tests.operations.scripted import BOOKS, scripted
from tests.web.captions_page import READY_MS

SCRIPTED = f"s_{0:032x}"
"""A session of the tenant ``acme``, ten minutes old."""


def filled(data: Path) -> None:
    """Make a database with one scripted session in it."""
    with closing(SqlStore.open(f"sqlite:///{data / 'dragoman.db'}")) as store:

        async def body() -> None:
            await store.create(SessionRecord(SCRIPTED, time.time_ns() // 1_000_000 - 600_000, "{}", tenant="acme"))
            await store.commit(SCRIPTED, scripted(SCRIPTED), BOOKS)

        # Where Playwright runs, its loop does, and no other can in the same thread.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, body()).result()


@contextmanager
def streaming(url: str, key: str, name: str) -> Iterator[threading.Event]:
    """Stream a sample call, up to five times as fast as it was spoken; it ends when the event is set."""
    is_over = threading.Event()

    async def run() -> None:
        wishes = SessionWishes(translate=("en",), insight="en", source=f"{name} call")
        async with Stream(url, wishes, key=key) as stream:

            async def feed() -> None:
                for piece in pieces(call(name).pcm()):
                    if is_over.is_set():
                        break
                    await stream.send(piece)
                    await asyncio.sleep(0.02)
                while not is_over.is_set():
                    await stream.send(bytes(3_200))
                    await asyncio.sleep(0.1)
                await stream.end()

            feeding = asyncio.create_task(feed())
            async for _ in stream.events():
                pass
            await feeding

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    try:
        yield is_over
    finally:
        is_over.set()
        thread.join()


class OperationsPage:
    """The page as an operator uses it; ``trouble`` is what the console says."""

    def __init__(self, context: BrowserContext, url: str, key: str | None = None, path: str = "/operations") -> None:
        self.page: Page = context.new_page()
        self.trouble: list[str] = []
        self.page.on("console", lambda message: self.trouble.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.trouble.append(str(error)))
        if key:
            self.page.add_init_script(f"sessionStorage.setItem('dragoman-key', '{key}')")
        self.page.goto(f"{url}{path}")
        self.state = self.page.locator("#state")
        self.sessions = self.page.locator("#sessions")
        self.chosen = self.page.locator("#chosen")

    def reaches(self, state: str) -> None:
        expect(self.state).to_have_text(state, timeout=READY_MS)

    def told_again(self, times: int = 1) -> None:
        """Wait for what the server tells next."""
        for _ in range(times):
            at = self.page.locator("#at").inner_text()
            expect(self.page.locator("#at")).not_to_have_text(at, timeout=READY_MS)

    def tile(self, name: str) -> str:
        return self.page.locator(f"#tiles > div:has(dt:text-is('{name}')) dd").first.inner_text()

    def cells(self, panel: str, row: str) -> list[str]:
        """Return a row of a panel's table, by what its head says."""
        found = self.page.locator(f"#{panel} tbody tr:has(th:has-text('{row}'))").first
        return [each.strip() for each in found.locator("th, td").all_inner_texts()]
