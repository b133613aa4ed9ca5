"""An instance of a deployment: a process with a port of its own, which is probed, and started again if it dies."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx2

from dragoman.emulator.azureml.arm import ArmError
from dragoman.emulator.azureml.leash import Leash

_INHERITED: Final = ("PATH", "HOME", "LANG", "LC_ALL", "PYTHONPATH", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "SYSTEMROOT")
"""All that a process gets of the emulator's own environment: a container would get nothing at all."""

_PROBE_S: Final = 0.05
_STOP_S: Final = 5.0
_REST_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Probe:
    """How Azure ML looks after a container; times in seconds."""

    path: str
    initial_delay_s: float = 10.0
    period_s: float = 10.0
    timeout_s: float = 2.0
    failures: int = 30

    @property
    def limit_s(self) -> float:
        """How long a container may take until it is first well."""
        return self.initial_delay_s + self.period_s * self.failures


@dataclass(frozen=True, slots=True)
class Launch:
    """What is run: ``{port}`` in a command becomes the port, and ``$NAME`` what the environment holds by that name."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    score_path: str
    liveness: Probe
    readiness: Probe

    def at(self, port: int) -> list[str]:
        """Return the command for a port."""
        return [
            re.sub(r"\$(\w+)", lambda found: self.environment.get(found[1], ""), part).replace("{port}", str(port))
            for part in self.command
        ]


class Instance:
    """One process at a time; ``log`` is where all it writes goes."""

    def __init__(self, launch: Launch, log: Path, client: httpx2.AsyncClient, leash: Leash) -> None:
        self.id = uuid.uuid4().hex
        self.launch = launch
        self.in_flight = 0
        self.is_ready = False
        self._log = log / f"{self.id}.log"
        self._client = client
        self._leash = leash
        self._port = 0
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Start, and return once the process is well.

        Raises:
            ArmError: if it ends before, or takes too long.
        """
        await self._spawn()
        try:
            async with asyncio.timeout(self.launch.readiness.limit_s):
                await self._wait_until_ready()
        except TimeoutError:
            await self.stop()
            raise ArmError(
                400,
                "ResourceNotReady",
                f"The container did not answer {self.launch.readiness.path} in {self.launch.readiness.limit_s:g} s.",
            ) from None
        except BaseException:
            await self.stop()
            raise
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Stop the process, and wait until it has ended."""
        self.is_ready = False
        keeper, self._keeper = self._keeper, None
        if keeper and keeper is not asyncio.current_task():
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
        await self._end()

    async def _spawn(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        own = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        self._log.parent.mkdir(parents=True, exist_ok=True)
        command = self.launch.at(self._port)
        with self._log.open("ab") as log:
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *command,
                    cwd=self.launch.folder,
                    env=own | {"PYTHONUNBUFFERED": "1"} | dict(self.launch.environment),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=asyncio.subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                raise ArmError(400, "ImageBuildFailure", f"The image's command cannot be run: {error}.") from error
        self._leash.hold(self._process.pid)

    async def _wait_until_ready(self) -> None:
        assert self._process
        while self._process.returncode is None:
            if await self._is_well(self.launch.readiness):
                self.is_ready = True
                return
            await asyncio.sleep(_PROBE_S)
        raise ArmError(
            400,
            "ResourceNotReady",
            f"User container has crashed or terminated, with exit code {self._process.returncode}; see its logs.",
        )

    async def _is_well(self, probe: Probe) -> bool:
        try:
            answer = await self._client.get(f"{self.url}{probe.path}", timeout=probe.timeout_s)
        except httpx2.HTTPError:
            return False
        return answer.is_success

    async def _keep(self) -> None:
        """Start the process again when it has ended, or is not well for long."""
        failures = 0
        while True:
            assert self._process
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), self.launch.liveness.period_s)
            if self._process.returncode is None:
                failures = 0 if await self._is_well(self.launch.liveness) else failures + 1
            if self._process.returncode is None and failures < self.launch.liveness.failures:
                continue
            failures, self.is_ready = 0, False
            await self._end()
            with self._log.open("a", encoding="utf-8") as log:
                log.write(f"The container has ended with exit code {self._process.returncode}; it is started again.\n")
            await asyncio.sleep(_REST_S)
            with contextlib.suppress(ArmError):
                await self._spawn()
                await self._wait_until_ready()

    async def _end(self) -> None:
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            _signal(process.pid, signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), _STOP_S)
        _signal(process.pid, signal.SIGKILL)  # and whatever it has started itself
        await process.wait()
        self._leash.release(process.pid)


def _signal(group: int, which: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, which)
