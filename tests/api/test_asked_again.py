"""A stream is asked again who it is: it is told before its token ends, goes on with another one, or is closed."""

import asyncio
import json
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
import uvicorn

from dragoman.api.app import create_app
from dragoman.api.auth import Doorkeeper
from dragoman.api.stream import Patience
from dragoman.client import Stream
from dragoman.domain.caller import Caller
from dragoman.domain.errors import StreamFailedError, TokenEndedError
from dragoman.domain.events import AudioAck, Event, WarningEvent
from dragoman.runtime import Runtime
from dragoman.settings import read_settings
from dragoman.store.keys import KeyStore, NewKey
from dragoman.store.scope import Scope
from dragoman.store.tickets import Ticket, TicketStore
from tests.api.streaming import as_event, bare, closing, ended, messages, session
from tests.contracts.test_stream_clients import javascript
from tests.stream import checked

pytestmark = pytest.mark.slow

SECOND: Final = bytes(32_000)
HERE: Final = Path(__file__).parent


@dataclass
class Door:
    """A server that asks its streams again all the time, and warns them of an end within the next hour."""

    url: str
    keys: KeyStore

    def key(self, tenant: str = "acme", *, ends: bool = False) -> NewKey:
        until_ms = time.time_ns() // 1_000_000 + 1_800_000 if ends else None
        return self.keys.create("test", [Scope.STREAM], tenant, expires_ms=until_ms)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    settings = read_settings(data=tmp_path_factory.mktemp("asked"))
    keys = KeyStore.open(settings.effective_database_url)
    keys.create("first", [Scope.STREAM])
    app = create_app(Runtime(settings), Patience(admission_s=0.2, warning_s=3_600.0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="websockets-sansio"))
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield Door(f"http://127.0.0.1:{listening.getsockname()[1]}", keys)
    server.should_exit = True
    thread.join()
    listening.close()
    keys.close()


def test_a_client_that_can_have_another_token_shows_it_and_goes_on(door: Door) -> None:
    first, second = door.key(ends=True), door.key()
    shown = [first.key, second.key]

    async def key() -> str:
        return shown.pop(0) if len(shown) > 1 else shown[0]

    async def run() -> tuple[list[Event], int]:
        events = []
        async with Stream(door.url, key=key) as stream:
            await stream.send(SECOND)
            async for event in stream.events():
                events.append(event)
                if isinstance(event, WarningEvent) and event.code == "token_ending":
                    await asyncio.sleep(0.1)
                    await asyncio.to_thread(door.keys.revoke, first.record.key_id)
                    await asyncio.sleep(0.6)  # three times it is asked, and lets nobody go
                    await stream.send(SECOND)
                    await stream.end()
        return events, stream.connections

    events, connections = asyncio.run(run())
    checked(events)
    assert connections == 1
    assert ended(events).ledger.accepted_samples == 32_000


def test_a_browser_does_the_same(door: Door) -> None:
    if shutil.which("node") is None:
        pytest.skip("there is no Node on this machine")
    first, second = door.key(ends=True), door.key()
    command = javascript(door.url, 16_000)
    node = command[: command.index(door.url) - 1]

    async def run() -> list[str]:
        client = await asyncio.create_subprocess_exec(
            *(*node, str(HERE / "renewing.mjs"), door.url, first.key, second.key),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert client.stdout is not None
        lines: list[str] = []
        async for line in client.stdout:
            lines.append(line.decode().strip())
            if lines[-1] == "warning token_ending":
                await asyncio.sleep(0.1)
                await asyncio.to_thread(door.keys.revoke, first.record.key_id)
                await asyncio.sleep(0.6)
                assert client.stdin is not None
                client.stdin.write(b"\n")
                await client.stdin.drain()
        await client.wait()
        return lines

    assert asyncio.run(run())[-1] == "completed 1 32000"


def test_a_revoked_key_ends_its_stream_and_another_goes_on_with_all_of_it(door: Door) -> None:
    first, second = door.key(), door.key()

    async def run() -> None:
        async with bare(door.url, Authorization=f"Bearer {first.key}") as connection:
            await connection.send('{"type":"configure"}')
            started = as_event(await anext(messages(connection)))
            await connection.send(SECOND)
            async for message in messages(connection):
                if isinstance(message, AudioAck) and message.accepted_samples == 16_000:
                    break
            await asyncio.to_thread(door.keys.revoke, first.record.key_id)
            reason, code = await closing(connection)
        assert reason is not None
        assert (reason.code, code) == ("token_ended", 4401)
        async with bare(door.url, Authorization=f"Bearer {second.key}") as again:
            await again.send(json.dumps({"type": "resume", "session_id": started.session_id}))
            await again.send('{"type":"end"}')
            events = await session(again)
        checked(events)
        assert ended(events).ledger.accepted_samples == 16_000

    asyncio.run(run())


def test_a_client_without_another_key_is_told_why_it_cannot_go_on(door: Door) -> None:
    only = door.key()

    async def run() -> None:
        async with Stream(door.url, key=only.key) as stream:
            await stream.send(SECOND)
            async for _ in stream.events():
                await asyncio.to_thread(door.keys.revoke, only.record.key_id)

    with pytest.raises(StreamFailedError, match="token_ended"):
        asyncio.run(run())


@pytest.mark.parametrize("shown", ["dgm_nothing", "another tenant's"])
def test_what_is_shown_later_is_checked_like_what_was_shown_first(door: Door, shown: str) -> None:
    token = door.key("other").key if shown == "another tenant's" else shown

    async def run() -> None:
        async with bare(door.url, Authorization=f"Bearer {door.key().key}") as connection:
            await connection.send('{"type":"configure"}')
            await connection.send(json.dumps({"type": "token", "token": token}))
            reason, code = await closing(connection)
        assert reason is not None
        assert (reason.code, code) == ("key_refused", 4401)

    asyncio.run(run())


def test_a_token_of_entra_ends_when_it_says_also_behind_a_ticket(door: Door) -> None:
    over, lasting = Caller("t", "a-b-c", until_s=time.time() - 1), Caller("t", "a-b-c", until_s=time.time() + 60)
    tickets = TicketStore(door.keys._engine)
    keeper = Doorkeeper(door.keys, tickets, ())
    assert asyncio.run(keeper.again(lasting)) == lasting
    with pytest.raises(TokenEndedError):
        asyncio.run(keeper.again(over))
    tickets.add("d" * 64, Ticket(lasting, None), 60)
    kept = tickets.redeem("d" * 64)
    assert kept is not None
    assert kept.caller.until_s == pytest.approx(lasting.until_s, abs=0.001)
