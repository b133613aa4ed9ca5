"""``python -m bench.streams``: how many live streams a server carries, what they cost, and whether its memory is flat.

The server runs on one core, the streams on the others, in real time: frames of 100 ms of silence, of faint noise such
as an open microphone gives, or of the sample calls.
"""

import argparse
import asyncio
import json
import os
import signal
import socket
import sys
import tempfile
import time
import urllib.request
import wave
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Final

import numpy as np

from bench.machine import ONE_THREAD, describe
from dragoman.client import Stream
from dragoman.domain.events import AudioAck, SessionEnded, TranscriptFinal
from dragoman.domain.messages import SessionWishes
from dragoman.resources import samples_folder

_RESULTS: Final = Path(__file__).with_name("results")
_FRAME_BYTES: Final = 3_200
_FRAME_S: Final = 0.1
_CALLS: Final = ("en", "es", "de", "fr")
_TICK_S: Final = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Seen:
    """What the streams saw."""

    ack_delays_ms: list[float] = field(default_factory=list)
    final_latencies_ms: list[int] = field(default_factory=list)
    lost_samples: int = 0
    ended: int = 0
    resumed: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """One run. ``cores`` is processor time of the server per second; memory in MiB, once a minute or more often."""

    streams: int
    seconds: float
    audio: str
    cores: float
    memory_mib: list[float]
    ack_p50_ms: float
    ack_p99_ms: float
    final_p50_ms: float | None
    final_p95_ms: float | None
    finals: int
    ended: int
    resumed: int
    lost_samples: int


def main() -> None:
    """Measure, print and keep the result."""
    parser = argparse.ArgumentParser(prog="python -m bench.streams", description=__doc__)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--audio", choices=["silence", "noise", "speech"], default="silence")
    parser.add_argument("--keep", action="store_true", help=f"write the result to {_RESULTS.name}/")
    options = parser.parse_args()
    result = asyncio.run(_measure(options.streams, options.seconds, options.audio))
    print(json.dumps(asdict(result), indent=1))
    if options.keep:
        name = f"streams-{options.audio}-{options.streams}x{options.seconds:g}s.json"
        kept = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "machine": describe(), **asdict(result)}
        (_RESULTS / name).write_text(json.dumps(kept, indent=1) + "\n")


async def _measure(streams: int, seconds: float, audio: str) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        with socket.create_server(("127.0.0.1", 0)) as unused:
            port = unused.getsockname()[1]
        command = [sys.executable, "-m", "dragoman", "serve", "--port", str(port), "--data", folder]
        settings = {"DRAGOMAN_MAX_SESSIONS": str(streams + 1), "DRAGOMAN_THREADS": "1"}
        with (Path(folder) / "log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *command, env={**os.environ, **ONE_THREAD, **settings}, stdout=log, stderr=log
            )
        try:
            _keep_apart(process.pid)
            await _ready(f"http://127.0.0.1:{port}/readyz")
            return await _streams(f"http://127.0.0.1:{port}", process.pid, streams, seconds, audio)
        finally:
            process.send_signal(signal.SIGTERM)
            await process.wait()


async def _streams(url: str, pid: int, streams: int, seconds: float, audio: str) -> Result:
    seen = Seen()
    running = [asyncio.create_task(_stream(url, number, seconds, audio, seen)) for number in range(streams)]
    await asyncio.sleep(min(10.0, seconds / 4))  # until all are there
    cpu_s, began_s = _cpu_s(pid), time.monotonic()
    memory = [_resident_mib(pid)]
    every_s = max(1.0, min(60.0, seconds / 10))
    while time.monotonic() - began_s < seconds * 0.7:
        await asyncio.sleep(every_s)
        memory.append(_resident_mib(pid))
    cores = (_cpu_s(pid) - cpu_s) / (time.monotonic() - began_s)
    await asyncio.gather(*running)
    finals = sorted(seen.final_latencies_ms)
    return Result(
        streams=streams,
        seconds=seconds,
        audio=audio,
        cores=round(cores, 3),
        memory_mib=[round(each, 1) for each in memory],
        ack_p50_ms=round(median(seen.ack_delays_ms), 1),
        ack_p99_ms=round(quantiles(seen.ack_delays_ms, n=100)[98], 1),
        final_p50_ms=median(finals) if finals else None,
        final_p95_ms=quantiles(finals, n=20)[18] if len(finals) > 1 else None,
        finals=len(finals),
        ended=seen.ended,
        resumed=seen.resumed,
        lost_samples=seen.lost_samples,
    )


async def _stream(url: str, number: int, seconds: float, audio: str, seen: Seen) -> None:
    """Stream in real time; the streams begin one after another."""
    await asyncio.sleep(number * 0.02)
    frames = _frames(number) if audio == "speech" else _quiet(audio == "noise")
    sent: list[float] = []  # when each frame was sent
    async with Stream(url, SessionWishes()) as stream:

        async def feed() -> None:
            began_s = time.monotonic()
            for at in range(round(seconds / _FRAME_S)):
                await asyncio.sleep(began_s + at * _FRAME_S - time.monotonic())
                await stream.send(frames[at % len(frames)])
                sent.append(time.monotonic())
            await stream.end()

        feeding = asyncio.create_task(feed())
        async for event in stream.events():
            if isinstance(event, AudioAck) and event.accepted_samples:
                last = event.accepted_samples * 2 // _FRAME_BYTES - 1
                seen.ack_delays_ms.append((time.monotonic() - sent[last]) * 1000)
            elif isinstance(event, TranscriptFinal) and event.latency.since_speech_end_ms is not None:
                seen.final_latencies_ms.append(event.latency.since_speech_end_ms)
            elif isinstance(event, SessionEnded):
                seen.ended += 1
                seen.lost_samples += event.ledger.lost_samples
        await feeding
        seen.resumed += stream.connections - 1


def _quiet(noise: bool) -> list[bytes]:
    """Return ten seconds in which nobody speaks: digital silence, or noise at -50 dBFS."""
    samples = np.random.default_rng(0).normal(0, 100 if noise else 0, (100, _FRAME_BYTES // 2))
    return [frame.astype("<i2").tobytes() for frame in samples]


def _frames(number: int) -> list[bytes]:
    """Return a call in frames, each stream beginning at another place."""
    with wave.open(str(samples_folder() / "audio" / f"{_CALLS[number % len(_CALLS)]}_call.wav")) as file:
        pcm = file.readframes(file.getnframes())
    frames = [pcm[at : at + _FRAME_BYTES] for at in range(0, len(pcm) - _FRAME_BYTES, _FRAME_BYTES)]
    first = number * 37 % len(frames)
    return frames[first:] + frames[:first]


def _keep_apart(pid: int) -> None:
    """Give the server a core of its own, where the system lets us."""
    if hasattr(os, "sched_setaffinity") and len(cores := sorted(os.sched_getaffinity(0))) > 1:
        os.sched_setaffinity(pid, cores[:1])
        os.sched_setaffinity(0, cores[1:])


async def _ready(url: str) -> None:
    for _ in range(300):
        try:
            await asyncio.to_thread(lambda: urllib.request.urlopen(url, timeout=5).close())
        except OSError:
            await asyncio.sleep(0.1)
        else:
            return
    raise TimeoutError("the server does not become ready")


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_S


def _resident_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) / 1024


if __name__ == "__main__":
    main()
