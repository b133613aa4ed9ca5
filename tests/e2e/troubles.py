"""A stream that goes on while whatever is behind it is killed, moved or crashed, again and again."""

import asyncio
import random
from collections.abc import Awaitable, Callable

from dragoman.client import Stream
from dragoman.domain.events import Event, SessionEnded
from dragoman.domain.messages import SessionWishes
from tests.api.streaming import pieces
from tests.calls import call
from tests.stream import checked

PCM = b"".join(call(name).pcm() for name in ("de", "fr", "en"))[: 60 * 32_000]

Trouble = Callable[[int], Awaitable[object]]


async def troubled(url: str, times: int, trouble: Trouble) -> tuple[list[Event], int]:
    """Stream three calls five times as fast as they were spoken; return the events and the number of connections.

    ``trouble`` is made so many times, each a moment after the client has connected again. The last tenth of the audio
    waits until that is over, so that all of it comes in the middle.
    """
    rng, over = random.Random(7), asyncio.Event()
    async with Stream(url, SessionWishes(translate=("en",))) as stream:

        async def feed() -> None:
            for number, piece in enumerate(pieces(PCM)):
                await stream.send(piece)
                await asyncio.sleep(0.02)
                if number == len(PCM) // 3_200 * 9 // 10:
                    await over.wait()
            await stream.end()

        async def disturb() -> None:
            for number in range(times):
                await until(lambda number=number: stream.connections > number)  # type: ignore[misc]
                await asyncio.sleep(rng.uniform(0.0, 1.0))
                await trouble(number)
            over.set()

        feeding, disturbing = asyncio.create_task(feed()), asyncio.create_task(disturb())
        events = [event async for event in stream.events()]
        await asyncio.gather(feeding, disturbing)
        return events, stream.connections


def nothing_lost(events: list[Event]) -> None:
    """Find out whether a troubled session has heard all of its audio, and says so."""
    last = checked(events)[-1]
    assert isinstance(last, SessionEnded)
    assert last.reason == "completed"
    assert last.ledger.accepted_samples == len(PCM) // 2
    assert last.ledger.lost_samples == last.ledger.discarded_samples == 0


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    for _ in range(1_200):
        if holds():
            return
        await asyncio.sleep(0.05)
    raise TimeoutError
