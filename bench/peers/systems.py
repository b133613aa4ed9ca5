"""The servers that are measured: how each is started with a model, and what it costs while it runs."""

import asyncio
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from bench.machine import ONE_THREAD
from bench.peers import clients
from bench.peers.audio import Speech
from bench.peers.environments import WHISPER_LIVE, WHISPER_LIVE_KIT, Environment
from bench.peers.hearing import Hearing

_LAUNCH: Final = Path(__file__).with_name("launch")
_TICK_S: Final = 1 / os.sysconf("SC_CLK_TCK")
_READY_S: Final = 120


@dataclass(frozen=True, slots=True)
class Launch:
    """What a server is started with: a beam of 0 is its default, and ``data`` a folder to write to."""

    model: Path
    port: int
    beam: int
    finds_language: bool
    data: Path


Command = Callable[[Launch], list[str]]


@dataclass(frozen=True, slots=True)
class System:
    """A server and its client; with ``has_beam_lane`` it is measured with a beam of 1 beside its default."""

    name: str
    version: str
    command: Command
    stream: Callable[[int, Speech], Awaitable[Hearing]]
    has_beam_lane: bool = True
    environment: Environment | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """A server that runs. Its processor time and memory are those of all its processes."""

    port: int
    pid: int

    def cpu_s(self) -> float:
        """Return the processor time so far."""
        return sum(_TICK_S * (int(fields[11]) + int(fields[12])) for fields in _stats(_family(self.pid)))

    def resident_mib(self) -> float:
        """Return the memory in use."""
        return sum(int(fields[21]) for fields in _stats(_family(self.pid))) * os.sysconf("SC_PAGE_SIZE") / 2**20


@asynccontextmanager
async def running(system: System, model: Path, beam: int, *, finds_language: bool) -> AsyncIterator[Running]:
    """Start a server and end it.

    Raises:
        TimeoutError: if it does not listen; the end of its log is in the message.
    """
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = int(unused.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        settings = {"HF_HUB_OFFLINE": "1", "DRAGOMAN_MAX_SESSIONS": "64", "CUDA_VISIBLE_DEVICES": ""}
        command = system.command(Launch(model, port, beam, finds_language, Path(folder) / "data"))
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *command,
                env={**os.environ, **ONE_THREAD, **settings},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            if not await _listens(port, process):
                said = await asyncio.to_thread(log.read_text, errors="replace")
                raise TimeoutError(f"{system.name} does not listen: {said[-1_500:]}")
            yield Running(port, process.pid)
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def _listens(port: int, process: asyncio.subprocess.Process) -> bool:
    for _ in range(_READY_S * 10):
        if process.returncode is not None:
            break
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return True
    return False


def _family(pid: int) -> set[int]:
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:  # it ended meanwhile
            continue
    family = {pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return family


def _stats(pids: set[int]) -> list[list[str]]:
    stats = []
    for pid in pids:
        try:
            stats.append(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split())
        except OSError:
            continue
    return stats


def _dragoman(launch: Launch) -> list[str]:
    port, data, model = str(launch.port), str(launch.data), str(launch.model)
    return [sys.executable, "-m", "dragoman", "serve", "--port", port, "--data", data, "--model", model]


def _plain(launch: Launch) -> list[str]:
    return [sys.executable, "-m", "bench.peers.launch.plain", *_positional(launch)]


def _whisper_live(launch: Launch) -> list[str]:
    return [str(WHISPER_LIVE.python), str(_LAUNCH / "live.py"), *_positional(launch)]


def _whisper_live_kit(launch: Launch) -> list[str]:
    options = {
        "--host": "127.0.0.1",
        "--port": str(launch.port),
        "--backend": "faster-whisper",
        "--backend-policy": "localagreement",
        "--model-path": str(launch.model),
        "--language": "auto" if launch.finds_language else "en",
        "--warmup-file": "",
    }
    flat = [part for option in options.items() for part in option]
    return [str(WHISPER_LIVE_KIT.python), str(_LAUNCH / "kit.py"), str(launch.beam), *flat, "--pcm-input"]


def _positional(launch: Launch) -> list[str]:
    return [str(launch.model), str(launch.port), str(launch.beam)]


SYSTEMS: Final = (
    System("Dragoman", version("dragoman"), _dragoman, clients.dragoman, has_beam_lane=False),
    System("VAD + faster-whisper", version("faster-whisper"), _plain, clients.plain),
    System("WhisperLive", "0.10.0", _whisper_live, clients.whisper_live, environment=WHISPER_LIVE),
    System("WhisperLiveKit", "0.2.26", _whisper_live_kit, clients.whisper_live_kit, environment=WHISPER_LIVE_KIT),
)
"""Dragoman's own default is greedy, so it has no lane of beam 1."""
