"""How far an evaluation is, on a terminal; in a pipe a line now and then."""

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from dragoman.evaluation import run


class RunBar:
    """Shows how many items are done, which one was last, and how long the rest may take."""

    def __init__(self, stage: str, total: int) -> None:
        self._console = Console(stderr=True, highlight=False, markup=False)
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[item]}", markup=False),
            console=self._console,
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._done: dict[str, int] = {}
        self._task = self._bar.add_task(stage, total=total, item="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def tell(self, progress: "run.Progress") -> None:
        """Show that an item has ended."""
        self._bar.update(self._task, completed=progress.done, total=progress.total, item=progress.item)
        if progress.failure:
            self._console.print(f"{progress.item}: {progress.failure}", style="red")

    def tell_one_of_many(self, run: str, progress: "run.Progress") -> None:
        """Show that an item of one of several runs has ended."""
        self._done[run] = progress.done
        self._bar.update(self._task, completed=sum(self._done.values()), item=f"{run}: {progress.item}")
        if progress.failure:
            self._console.print(f"{run}: {progress.item}: {progress.failure}", style="red")

    def pause(self) -> None:
        """Make room on the terminal."""
        self._bar.stop()

    def go_on(self) -> None:
        """Take it again."""
        self._bar.start()
