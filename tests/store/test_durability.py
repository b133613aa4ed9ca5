"""What was acknowledged is there after ``kill -9``, whenever that comes."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dragoman.store.spool import FileSpool
from dragoman.store.sql import SqlStore
from tests.store.said import warning
from tests.store.victim import SESSIONS, spooled

Murder = Callable[[str, Path | str, int], dict[str, int]]


@pytest.fixture(scope="module")
def murder() -> Iterator[Murder]:
    """Start work in a process, kill it after so many acknowledgements, and return the last one of each session."""
    command = [sys.executable, "-m", "tests.store.victim"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environment, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        orders, lines = process.stdin, (line.split() for line in process.stdout)

        def one(work: str, place: Path | str, acknowledgements: int) -> dict[str, int]:
            print(work, place, file=orders, flush=True)
            word, pid = next(lines)
            assert word == "pid"
            last = dict.fromkeys(SESSIONS, 0)
            for number, (session_id, acknowledged) in enumerate(lines, start=1):
                if session_id == "dead":
                    break
                last[session_id] = int(acknowledged)
                if number == acknowledgements:
                    os.kill(int(pid), signal.SIGKILL)
            return last

        yield one
        process.stdin.close()


@pytest.mark.parametrize("moment", range(4))
def test_acknowledged_audio_survives_a_kill(murder: Murder, tmp_path: Path, moment: int) -> None:
    last = murder("append", tmp_path, random.Random(moment).randint(1, 100))

    async def body() -> None:
        spool = FileSpool(tmp_path)
        for session_id in SESSIONS:
            audio = await spool.open(session_id)
            assert audio.durable >= last[session_id]
            pcm = b"".join([frame.pcm async for frame in audio.read(0)])
            assert pcm == spooled(session_id, audio.durable)
        await spool.close()

    asyncio.run(body())


def test_acknowledged_events_survive_kills_once_each_and_without_gaps(murder: Murder, url: str) -> None:
    for moment in range(4):
        last = murder("commit", url, random.Random(moment).randint(1, 60))
        store = SqlStore.open(url)
        for session_id in SESSIONS:
            found = asyncio.run(store.session(session_id))
            events = asyncio.run(store.events(session_id, limit=10_000))
            last_seq = found.last_seq if found else 0
            assert last_seq >= last[session_id]
            assert events == [warning(seq, session_id) for seq in range(1, last_seq + 1)]
            assert found is None or found.books.settled == max(0, last_seq - 1)
        store.close()
