"""How each server is spoken to: audio at the pace of speech, and what comes back as a listener would see it."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncGenerator, Callable
from typing import Final

import numpy as np
from pydantic import JsonValue
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from bench.peers.audio import Speech
from bench.peers.hearing import Hearing
from dragoman.domain.audio import SAMPLE_RATE_HZ, SAMPLE_WIDTH_BYTES

_CHUNK_BYTES: Final = SAMPLE_RATE_HZ // 10 * SAMPLE_WIDTH_BYTES
_PATIENCE_S: Final = 15.0

_CANDIDATES: Final = ("en-US", "es-ES", "de-DE", "fr-FR")

Message = dict[str, JsonValue]


async def dragoman(port: int, speech: Speech) -> Hearing:
    """Stream to our native door."""
    hearing = Hearing()
    async with _connected(f"ws://127.0.0.1:{port}/v1/stream") as connection:
        languages = [speech.locale] if speech.locale else list(_CANDIDATES)
        await connection.send(json.dumps({"type": "configure", "languages": languages}))
        started_s = time.monotonic()
        sending = asyncio.create_task(_pace(connection, speech, started_s, bytes, '{"type":"end"}'))
        finals: list[str] = []
        async for message in _messages(connection, hearing):
            match message["type"]:
                case "transcript.partial":
                    hearing.show(time.monotonic() - started_s, " ".join(finals), str(message["text"]))
                case "transcript.final":
                    finals.append(str(message["text"]))
                    hearing.show(time.monotonic() - started_s, " ".join(finals), "")
                case "language.detected" | "language.changed":
                    hearing.speaks(time.monotonic() - started_s, str(message["locale"])[:2])
                case "error" | "connection.closing":
                    hearing.trouble = str(message["code"])
        await _finish(sending)
    return hearing


async def plain(port: int, speech: Speech) -> Hearing:
    """Stream to voice activity detection in front of faster-whisper (``launch/plain.py``)."""
    hearing = Hearing()
    async with _connected(f"ws://127.0.0.1:{port}") as connection:
        await connection.send(json.dumps({"language": _code(speech)}))
        started_s = time.monotonic()
        sending = asyncio.create_task(_pace(connection, speech, started_s, bytes, "end"))
        finals: list[str] = []
        async for message in _messages(connection, hearing):
            finals.append(str(message["text"]))
            hearing.show(time.monotonic() - started_s, " ".join(finals), "")
            hearing.speaks(time.monotonic() - started_s, str(message["language"]))
        await _finish(sending)
    return hearing


async def whisper_live(port: int, speech: Speech) -> Hearing:
    """Stream to WhisperLive. After ``END_OF_AUDIO`` it closes at once, so the stream only stops sending."""
    hearing = Hearing()
    async with _connected(f"ws://127.0.0.1:{port}") as connection:
        hello = {"uid": str(uuid.uuid4()), "language": _code(speech), "task": "transcribe", "model": "given"}
        await connection.send(json.dumps({**hello, "use_vad": True, "send_last_n_segments": 10}))
        async with asyncio.timeout(60):
            while json.loads(await connection.recv()).get("message") != "SERVER_READY":
                pass
        started_s = time.monotonic()
        sending = asyncio.create_task(_pace(connection, speech, started_s, _floats, b"END_OF_AUDIO"))
        completed: dict[float, str] = {}
        async for message in _messages(connection, hearing):
            if "language" in message:
                hearing.speaks(time.monotonic() - started_s, str(message["language"]))
            segments = _parts(message, "segments")
            completed |= {float(str(each["start"])): str(each["text"]) for each in segments if each.get("completed")}
            tail = " ".join(str(each["text"]) for each in segments if not each.get("completed"))
            committed = " ".join(text for _, text in sorted(completed.items()))
            hearing.show(time.monotonic() - started_s, committed, tail)
        await _finish(sending)
    return hearing


async def whisper_live_kit(port: int, speech: Speech) -> Hearing:
    """Stream to WhisperLiveKit."""
    hearing = Hearing()
    language = f"?language={code}" if (code := _code(speech)) else ""
    async with _connected(f"ws://127.0.0.1:{port}/asr{language}") as connection:
        started_s = time.monotonic()
        sending = asyncio.create_task(_pace(connection, speech, started_s, bytes, b""))
        async for message in _messages(connection, hearing):
            if message.get("type") == "ready_to_stop":
                break
            if "lines" in message:
                lines = _parts(message, "lines")
                committed = " ".join(str(line.get("text") or "") for line in lines)
                hearing.show(time.monotonic() - started_s, committed, str(message.get("buffer_transcription", "")))
                detected = [str(line["detected_language"]) for line in lines if line.get("detected_language")]
                if detected:
                    hearing.speaks(time.monotonic() - started_s, detected[-1])
        await _finish(sending)
    return hearing


def _code(speech: Speech) -> str | None:
    """Return Whisper's code of the language; nothing if the server has to find out."""
    return speech.locale[:2] if speech.locale else None


def _connected(url: str) -> connect:
    return connect(url, compression=None, max_size=None, open_timeout=60, close_timeout=1, ping_interval=None)


async def _pace(
    connection: ClientConnection, speech: Speech, started_s: float, encode: Callable[[bytes], bytes], end: str | bytes
) -> None:
    """Send each tenth of a second when it has been spoken, then the end."""
    for number, at in enumerate(range(0, len(speech.pcm), _CHUNK_BYTES), 1):
        await asyncio.sleep(started_s + number * 0.1 - time.monotonic())
        await connection.send(encode(speech.pcm[at : at + _CHUNK_BYTES]))
    await connection.send(end)
    await asyncio.sleep(_PATIENCE_S)
    await connection.close()


async def _messages(connection: ClientConnection, hearing: Hearing) -> AsyncGenerator[Message, None]:
    """Yield what the server says until it closes; how it does is noted."""
    try:
        async for data in connection:
            hearing.arrived(data)
            yield json.loads(data)
    except ConnectionClosed as error:
        hearing.trouble = f"closed: {error}"


def _parts(message: Message, name: str) -> list[Message]:
    parts = message.get(name) or []
    assert isinstance(parts, list)
    return [part for part in parts if isinstance(part, dict)]


async def _finish(sending: "asyncio.Task[None]") -> None:
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)


def _floats(pcm: bytes) -> bytes:
    return (np.frombuffer(pcm, "<i2").astype("<f4") / 32_768).tobytes()
