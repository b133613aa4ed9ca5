"""Progress on a terminal: audio position and real-time factor; silence in a pipe."""

import sys
import time
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.text import Text

from dragoman.domain.audio import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from dragoman.runtime import Transcription


class ProgressBar:
    """Shows how far one recording is, several times a second, if standard error is a terminal."""

    def __init__(self, name: str, *, shown: bool) -> None:
        self._console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
        self._progress = _Watching(
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
        self._progress.add_task(name, total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def watch(self, transcription: "Transcription") -> None:
        """Show this recording from now on."""
        self._progress.transcription = transcription

    def say(self, message: str, style: str) -> None:
        """Print a line on standard error, above the bar."""
        self._console.print(message, style=style)


class _Watching(Progress):
    """Asks the recording how far it is whenever it is drawn."""

    transcription: "Transcription | None" = None

    def get_renderables(self) -> Iterable[RenderableType]:
        if self.transcription is not None:
            total_ms = self.transcription.duration_ms
            completed_s = self.transcription.settled_samples / SAMPLE_RATE_HZ
            for task in self.tasks:
                task.completed, task.total = completed_s, total_ms / 1000 if total_ms else None
        yield from super().get_renderables()


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
