"""Question 4: how long a fresh process takes to be of use."""

import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

from bench.report import Claim, Section, Table

if TYPE_CHECKING:
    from collections.abc import Callable

_METHOD: Final = """\
Wall time of fresh processes, whose files are in the page cache. The model's load is counted inside a process, after \
the import of its libraries; all else from spawning the interpreter until it ends or has written the line in \
question."""

_LIBRARIES: Final = (
    "import dragoman.engines.whisper.model as m; from dragoman.engines.whisper.folder import WhisperOptions"
)
_LOAD: Final = """
import sys, time
{libraries}
began = time.perf_counter()
m.RightSizedWhisper(WhisperOptions(model=sys.argv[1], threads=1))
print(time.perf_counter() - began)
"""
_HELP_GOAL_S: Final = 0.3


def measure_startup(recording: Path, model: str, *, runs: int) -> Section:
    """Start each process ``runs`` times, in turn."""
    python = sys.executable
    command = [python, "-m", "dragoman", "transcribe", str(recording), "--format", "jsonl", "--quiet"]
    command += ["--model", model, "--threads", "1"]
    works: dict[str, Callable[[], float]] = {
        "python -c pass (the floor)": lambda: _until_end([python, "-c", "pass"]),
        "import dragoman": lambda: _until_end([python, "-c", "import dragoman"]),
        "dragoman --help": lambda: _until_end([str(Path(python).with_name("dragoman")), "--help"]),
        "import of the model's libraries": lambda: _until_end([python, "-c", _LIBRARIES]),
        "load of the model": lambda: _load_s(python, model),
        "dragoman transcribe, until its first event": lambda: _until_line(command, "session.started"),
        "dragoman transcribe, until its first transcript.final": lambda: _until_line(command, "transcript.final"),
    }
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(runs):
        for name, work in works.items():
            taken[name].append(work())
    rows = tuple((name, len(seconds), min(seconds), median(seconds)) for name, seconds in taken.items())
    help_s = min(taken["dragoman --help"])
    claim = Claim("dragoman --help", f"{help_s:.2f} s", f"< {_HELP_GOAL_S} s", help_s < _HELP_GOAL_S)
    return Section("4 · Start-up", _METHOD, (Table("Wall time", ("What", "Runs", "s, min", "median"), rows),), (claim,))


def _until_end(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def _load_s(python: str, model: str) -> float:
    script = _LOAD.format(libraries=_LIBRARIES)
    return float(subprocess.run([python, "-c", script, model], check=True, capture_output=True, text=True).stdout)


def _until_line(command: list[str], event: str) -> float:
    """Return the time until a line with this event, letting the process finish.

    Raises:
        RuntimeError: if it ends without one.
    """
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        seen_s = None
        for line in process.stdout:
            if seen_s is None and f'"type":"{event}"' in line:
                seen_s = time.perf_counter() - began
    if seen_s is None:
        raise RuntimeError(f"{' '.join(command)} wrote no {event}")
    return seen_s
