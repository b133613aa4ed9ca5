"""A sample count that only rises, and those who wait for it."""

import asyncio
import threading
from concurrent.futures import Future

from dragoman.domain.errors import DragomanError


class Mark:
    """Rises on any thread; tasks of any event loop wait for it."""

    def __init__(self, samples: int) -> None:
        self._samples = samples
        self._end: DragomanError | None = None
        self._waiting: list[tuple[int, Future[int]]] = []
        self._lock = threading.Lock()

    @property
    def samples(self) -> int:
        """Where it stands."""
        return self._samples

    @property
    def end(self) -> DragomanError | None:
        """Why it will not rise any more, if that is so: a new exception each time, since each may be raised."""
        return self._end and type(self._end)(*self._end.args)

    def rise(self, samples: int) -> None:
        """Move up to ``samples``."""
        with self._lock:
            self._samples = samples
            self._settle()

    def stop(self, reason: DragomanError) -> None:
        """Say that it will not rise any more; the first reason counts."""
        with self._lock:
            self._end = self._end or reason
            self._settle()

    async def reached(self, samples: int) -> int:
        """Wait until it stands at ``samples`` or above; return where it stands.

        Raises:
            DragomanError: the reason of ``stop``.
        """
        reached: Future[int] = Future()
        with self._lock:
            self._waiting.append((samples, reached))
            self._settle()
        return await asyncio.wrap_future(reached)

    def _settle(self) -> None:
        waiting, self._waiting = self._waiting, []
        for samples, reached in waiting:
            if samples > self._samples and self._end is None:
                if not reached.cancelled():
                    self._waiting.append((samples, reached))
            elif reached.set_running_or_notify_cancel():
                if samples <= self._samples:
                    reached.set_result(self._samples)
                else:
                    reached.set_exception(self.end)
