"""What a client of the streaming protocol must do (docs/protocol.md): one script, both of our clients."""

import asyncio
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, Protocol

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

HERE: Final = Path(__file__).parent
SIZE: Final = 48_000
ID: Final = "s_0123456789abcdef"
DATA: Final = bytes(number % 251 for number in range(SIZE))


def python(url: str, rate_hz: int) -> list[str]:
    return [sys.executable, "-m", "tests.contracts.client", url, str(SIZE), str(rate_hz)]


def javascript(url: str, rate_hz: int) -> list[str]:
    node = shutil.which("node")
    if node is None or not (HERE.parents[1] / "service/dragoman/web/client.js").exists():
        pytest.skip("there is no Node on this machine")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    major = int(version.removeprefix("v").partition(".")[0])
    if major < 20:
        pytest.skip(f"Node {version.strip()} has no WebSocket; 20 is the first that has")
    options = ["--experimental-websocket", "--no-warnings"] if major < 22 else []
    return [node, *options, str(HERE / "client.mjs"), url, str(SIZE), str(rate_hz)]


class Peer:
    """The server's side of one connection."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection

    async def message(self) -> dict[str, object]:
        """Return the next message; keepalives are left out."""
        while True:
            received = await self._connection.recv()
            assert isinstance(received, str), "audio came where a message was due"
            if (message := json.loads(received))["type"] != "keepalive":
                return dict(message)

    async def audio(self, size: int) -> bytes:
        """Return so many bytes of audio, or what there is before another message."""
        found = b""
        while len(found) < size:
            received = await self._connection.recv()
            if isinstance(received, str):
                if json.loads(received)["type"] == "keepalive":
                    continue
                raise AssertionError(f"a message after {len(found)} bytes: {received}")
            found += received
        return found

    async def say(self, kind: str, seq: int | None = None, **fields: object) -> None:
        number = {"after_seq": 1} if seq is None else {"seq": seq}
        await self._connection.send(json.dumps({"type": kind, "session_id": ID, **number, **fields}))

    async def begin(self) -> None:
        assert (await self.message())["type"] == "configure"
        await self.start()

    async def start(self) -> None:
        await self.say("session.started", 1, engine="test", lid="continuous", candidates=["de-DE"])

    async def acknowledge(self, samples: int) -> None:
        await self.say("audio.ack", accepted_samples=samples, durability="file")

    async def warn(self, seq: int) -> None:
        await self.say("warning", seq, code="test", message="")

    async def finish(self, seq: int) -> None:
        ledger = dict.fromkeys(
            ("accepted_samples", "final_samples", "text_samples", "lost_samples", "discarded_samples"), 0
        )
        await self.say(
            "session.ended", seq, reason="completed", ledger={**ledger, "sample_rate_hz": 16_000}, utterances=0
        )

    async def close(self, code: str, *, retryable: bool, retry_after_ms: int | None = None) -> None:
        message = {"type": "connection.closing", "session_id": ID, "code": code, "message": "", "retryable": retryable}
        await self._connection.send(json.dumps({**message, "retry_after_ms": retry_after_ms}))
        await self._connection.close(4400)

    def drop(self) -> None:
        self._connection.transport.abort()


Scene = Callable[[Peer], Awaitable[None]]


class Play(Protocol):
    """Plays one scene per connection of a client, and returns what the client printed."""

    def __call__(self, *scenes: Scene, rate_hz: int = 16_000) -> list[str]: ...


async def played(command: Callable[[str, int], list[str]], rate_hz: int, *scenes: Scene) -> list[str]:
    """Play one scene per connection; return what the client printed."""
    left = list(scenes)
    trouble: list[BaseException] = []

    async def handle(connection: ServerConnection) -> None:
        try:
            assert left, "the client connected once too often"
            await left.pop(0)(Peer(connection))
            await connection.wait_closed()
        except ConnectionClosed as error:
            trouble.append(error)
        except AssertionError as error:
            trouble.append(error)
            connection.transport.abort()

    async with serve(handle, "127.0.0.1", 0, compression=None, max_size=None) as server:
        port = server.sockets[0].getsockname()[1]
        client = await asyncio.create_subprocess_exec(
            *command(f"http://127.0.0.1:{port}", rate_hz),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(client.communicate(), 40)
    if trouble:
        raise trouble[0]
    assert not left, f"{len(left)} connections were not made: {err.decode()[-500:]}"
    return out.decode().splitlines()


@pytest.fixture(params=[python, javascript], ids=["python", "javascript"])
def play(request: pytest.FixtureRequest) -> Play:
    def run(*scenes: Scene, rate_hz: int = 16_000) -> list[str]:
        return asyncio.run(played(request.param, rate_hz, *scenes))

    return run


def test_a_session_runs_from_configure_to_its_end(play: Play) -> None:
    async def whole(peer: Peer) -> None:
        await peer.begin()
        assert await peer.audio(SIZE) == DATA
        await peer.acknowledge(SIZE // 2)
        assert (await peer.message())["type"] == "end"
        await peer.finish(2)

    assert play(whole) == ["1 session.started", "2 session.ended"]


def test_audio_goes_on_at_the_sample_that_the_server_names_and_not_before(play: Play) -> None:
    async def first(peer: Peer) -> None:
        await peer.begin()
        await peer.audio(20_000)
        await peer.acknowledge(4_000)
        await peer.warn(2)
        await asyncio.sleep(0.2)
        peer.drop()

    async def second(peer: Peer) -> None:
        resume = await peer.message()
        assert (resume["type"], resume["session_id"], resume["after_seq"]) == ("resume", ID, 2)
        await peer.warn(2)  # again: the client has it already
        await peer.warn(3)
        await asyncio.sleep(0.2)  # audio now would be an error below
        await peer.acknowledge(6_000)
        assert await peer.audio(SIZE - 12_000) == DATA[12_000:]
        assert (await peer.message())["type"] == "end"
        await peer.finish(4)

    assert play(first, second) == ["1 session.started", "2 warning", "3 warning", "4 session.ended"]


def test_a_connection_that_breaks_before_the_session_has_begun_begins_it_again(play: Play) -> None:
    async def first(peer: Peer) -> None:
        assert (await peer.message())["type"] == "configure"
        await peer.audio(10_000)
        peer.drop()

    async def second(peer: Peer) -> None:
        await peer.begin()
        assert await peer.audio(SIZE) == DATA
        await peer.message()
        await peer.finish(2)

    assert play(first, second) == ["1 session.started", "2 session.ended"]


def test_the_end_is_said_again_after_a_lost_connection(play: Play) -> None:
    async def first(peer: Peer) -> None:
        await peer.begin()
        await peer.audio(SIZE)
        assert (await peer.message())["type"] == "end"
        peer.drop()

    async def second(peer: Peer) -> None:
        assert (await peer.message())["type"] == "resume"
        await peer.acknowledge(SIZE // 2)
        assert (await peer.message())["type"] == "end"
        await peer.finish(2)

    assert play(first, second) == ["1 session.started", "2 session.ended"]


def test_a_server_that_asks_for_time_is_given_it(play: Play) -> None:
    asked: list[float] = []

    async def first(peer: Peer) -> None:
        await peer.begin()
        await peer.audio(3_200)
        asked.append(time.monotonic())  # before: the client need not wait for our end of the goodbye
        await peer.close("draining", retryable=True, retry_after_ms=1_000)

    async def second(peer: Peer) -> None:
        assert time.monotonic() - asked[0] >= 0.9
        assert (await peer.message())["type"] == "resume"
        await peer.acknowledge(0)
        assert await peer.audio(SIZE) == DATA
        await peer.message()
        await peer.finish(2)

    assert play(first, second) == ["1 session.started", "2 session.ended"]


def test_a_refusal_is_not_tried_again(play: Play) -> None:
    async def refused(peer: Peer) -> None:
        await peer.message()
        await peer.close("language_unsupported", retryable=False)

    assert play(refused) == ["failed"]


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 48_000])
def test_a_sample_of_the_session_clock_is_found_at_any_rate(play: Play, rate_hz: int) -> None:
    accepted = 3_001

    async def first(peer: Peer) -> None:
        await peer.begin()
        await peer.audio(3_200)
        await peer.acknowledge(1)
        await asyncio.sleep(0.1)
        peer.drop()

    async def second(peer: Peer) -> None:
        await peer.message()
        await peer.acknowledge(accepted)
        start = 2 * ((2 * accepted * rate_hz + 16_000) // 32_000)  # half a sample is rounded up
        assert await peer.audio(SIZE - start) == DATA[start:]
        await peer.message()
        await peer.finish(2)

    assert play(first, second, rate_hz=rate_hz)[-1] == "2 session.ended"
