"""Two servers with one database and one container: a session goes on at either, whether or not the other lives."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.storage.blob import ContainerClient

from dragoman.client import Stream
from dragoman.domain.events import DurableEvent, Event, SessionEnded, WarningEvent
from dragoman.domain.messages import SessionWishes
from dragoman.store.sql import SqlStore
from tests.api.server import ServerProcess
from tests.api.streaming import finals, pieces
from tests.calls import call
from tests.datasets.blob_emulator import ACCOUNT, KEY, azurite
from tests.e2e.troubles import nothing_lost, troubled, until

if TYPE_CHECKING:
    from tests.postgres import PostgresServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

MOVES = 10


class Switch:
    """A load balancer: passes connections on to one of the servers, and cuts them when it is turned."""

    def __init__(self, ports: list[int]) -> None:
        self._ports = ports
        self._at = 0
        self._cut = asyncio.Event()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            self.turn()

    def turn(self) -> int:
        """Go over to the other server; return where we were."""
        before, self._at = self._at, 1 - self._at
        self._cut.set()
        self._cut = asyncio.Event()
        return before

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        cut = self._cut
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._ports[self._at])
        except OSError:
            writer.close()
            return
        tasks = [
            asyncio.create_task(_pipe(reader, back)),
            asyncio.create_task(_pipe(there, writer)),
            asyncio.create_task(cut.wait()),
        ]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for each in (writer, back):
            each.transport.abort()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()


@pytest.fixture
def shared(postgres: "PostgresServer", tmp_path: Path) -> Iterator[dict[str, str]]:
    """What all servers are told."""
    with azurite(tmp_path) as account, postgres.database() as name:
        container = ContainerClient(account, "audio", credential=AzureNamedKeyCredential(ACCOUNT, KEY))
        with container:
            container.create_container()
            yield {
                "database_url": postgres.url(name),
                "spool": f"{account}/audio",
                "blob_endpoint": account,
                "blob_key": KEY,
            }


def test_a_session_goes_on_at_either_of_two_servers(
    tmp_path: Path, shared: dict[str, str], postgres: "PostgresServer"
) -> None:
    """Ten times it moves: five times because its server was killed, and five times away from one that lives."""

    async def run(servers: list[ServerProcess]) -> tuple[list[Event], int]:
        switch = Switch([server.port for server in servers])

        async def move(number: int) -> None:
            before = switch.turn()
            if number % 2 == 0:
                await asyncio.to_thread(servers[before].kill)
                await asyncio.to_thread(servers[before].start)
            if number == MOVES // 2:
                await asyncio.to_thread(postgres.crash)

        async with switch.listening() as url:
            return await troubled(url, MOVES, move)

    with ServerProcess(tmp_path / "one", **shared) as one, ServerProcess(tmp_path / "two", **shared) as two:
        events, connections = asyncio.run(run([one, two]))
    assert connections > MOVES
    nothing_lost(events)
    assert finals(events)


def test_what_a_dead_server_leaves_behind_another_ends(tmp_path: Path, shared: dict[str, str]) -> None:
    """Its client does not come back either: the session ends with the audio it had, at the server that is left."""
    pcm = call("es").pcm()[: 10 * 32_000]

    async def begin(server: ServerProcess) -> str:
        async with Stream(server.url, SessionWishes(languages=("es-ES",))) as stream:
            for piece in pieces(pcm):
                await stream.send(piece)
            await until(lambda: stream.acknowledged_samples == len(pcm) // 2)
            await asyncio.to_thread(server.kill)
            assert stream.session_id is not None
            return stream.session_id

    async def end(session_id: str, store: SqlStore) -> list[DurableEvent]:
        async def has_ended() -> bool:
            record = await store.session(session_id)
            return record is not None and not record.is_open

        for _ in range(600):
            if await has_ended():
                break
            await asyncio.sleep(0.1)
        return await store.events(session_id)

    settings = {**shared, "resume_s": "3"}
    with ServerProcess(tmp_path / "two", **settings), ServerProcess(tmp_path / "one", **settings) as one:
        session_id = asyncio.run(begin(one))
        store = SqlStore.open(shared["database_url"])
        events = asyncio.run(end(session_id, store))
        store.close()
    last = events[-1]
    assert isinstance(last, SessionEnded)
    assert last.ledger.accepted_samples == last.ledger.final_samples == len(pcm) // 2
    warnings = [event.code for event in events if isinstance(event, WarningEvent)]
    assert warnings[-2:] == ["recovered", "client_gone"]
