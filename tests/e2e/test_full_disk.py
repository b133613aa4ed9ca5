"""A full disk stops what would be lost, and nothing else."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dragoman.client import Stream
from dragoman.domain.events import Event
from dragoman.domain.messages import SessionWishes
from tests.api.server import ServerProcess
from tests.api.streaming import ended, finals, pieces
from tests.calls import call
from tests.stream import checked


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", folder], check=False)
    if mounted.returncode:
        pytest.skip("this machine does not let us mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.slow
def test_a_stream_waits_for_room_on_the_disk_and_loses_nothing(small_disk: Path) -> None:
    pcm = call("en").pcm()
    data, ballast = small_disk / "data", small_disk / "ballast"

    def fill() -> None:
        with ballast.open("wb", buffering=0) as file:
            for size in (65_536, 4_096):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:
                    pass

    async def run(server: ServerProcess) -> tuple[list[Event], int]:
        full = asyncio.Event()
        async with Stream(server.url, SessionWishes(languages=("en-US",))) as stream:

            async def feed() -> None:
                for number, piece in enumerate(pieces(pcm)):
                    await stream.send(piece)
                    await asyncio.sleep(0.01)
                    if number == 100:
                        await asyncio.to_thread(fill)
                        full.set()
                await stream.end()

            async def make_room() -> None:
                await full.wait()
                await asyncio.sleep(4)
                ballast.unlink()

            feeding, helping = asyncio.create_task(feed()), asyncio.create_task(make_room())
            events = [event async for event in stream.events()]
            await asyncio.gather(feeding, helping)
            return events, stream.connections

    with ServerProcess(data) as server:
        events, connections = asyncio.run(run(server))
    checked(events)
    assert connections >= 2
    assert ended(events).ledger.accepted_samples == ended(events).ledger.final_samples == len(pcm) // 2
    assert len(finals(events)) > 8
