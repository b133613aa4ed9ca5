"""A stream whose session ends before its audio does."""

import asyncio
from collections.abc import AsyncGenerator

from websockets.asyncio.server import ServerConnection, serve

from dragoman.client import stream
from tests.contracts.test_stream_clients import Peer


def test_a_session_that_ends_first_ends_the_stream() -> None:
    async def endless() -> AsyncGenerator[bytes, None]:
        while True:
            yield bytes(3_200)
            await asyncio.sleep(0.01)

    async def serve_one(connection: ServerConnection) -> None:
        peer = Peer(connection)
        await peer.begin()
        await peer.audio(6_400)
        await peer.finish(2)
        await connection.close()

    async def run() -> list[str]:
        async with serve(serve_one, "127.0.0.1", 0, compression=None) as server:
            port = server.sockets[0].getsockname()[1]
            async with asyncio.timeout(5):
                return [event.type async for event in stream(f"http://127.0.0.1:{port}", endless())]

    assert asyncio.run(run()) == ["session.started", "session.ended"]
