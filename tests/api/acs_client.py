"""Azure Communication Services as it streams a call to us, scripted."""

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from websockets.asyncio.client import ClientConnection, connect

from dragoman.audio.pcm import to_float
from dragoman.audio.resample import StreamingResampler
from dragoman.domain.audio import SAMPLE_RATE_HZ
from dragoman.domain.events import Event, ServerMessage, message_from_json
from tests.api.server import ServerProcess
from tests.api.streaming import as_event

BEGAN = datetime(2026, 11, 20, 9, 30, 0, 120_000, tzinfo=UTC)
FRAME_MS = 20


@dataclass(frozen=True)
class Said:
    """What somebody says, 16 kHz, and when on the call's clock; ``who`` is missing if all are mixed."""

    pcm: bytes
    who: str | None = None
    at_ms: int = 0


def metadata(rate_hz: int = SAMPLE_RATE_HZ) -> str:
    body = {
        "subscriptionId": "89e8cb59-b991-48b0-b154-1db84f16a077",
        "encoding": "PCM",
        "sampleRate": rate_hz,
        "channels": 1,
        "length": rate_hz * 2 * FRAME_MS // 1_000,
    }
    return json.dumps({"kind": "AudioMetadata", "audioMetadata": body})


def frames(call: Iterable[Said], rate_hz: int = SAMPLE_RATE_HZ, *, pascal: bool = False) -> list[str]:
    """Return the packets of everybody, as they follow each other."""
    packets = []
    for said in call:
        resampler = StreamingResampler(SAMPLE_RATE_HZ, rate_hz)
        pcm = resampler.push(to_float(said.pcm)) + resampler.flush()
        step = rate_hz * 2 * FRAME_MS // 1_000
        for number, start in enumerate(range(0, len(pcm), step)):
            at_ms = said.at_ms + FRAME_MS * number
            packets.append((at_ms, audio(pcm[start : start + step], said.who, at_ms, pascal=pascal)))
    return [packet for _, packet in sorted(packets, key=lambda each: each[0])]


def audio(pcm: bytes, who: str | None, at_ms: int, *, pascal: bool = False) -> str:
    stamp = (BEGAN + timedelta(milliseconds=at_ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    data = base64.b64encode(pcm).decode()
    if pascal:
        named = {"ParticipantRawId": who} if who else {}
        body = {"Timestamp": stamp[:-1] + "4567Z", "Data": data, "Silent": False, **named}
        return json.dumps({"Kind": "AudioData", "AudioData": body, "StopAudio": None})
    named = {"participantRawID": who} if who else {}
    body = {"timestamp": stamp, **named, "data": data, "silent": not any(pcm)}
    return json.dumps({"kind": "AudioData", "audioData": body})


def streaming(server: ServerProcess, path: str, **headers: str) -> connect:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    url = server.url.replace("http", "ws") + path
    return connect(url, additional_headers=named, compression=None, close_timeout=5)


async def send(connection: ClientConnection, packets: Iterable[str], pause_s: float = 0.002) -> None:
    """Send packets ten times as fast as they were spoken."""
    for packet in packets:
        await connection.send(packet)
        await asyncio.sleep(pause_s)


async def followed(server: ServerProcess, call_id: str, key: str) -> list[Event]:
    """Return the events of a call to its end, as an application reads them."""
    return [as_event(message) async for message in told(server, call_id, key)]


async def told(server: ServerProcess, call_id: str, key: str) -> AsyncGenerator[ServerMessage, None]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        lines = [
            f"GET /v1/acs/calls/{call_id}/events HTTP/1.0",
            f"Host: 127.0.0.1:{server.port}",
            f"Authorization: {key}",
        ]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        assert b" 200 " in await reader.readline()
        while line := await reader.readline():
            if line.startswith(b"data: "):
                yield message_from_json(line.removeprefix(b"data: "))
    finally:
        writer.close()
        await writer.wait_closed()
