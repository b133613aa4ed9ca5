"""A server that is killed again and again loses nothing that it acknowledged, and says nothing twice."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dragoman.client import Stream
from dragoman.domain.audio import SAMPLE_RATE_HZ
from dragoman.domain.events import Event, SessionEnded, TranslationFinal
from dragoman.domain.messages import SessionWishes
from tests.api.server import ServerProcess
from tests.api.streaming import finals, pieces
from tests.calls import call
from tests.e2e.troubles import PCM, nothing_lost, troubled
from tests.stream import checked

if TYPE_CHECKING:
    from tests.postgres import PostgresServer

KILLS = 10


@pytest.fixture
def postgres_settings(postgres: "PostgresServer") -> Iterator[dict[str, str]]:
    with postgres.database() as name:
        yield {"database_url": postgres.url(name)}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_ten_kills_cost_nothing(tmp_path: Path) -> None:
    ten_kills(tmp_path, {}, lambda: None)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_ten_kills_and_five_crashes_of_postgresql_cost_nothing(
    tmp_path: Path, postgres: "PostgresServer", postgres_settings: dict[str, str]
) -> None:
    ten_kills(tmp_path, postgres_settings, postgres.crash)


def ten_kills(tmp_path: Path, settings: dict[str, str], crash: Callable[[], None]) -> None:
    """Kill a server ten times, and crash its database in the middle of every other of its lives."""

    with ServerProcess(tmp_path / "data", **settings) as server:

        def kill(number: int) -> None:
            if number % 2:
                crash()
            server.kill()
            server.start()

        events, connections = asyncio.run(troubled(server.url, KILLS, lambda number: asyncio.to_thread(kill, number)))
    assert connections == KILLS + 1
    nothing_lost(events)
    covered_ms = sum(final.end_ms - final.start_ms for final in finals(events))
    assert covered_ms > 0.5 * len(PCM) / 2 / SAMPLE_RATE_HZ * 1000
    assert any(isinstance(event, TranslationFinal) for event in events)


@pytest.mark.slow
def test_a_server_that_stops_sends_its_clients_to_the_next_one(tmp_path: Path) -> None:
    pcm = call("es").pcm()[: 20 * 32_000]

    async def run(server: ServerProcess) -> tuple[list[Event], int]:
        async with Stream(server.url, SessionWishes(languages=("es-ES",))) as stream:

            async def feed() -> None:
                for number, piece in enumerate(pieces(pcm)):
                    await stream.send(piece)
                    await asyncio.sleep(0.02)
                    if number == 100:
                        assert await asyncio.to_thread(server.kill, signal.SIGTERM) in (0, -signal.SIGTERM)
                        await asyncio.to_thread(server.start)
                await stream.end()

            feeding = asyncio.create_task(feed())
            events = [event async for event in stream.events()]
            await feeding
            return events, stream.connections

    with ServerProcess(tmp_path / "data") as server:
        events, connections = asyncio.run(run(server))
    assert connections == 2
    last = checked(events)[-1]
    assert isinstance(last, SessionEnded)
    assert last.ledger.final_samples == len(pcm) // 2
