"""The deployments that run: started, replaced while the old ones answer, and stopped."""

import asyncio
import contextlib
import shutil
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

import httpx2

from dragoman.emulator.azureml.arm import ArmError, name_of, properties_of
from dragoman.emulator.azureml.cloud import Cloud
from dragoman.emulator.azureml.durations import seconds
from dragoman.emulator.azureml.instances import Instance
from dragoman.emulator.azureml.launching import Images, launch_of
from dragoman.emulator.azureml.leash import Leash
from dragoman.emulator.azureml.state import Json

_CONNECT_S: Final = 5.0
_MOST_TIMEOUT_S: Final = 180.0
_MOST_INSTANCES: Final = 16


@dataclass(frozen=True, slots=True)
class Limits:
    """What a deployment bears; defaults are Azure's."""

    concurrency: int = 1
    timeout_s: float = 5.0

    @classmethod
    def of(cls, deployment: Json) -> "Limits":
        """Read them.

        Raises:
            ArmError: if Azure would not take them.
        """
        told = properties_of(deployment).get("requestSettings")
        if not isinstance(told, dict):
            return cls()
        try:
            limits = cls(
                int(cast("int", told.get("maxConcurrentRequestsPerInstance") or 1)),
                seconds(str(told.get("requestTimeout") or "PT5S")),
            )
        except ValueError as error:
            raise ArmError(400, "BadArgument", f"requestSettings: {error}.") from error
        if limits.concurrency < 1 or not 0 < limits.timeout_s <= _MOST_TIMEOUT_S:
            raise ArmError(
                400, "BadArgument", "requestSettings: at least one request at once, and a timeout of at most PT3M."
            )
        return limits


@dataclass
class Running:
    """A deployment with its instances; ``slots`` are the requests that may run at once."""

    id: str
    limits: Limits
    instances: list[Instance] = field(default_factory=list)
    in_flight: int = 0
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    is_idle: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.is_idle.set()

    def enter(self) -> None:
        """Take a request in."""
        self.in_flight += 1
        self.is_idle.clear()

    def leave(self) -> None:
        """Let a request go."""
        self.in_flight -= 1
        if not self.in_flight:
            self.is_idle.set()

    @property
    def name(self) -> str:
        """The name of the deployment."""
        return name_of(self.id)

    @property
    def most(self) -> int:
        """Requests that are there at once, running and waiting: twice what runs (document)."""
        return 2 * self.limits.concurrency * len(self.instances)

    def bear(self, limits: Limits) -> None:
        """Take other limits from now on."""
        self.limits = limits
        self.slots = asyncio.Semaphore(limits.concurrency * max(1, len(self.instances)))

    def instance(self) -> Instance | None:
        """Return the instance that has least to do; ``None`` if none is well."""
        return min((each for each in self.instances if each.is_ready), key=lambda each: each.in_flight, default=None)


class Rollout:
    """All that runs, by ARM id in lower case."""

    def __init__(self, cloud: Cloud, images: Images) -> None:
        self._cloud = cloud
        self._images = images
        self._running: dict[str, Running] = {}
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)  # one change of a deployment at a time
        self._leash = Leash()
        self.client = httpx2.AsyncClient(
            trust_env=False,
            timeout=httpx2.Timeout(None, connect=_CONNECT_S),
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=32),
        )

    def get(self, id: str) -> Running | None:  # noqa: A002 - ARM's word
        """Return a deployment, if it runs."""
        return self._running.get(id.lower())

    async def roll_out(self, deployment: Json) -> None:
        """Start what a deployment asks for, and replace what ran before once that is well.

        Raises:
            ArmError: if it does not get well; then what ran before goes on.
        """
        id_ = str(deployment["id"])
        async with self._turns[id_.lower()]:
            self._cloud.found(id_)  # or it has been deleted while it waited for its turn
            await self._replace(id_, deployment)

    async def _replace(self, id_: str, deployment: Json) -> None:
        limits, count = Limits.of(deployment), capacity(deployment)
        folder = self._folder("instances", id_) / uuid.uuid4().hex
        launch = await asyncio.to_thread(launch_of, self._cloud, self._images, deployment, folder)
        log = self._folder("logs", id_)
        started = [Instance(launch, log, self.client, self._leash) for _ in range(count)]
        results = await asyncio.gather(*(each.start() for each in started), return_exceptions=True)
        if failed := [each for each in results if isinstance(each, BaseException)]:
            await asyncio.gather(*(each.stop() for each in started))
            raise failed[0]
        running = Running(id_, limits, started)
        running.bear(limits)
        before = self._running.get(id_.lower())
        self._running[id_.lower()] = running
        await _retire(before)
        self._tidy(folder)

    async def stop(self, id: str) -> None:  # noqa: A002
        """Stop a deployment, and forget its files and logs."""
        async with self._turns[id.lower()]:
            await _retire(self._running.pop(id.lower(), None))
            for kind in ("instances", "logs"):
                shutil.rmtree(self._folder(kind, id), ignore_errors=True)

    async def close(self) -> None:
        """Stop everything."""
        await asyncio.gather(*map(_stop, self._running.values()))
        await self.client.aclose()
        self._leash.close()

    def logs(self, id: str, lines: int) -> str:  # noqa: A002
        """Return the last lines that the instances of a deployment wrote."""
        folder = self._folder("logs", id)
        files = sorted(folder.glob("*.log"), key=lambda file: file.stat().st_mtime)
        written = [line for file in files for line in file.read_text("utf-8", "replace").splitlines(keepends=True)]
        return "".join(written[-lines:])

    def _folder(self, kind: str, id: str) -> Path:  # noqa: A002
        parts = id.lower().split("/")
        return self._cloud.folder / kind / parts[-3] / parts[-1]

    def _tidy(self, folder: Path) -> None:
        """Forget the files of what ran before."""
        for other in folder.parent.iterdir():
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)


def capacity(deployment: Json) -> int:
    """Return the number of instances.

    Raises:
        ArmError: if they are more than a machine should run.
    """
    sku = deployment.get("sku")
    count = sku.get("capacity", 1) if isinstance(sku, dict) else 1
    if not isinstance(count, int) or not 1 <= count <= _MOST_INSTANCES:
        raise ArmError(
            400, "OutOfQuota", f"A deployment has 1 to {_MOST_INSTANCES} instances, each a process of this machine."
        )
    return count


async def _retire(running: Running | None) -> None:
    """Stop what gets no requests any more, once it has answered those that it has; none takes longer than its time."""
    if running:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(running.is_idle.wait(), running.limits.timeout_s)
    await _stop(running)


async def _stop(running: Running | None) -> None:
    if running:
        await asyncio.gather(*(each.stop() for each in running.instances))
