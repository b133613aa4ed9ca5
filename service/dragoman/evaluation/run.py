"""Runs a candidate over a dataset and keeps every result: a run that was killed goes on where it stopped."""

import asyncio
import hashlib
import json
import os
import resource
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from dragoman.domain.errors import DragomanError, EvaluationFailedError, EvaluationMixedError, engine_failure
from dragoman.evaluation.metrics.speed import Yardstick, measure

_RUN: Final = "run.json"
_RESULTS: Final = "results"


class Named(Protocol):
    """An item of a dataset."""

    @property
    def id(self) -> str:
        """What it is called; unique in its dataset."""
        ...


ItemT = TypeVar("ItemT", bound=Named)


Trial = Callable[[ItemT], AsyncGenerator[str, None]]
"""What a candidate does with one item: lines of JSON come out, in order; an error is the item's failure."""


class Result(BaseModel):
    """What came out of one item, or why nothing did, and what it took.

    ``cpu_s`` is the processor time of the whole process between this item's end and that of the item before it: of one
    item it says little, of all of them it is exact. The yardstick is what the machine took for a known piece of work.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    item: str
    lines: tuple[str, ...]
    failure: str | None = None
    began_s: float
    wall_s: float
    cpu_s: float
    yardstick: Yardstick


@dataclass(frozen=True)
class Progress:
    """How far a run is, and what it was that ended last."""

    done: int
    total: int
    item: str
    failure: str | None


class Run(Generic[ItemT]):
    """A run in a folder of its own. ``identity`` is what makes two runs the same: dataset, candidate, wishes.

    Raises:
        EvaluationMixedError: if the folder holds another run.
    """

    def __init__(self, folder: Path, identity: dict[str, JsonValue], *, afresh: bool = False) -> None:
        self._results = folder / _RESULTS
        self._results.mkdir(parents=True, exist_ok=True)
        if afresh:
            for file in self._results.iterdir():
                file.unlink()
        file = folder / _RUN
        text = json.dumps(identity, indent=2, sort_keys=True)
        if file.exists() and not afresh and file.read_text(encoding="utf-8") != text:
            raise EvaluationMixedError(
                f"'{folder}' holds a run of something else ({_first_difference(file, identity)} differs); "
                "choose another --output, or start over with --afresh."
            )
        _write_whole(file, text)

    def done(self, items: Sequence[ItemT]) -> list[Result]:
        """Return the results that are there, in the order of the items."""
        return [found for item in items if (found := self._read(item)) is not None]

    async def go(
        self, items: Sequence[ItemT], trial: Trial[ItemT], jobs: int, tell: Callable[[Progress], None]
    ) -> list[Result]:
        """Run what is not done yet, ``jobs`` items at once; return all results, in the order of the items.

        An item that fails is a result too. Cancelled, or killed, it loses what is under way and nothing else.

        Raises:
            EvaluationFailedError: if results cannot be written.
        """
        done = len(self.done(items))
        waiting = iter([item for item in items if self._read(item) is None])
        meter = _Meter()

        async def work() -> None:
            nonlocal done
            for item in waiting:
                result = await self._try(item, trial, meter)
                await asyncio.to_thread(_write_whole, self._file(item), result.model_dump_json())
                done += 1
                tell(Progress(done, len(items), item.id, result.failure))

        try:
            async with asyncio.TaskGroup() as tasks:
                for _ in range(jobs):
                    tasks.create_task(work())
        except ExceptionGroup as errors:  # an item's own error is a result; these are of the disk
            raise EvaluationFailedError(
                f"Results cannot be kept in '{self._results}': {errors.exceptions[0]}; what is there stays."
            ) from errors
        return self.done(items)

    async def _try(self, item: ItemT, trial: Trial[ItemT], meter: "_Meter") -> Result:
        yardstick = await asyncio.to_thread(measure)
        began_s, lines, failure = time.time(), list[str](), None
        clock_s = time.perf_counter()
        try:
            async with aclosing(trial(item)) as coming:
                async for line in coming:
                    lines.append(line)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong is this item's failure, and not the run's
            failure = _told(error)
        return Result(
            item=item.id,
            lines=tuple(lines),
            failure=failure,
            began_s=began_s,
            wall_s=time.perf_counter() - clock_s,
            cpu_s=meter.lap(),
            yardstick=yardstick,
        )

    def _read(self, item: ItemT) -> Result | None:
        try:
            return Result.model_validate_json(self._file(item).read_bytes())
        except (FileNotFoundError, ValidationError):  # not run yet, or by another version
            return None

    def _file(self, item: ItemT) -> Path:
        return self._results / f"{hashlib.sha256(item.id.encode()).hexdigest()[:24]}.json"


class _Meter:
    """Reads the processor time of the process and of its children that have ended."""

    def __init__(self) -> None:
        self._before_s = self._now_s()

    def lap(self) -> float:
        """Return what was used since the last call."""
        before_s, self._before_s = self._before_s, self._now_s()
        return self._before_s - before_s

    @staticmethod
    def _now_s() -> float:
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(each.ru_utime + each.ru_stime for each in used)


def _told(error: Exception) -> str:
    told = error if isinstance(error, DragomanError) else engine_failure(error)
    return f"{told.code}: {told}"


def _first_difference(file: Path, identity: dict[str, JsonValue]) -> str:
    try:
        before = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        return "everything"
    return next((name for name in identity if before.get(name) != identity[name]), "something")


def _write_whole(file: Path, text: str) -> None:
    """Write a file so that it is there as a whole or not at all."""
    part = file.with_suffix(".part")
    with part.open("w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    part.replace(file)
