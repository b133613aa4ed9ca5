"""One queue in front of the model, for all sessions: a worker thread encodes, and decodes in micro-batches."""

import asyncio
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from dragoman.domain.errors import EngineFailedError
from dragoman.engines.whisper.model import Decoded, DecodeJob, Encoded, TimedWord

R = TypeVar("R")


class SpeechModel(Protocol):
    """What is scheduled; see ``RightSizedWhisper``."""

    @property
    def can_batch(self) -> bool: ...  # noqa: D102

    def encode(self, samples: NDArray[np.float32], margin_frames: int | None = None) -> Encoded: ...  # noqa: D102

    def language_probabilities(self, encoded: Encoded) -> dict[str, float]: ...  # noqa: D102

    def generate(self, jobs: Sequence[DecodeJob]) -> list[Decoded]: ...  # noqa: D102

    def align(self, job: DecodeJob, decoded: Decoded) -> list[TimedWord]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Listening:
    """An encoded segment and, if languages were asked for, a probability per Whisper code."""

    encoded: Encoded
    languages: Mapping[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class _Decode:
    """Work that can share a batch with other decodings of the same shape."""

    job: DecodeJob
    result: "Future[Decoded]" = field(default_factory=Future)


_Work = Callable[[], None] | _Decode | None  # None is the last item


class Scheduler:
    """Serves every session of a process from one model, in the order of asking.

    Cancelling an awaiting task takes work that has not begun off the queue.
    """

    def __init__(self, model: SpeechModel, max_batch: int) -> None:
        self._model = model
        self._max_batch = max_batch if model.can_batch else 1
        self._queue: queue.SimpleQueue[_Work] = queue.SimpleQueue()
        self._held: list[_Work] = []  # taken off the queue in search of companions for a batch
        self._closed = False
        self._door = threading.Lock()  # nothing gets in behind the last item
        self._worker = threading.Thread(target=self._work, name="whisper", daemon=True)
        self._worker.start()

    async def listen(
        self, samples: NDArray[np.float32], *, identify: bool, margin_frames: int | None = None
    ) -> Listening:
        """Encode a segment, and score the languages of the model on it if ``identify``."""

        def run() -> Listening:
            encoded = self._model.encode(samples, margin_frames)
            return Listening(encoded, self._model.language_probabilities(encoded) if identify else {})

        return await self._call(run)

    async def decode(self, job: DecodeJob) -> Decoded:
        """Generate the text of an encoded segment."""
        work = _Decode(job)
        self._put(work)
        return await asyncio.wrap_future(work.result)

    async def align(self, job: DecodeJob, decoded: Decoded) -> list[TimedWord]:
        """Find the place of each word of a decoded transcript."""
        return await self._call(lambda: self._model.align(job, decoded))

    def close(self) -> None:
        """Finish what is queued and end the worker. Idempotent."""
        with self._door:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._worker.join()

    async def _call(self, run: Callable[[], R]) -> R:
        result: Future[R] = Future()

        def settle() -> None:
            if not result.set_running_or_notify_cancel():
                return
            try:
                result.set_result(run())
            except Exception as error:  # noqa: BLE001 - not swallowed: the waiting session gets it
                result.set_exception(_failure(error))

        self._put(settle)
        return await asyncio.wrap_future(result)

    def _put(self, work: _Work) -> None:
        with self._door:
            if self._closed:
                raise EngineFailedError("The engine is shut down; start a new one.")
            self._queue.put(work)

    def _work(self) -> None:
        while (work := self._held.pop(0) if self._held else self._queue.get()) is not None:
            if isinstance(work, _Decode):
                self._decode_batch([work, *self._companions(work)])
            else:
                work()

    def _companions(self, first: _Decode) -> list[_Decode]:
        """Take waiting decodings of the shape of ``first``; whatever else waits keeps its place."""
        while not self._queue.empty():
            self._held.append(self._queue.get())
        fitting = [work for work in self._held if isinstance(work, _Decode) and work.job.shape == first.job.shape]
        taken = fitting[: self._max_batch - 1]
        self._held = [work for work in self._held if work not in taken]
        return taken

    def _decode_batch(self, batch: list[_Decode]) -> None:
        running = [work for work in batch if work.result.set_running_or_notify_cancel()]
        if not running:
            return
        try:
            decoded = self._model.generate([work.job for work in running])
        except Exception as error:  # noqa: BLE001 - not swallowed: every waiting session gets it
            for work in running:
                work.result.set_exception(_failure(error))
            return
        for work, one in zip(running, decoded, strict=True):
            work.result.set_result(one)


def _failure(error: Exception) -> EngineFailedError:
    failure = EngineFailedError(f"The model failed: {error}")
    failure.__cause__ = error
    return failure
