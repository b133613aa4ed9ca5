"""What the figures were measured on, and with which stopwatch."""

import os
import platform
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final, TypeVar

T = TypeVar("T")

ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""Environment that libraries read when they are loaded, so it must be set before any import of them."""

_PACKAGES: Final = ("ctranslate2", "dragoman", "faster-whisper", "jiwer", "numpy", "onnxruntime")
_TICK_S: Final = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a piece of work took. ``cpu_s`` counts user and system time of all threads and all child processes."""

    cpu_s: float
    wall_s: float


def measure(work: Callable[[], T]) -> tuple[T, Cost]:
    """Return what ``work`` returns, and its cost.

    Living children (our decoder's process) are read from ``/proc``, where there is one, in ticks of 10 ms; this
    process is exact to the microsecond.
    """
    children_s = _children_cpu_s()
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    result = work()
    cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
    return result, Cost(cpu_s + _children_cpu_s() - children_s, wall_s)


def load_average() -> str:
    """Return the load of the last 1, 5 and 15 minutes."""
    return " ".join(f"{load:.2f}" for load in os.getloadavg())


def describe() -> dict[str, str]:
    """Return the machine and the versions that matter."""
    return {
        "CPU": _cpu_model(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        **{package: version(package) for package in _PACKAGES},
    }


def _children_cpu_s() -> float:
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime + _living_children_cpu_s()


def _living_children_cpu_s() -> float:
    """Sum over all descendants, including their own children that ended."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text().rpartition(")")[2].split()  # a process may have any name; proc_pid_stat(5)
        except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            continue
        pid = int(file.parent.name)
        parents[pid], ticks[pid] = int(fields[1]), sum(int(field) for field in fields[11:15])
    family = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return _TICK_S * sum(ticks.get(pid, 0) for pid in family - {os.getpid()})


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except FileNotFoundError:
        return platform.processor() or "unknown"
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "unknown")
