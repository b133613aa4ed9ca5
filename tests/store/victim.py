"""A process that writes until it is killed, and prints what was acknowledged.

Run as a program it reads lines ``WORK PLACE``, the place being a folder or the URL of a database, forks a victim for
each (which spares importing everything again), and prints ``dead`` when that has died.
"""

import asyncio
import os
import random
import sys
from itertools import count
from pathlib import Path

from dragoman.store.ports import Books
from dragoman.store.spool import FileSpool
from dragoman.store.sql import SqlStore
from tests.store.said import record, warning

SESSIONS = ("s_1", "s_2", "s_3")


def say(word: str, number: int) -> None:
    sys.stdout.write(f"{word} {number}\n")
    sys.stdout.flush()


def spooled(session_id: str, samples: int) -> bytes:
    """Return the first samples of the audio that is appended to a session."""
    return random.Random(session_id).randbytes(2 * samples)


async def append_for_ever(folder: str) -> None:
    """Append to all sessions and print what is acknowledged, as ``SESSION SAMPLES``."""
    spool = FileSpool(Path(folder), sync_ms=1)

    async def one(session_id: str) -> None:
        audio = await spool.open(session_id)
        pcm = spooled(session_id, 1_000_000)
        while True:
            for _ in range(4):
                audio.append(pcm[2 * audio.written :][:642])
            say(session_id, await audio.until_durable(audio.written - 321))

    await asyncio.gather(*map(one, SESSIONS))


async def commit_for_ever(url: str) -> None:
    """Commit to all sessions and print what is acknowledged, as ``SESSION SEQ``."""
    store = SqlStore.open(url)

    async def one(session_id: str) -> None:
        found = await store.session(session_id)
        if found is None:
            await store.create(record(session_id))
        for seq in count(found.last_seq + 1 if found else 1, step=2):
            await store.commit(session_id, [warning(seq, session_id), warning(seq + 1, session_id)], Books(settled=seq))
            say(session_id, seq + 1)

    await asyncio.gather(*map(one, SESSIONS))


def main() -> None:
    """Serve victims until standard input ends."""
    for line in sys.stdin:
        work, place = line.split()
        victim = os.fork()
        if not victim:
            say("pid", os.getpid())
            asyncio.run({"append": append_for_ever, "commit": commit_for_ever}[work](place))
        os.waitpid(victim, 0)
        say("dead", 0)


if __name__ == "__main__":
    main()
