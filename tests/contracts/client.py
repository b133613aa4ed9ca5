"""``python -m tests.contracts.client URL BYTES RATE``: our Python client, streaming bytes that count up."""

import asyncio
import sys

from dragoman.client import Stream
from dragoman.domain.errors import StreamFailedError
from dragoman.domain.events import EphemeralEvent
from dragoman.domain.messages import AudioFormat, SessionWishes


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def main(url: str, size: int, rate_hz: int) -> None:
    data = bytes(number % 251 for number in range(size))
    wishes = SessionWishes(audio=AudioFormat(sample_rate_hz=rate_hz), languages=("de-DE",))
    try:
        async with Stream(url, wishes, give_up_s=5) as stream:
            for at in range(0, size, 3_200):
                await stream.send(data[at : at + 3_200])
            await stream.end()
            async for event in stream.events():
                if not isinstance(event, EphemeralEvent):
                    say(f"{event.seq} {event.type}")
    except StreamFailedError:
        say("failed")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
