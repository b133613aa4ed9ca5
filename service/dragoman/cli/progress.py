"""Progress on a terminal: audio position and real-time factor; silence in a pipe."""

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.text import Text

from dragoman.domain.audio import to_ms


class ProgressBar:
    """Shows how far one recording is. Every call is free of effect when standard error is no terminal."""

    def __init__(self, name: str, *, shown: bool) -> None:
        self._console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=28),
            _Position(),
            _RealTimeFactor(),
            console=self._console,
            transient=True,
            # What is written to a redirected standard output must not pass through the terminal's console.
            redirect_stdout=sys.stdout.isatty(),
            disable=not (shown and sys.stderr.isatty()),
        )
        self._task = self._progress.add_task(name, total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def update(self, settled: int, duration_ms: int | None) -> None:
        """Show that audio up to sample ``settled`` is done, of ``duration_ms`` if that is known."""
        total = duration_ms / 1000 if duration_ms else None
        self._progress.update(self._task, completed=to_ms(settled) / 1000, total=total)

    def say(self, message: str, style: str) -> None:
        """Print a line on standard error, above the bar."""
        self._console.print(message, style=style)


class _Position(ProgressColumn):
    """Audio done / audio in all."""

    def render(self, task: Task) -> Text:
        total = "" if task.total is None else f" / {_clock(task.total)}"
        return Text(f"{_clock(task.completed)}{total}", style="cyan")


class _RealTimeFactor(ProgressColumn):
    """Processing time ÷ audio time."""

    def render(self, task: Task) -> Text:
        if not task.completed or task.elapsed is None:
            return Text("")
        return Text(f"RTF {task.elapsed / task.completed:.3f}", style="green")


def _clock(seconds: float) -> str:
    return time.strftime("%H:%M:%S", time.gmtime(seconds))
