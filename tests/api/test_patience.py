"""Clients that keep the server waiting."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import uvicorn
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from dragoman.api.app import create_app
from dragoman.api.stream import Patience
from dragoman.domain.events import AudioAck, Event, SessionStarted
from dragoman.runtime import Runtime
from dragoman.settings import read_settings
from tests.api.streaming import as_event, bare, closing, ended, messages, pieces, session
from tests.calls import call
from tests.stream import checked

pytestmark = pytest.mark.slow


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """Serve with little patience and small buffers."""
    app = create_app(Runtime(read_settings(data=tmp_path)), Patience(first_message_s=0.5, idle_s=0.5, send_s=0.5))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="websockets-sansio"))
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
    listening.bind(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    listening.close()


@pytest.mark.parametrize("first", [None, '{"type":"configure"}'])
def test_who_says_nothing_is_let_go(url: str, first: str | None) -> None:
    async def run() -> None:
        async with bare(url) as connection:
            if first:
                await connection.send(first)
            reason, code = await closing(connection)
        assert reason is not None
        assert (reason.code, reason.retryable, code) == ("idle", True, 4408)

    asyncio.run(run())


def test_who_reads_nothing_is_let_go_and_finds_everything_when_it_resumes(url: str) -> None:
    pcm = call("en").pcm()

    async def run() -> None:
        narrow = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])))
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        address = url.replace("http", "ws") + "/v1/stream"
        async with connect(address, sock=narrow, compression=None, max_queue=1, ping_interval=None) as deaf:
            await deaf.send('{"type":"configure","languages":["en-US"],"translate":["fr","de","es"]}')
            started = await anext(messages(deaf))
            assert isinstance(started, SessionStarted)
            deaf.transport.pause_reading()
            with suppress(ConnectionClosed):  # it may be let go before it has said all
                for piece in pieces(pcm):
                    await deaf.send(piece)
                    await asyncio.sleep(0.002)
            deaf.transport.abort()
        async with bare(url) as again:
            await again.send(json.dumps({"type": "resume", "session_id": started.session_id}))
            events: list[Event] = []
            accepted = 0
            async for message in messages(again):
                events.append(as_event(message))
                if isinstance(message, AudioAck):
                    accepted = message.accepted_samples
                    break
            assert 0 < accepted <= len(pcm) // 2
            for piece in pieces(pcm[2 * accepted :]):
                await again.send(piece)
            await again.send('{"type":"end"}')
            events += await session(again)
            checked(events)
            assert ended(events).ledger.accepted_samples == len(pcm) // 2

    asyncio.run(run())
