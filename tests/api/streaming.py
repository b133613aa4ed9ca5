"""Streams as tests drive them."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from dragoman.client import Stream
from dragoman.domain.events import (
    AudioAck,
    ConnectionClosing,
    Event,
    ServerMessage,
    SessionEnded,
    TranscriptFinal,
    message_from_json,
)
from dragoman.domain.messages import SessionWishes


def pieces(pcm: bytes, size: int = 3_200) -> list[bytes]:
    return [pcm[at : at + size] for at in range(0, len(pcm), size)]


async def spoken(url: str, chunks: Sequence[bytes], wishes: SessionWishes, pause_s: float = 0.0) -> list[Event]:
    """Return the events of audio sent in chunks, with a pause after each."""
    async with Stream(url, wishes) as stream:

        async def feed() -> None:
            for chunk in chunks:
                await stream.send(chunk)
                await asyncio.sleep(pause_s)
            await stream.end()

        feeding = asyncio.create_task(feed())
        events = [event async for event in stream.events()]
        await feeding
        return events


def finals(events: Sequence[Event]) -> list[TranscriptFinal]:
    return [event for event in events if isinstance(event, TranscriptFinal)]


def ended(events: Sequence[Event]) -> SessionEnded:
    last = events[-1]
    assert isinstance(last, SessionEnded)
    return last


def bare(server_url: str, query: str = "", **headers: str) -> connect:
    """Return a connection without any client of ours."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    url = server_url.replace("http", "ws") + "/v1/stream" + query
    return connect(url, additional_headers=named, compression=None, max_size=None, close_timeout=1)


async def messages(connection: ClientConnection) -> AsyncGenerator[ServerMessage, None]:
    """Yield what the server says until it closes."""
    try:
        async for line in connection:
            yield message_from_json(line)
    except ConnectionClosed:
        return


async def session(connection: ClientConnection) -> list[Event]:
    """Return the events of a session to its end."""
    return [as_event(message) async for message in messages(connection)]


def as_event(message: ServerMessage) -> Event:
    assert not isinstance(message, ConnectionClosing), message
    return message


async def closing(connection: ClientConnection) -> tuple[ConnectionClosing | None, int | None]:
    """Return why the server closes the connection, and its close code."""
    found = None
    async for message in messages(connection):
        if isinstance(message, ConnectionClosing):
            found = message
    return found, connection.close_code


async def acknowledged(connection: ClientConnection) -> int:
    """Return the first acknowledgement."""
    async for message in messages(connection):
        if isinstance(message, AudioAck):
            return message.accepted_samples
    raise AssertionError("no acknowledgement came")
