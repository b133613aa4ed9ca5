"""One queue in front of the model, for all sessions: workers encode, and decode in micro-batches, what is due first."""

import asyncio
import heapq
import itertools
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from dragoman.domain.errors import EngineFailedError
from dragoman.engines.whisper.beats import Beats
from dragoman.engines.whisper.model import Decoded, DecodeJob, Encoded, TimedWord

R = TypeVar("R")

_DELAY_FADES_S: Final = 10.0

_FILE_DECODES_S: Final = 2.0
"""How much longer texts of files wait than their encodings, so that many of one shape meet in a batch."""


class Urgency(Enum):
    """How long work may wait behind other work, in seconds: what was asked for later goes first if it is due before.

    So no final waits for a partial, and a file does not wait for ever.
    """

    FINAL = 0.0
    EARLY = 0.25
    """Of an utterance that will have ended when the silence has lasted as much longer (``EndpointRules``)."""
    PARTIAL = 1.0
    FILE = 3.0


_OF_FINALS: Final = (Urgency.FINAL, Urgency.EARLY)


class OvertakenError(Exception):
    """A partial waited so long that there is something newer to show."""


class SpeechModel(Protocol):
    """What is scheduled; see ``RightSizedWhisper``. Its methods are called by several threads at once."""

    @property
    def can_batch(self) -> bool: ...  # noqa: D102

    def encode(  # noqa: D102
        self, samples: NDArray[np.float32], margin_frames: int | None = None, *, shared: bool = False
    ) -> Encoded: ...

    def language_probabilities(self, encoded: Encoded) -> dict[str, float]: ...  # noqa: D102

    def generate(self, jobs: Sequence[DecodeJob]) -> list[Decoded]: ...  # noqa: D102

    def align(self, job: DecodeJob, decoded: Decoded) -> list[TimedWord]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Listening:
    """An encoded segment and, if languages were asked for, a probability per Whisper code."""

    encoded: Encoded
    languages: Mapping[str, float]


class _Waiting(Protocol):
    """Work in the queue, whatever it returns."""

    due_s: float
    urgency: Urgency

    def begin(self, now_s: float) -> bool: ...

    def finish(self) -> None: ...


@dataclass(slots=True, eq=False)
class _Work(Generic[R]):
    """Something to run, and where its result goes."""

    due_s: float
    urgency: Urgency
    run: Callable[[], R]
    begun: threading.Event = field(default_factory=threading.Event)
    result: "Future[R]" = field(default_factory=Future, init=False)

    def begin(self, now_s: float) -> bool:
        """Return whether to run it: not if nobody waits for it, or if it came too late."""
        if not self.result.set_running_or_notify_cancel():
            return False
        if self.urgency is Urgency.PARTIAL and now_s > self.due_s:
            self.result.set_exception(OvertakenError())
            return False
        self.begun.set()
        return True

    def finish(self) -> None:
        """Run it."""
        try:
            self.result.set_result(self.run())
        except Exception as error:  # noqa: BLE001 - not swallowed: the waiting session gets it
            self.result.set_exception(_failure(error))


@dataclass(slots=True, eq=False)
class _Decode(_Work[Decoded]):
    """Work that can share a batch with other decodings of the same shape."""

    job: DecodeJob = field(kw_only=True)


class Scheduler:
    """Serves every session of a process from one model; what is due first goes first.

    Cancelling an awaiting task takes work that has not begun off the queue.
    """

    def __init__(self, model: SpeechModel, max_batch: int, workers: int = 1) -> None:
        self._model = model
        self._max_batch = max_batch if model.can_batch else 1
        self._queue: list[tuple[float, int, _Waiting]] = []  # a heap
        self._beats: Beats[_Waiting] = Beats()  # what is only to be shown, for its time
        self._count = itertools.count()
        self._closed = False
        self._delay_s, self._delayed_at_s = 0.0, time.monotonic()
        self._changed = threading.Condition()
        self._workers = [threading.Thread(target=self._work, name="whisper", daemon=True) for _ in range(workers)]
        for worker in self._workers:
            worker.start()

    @property
    def delay_s(self) -> float:
        """How late, in seconds, finals began of late: the longest delay, forgotten in 10 seconds or so."""
        with self._changed:
            now_s = time.monotonic()
            waiting = (now_s - work.due_s for _, _, work in self._queue if work.urgency in _OF_FINALS)
            return max(self._faded_delay_s(now_s), max(waiting, default=0.0))

    async def listen(
        self,
        samples: NDArray[np.float32],
        urgency: Urgency,
        *,
        identify: bool,
        margin_frames: int | None = None,
        begun: threading.Event | None = None,
    ) -> Listening:
        """Encode a segment, and score the languages of the model on it if ``identify``; ``begun`` is set meanwhile.

        Raises:
            EngineFailedError: if the model fails.
            OvertakenError: if it was only to be shown, and too much else came first.
        """

        def run() -> Listening:
            encoded = self._model.encode(samples, margin_frames, shared=urgency is Urgency.PARTIAL)
            return Listening(encoded, self._model.language_probabilities(encoded) if identify else {})

        return await self._done(_Work(_due_s(urgency), urgency, run, begun or threading.Event()))

    async def decode(self, job: DecodeJob, urgency: Urgency) -> Decoded:
        """Generate the text of an encoded segment; raises as ``listen``."""
        due_s = _due_s(urgency) + (_FILE_DECODES_S if urgency is Urgency.FILE else 0.0)
        return await self._done(_Decode(due_s, urgency, lambda: self._model.generate([job])[0], job=job))

    async def align(self, job: DecodeJob, decoded: Decoded, urgency: Urgency) -> list[TimedWord]:
        """Find the place of each word of a decoded transcript; raises as ``listen``."""
        return await self._done(_Work(_due_s(urgency), urgency, lambda: self._model.align(job, decoded)))

    def close(self) -> None:
        """Finish what is queued and end the workers. Idempotent."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for worker in self._workers:
            worker.join()

    async def _done(self, work: _Work[R]) -> R:
        with self._changed:
            if self._closed:
                raise EngineFailedError("The engine is shut down; start a new one.")
            if work.urgency is not Urgency.PARTIAL:
                self._push(work)
            elif isinstance(work, _Decode):
                self._beats.add_text(work)
            else:
                self._beats.add_sound(work)
            self._changed.notify()
        return await asyncio.wrap_future(work.result)

    def _work(self) -> None:
        while batch := self._next():
            began_s = time.monotonic()
            if len(batch) == 1:
                batch[0].finish()
            else:
                self._decode([work for work in batch if isinstance(work, _Decode)])
            if batch[0].urgency is Urgency.PARTIAL:
                self._done_partial(batch[0], began_s)

    def _next(self) -> list[_Waiting]:
        """Wait for work, and return what is due first with its companions; nothing when all is over."""
        with self._changed:
            while True:
                now_s = time.monotonic()
                self._let_in(now_s)
                if not self._queue:
                    if self._closed:
                        return []
                    wake_s = self._beats.wake_s
                    self._changed.wait(None if wake_s is None else wake_s - now_s)
                    continue
                _, _, first = heapq.heappop(self._queue)
                if not first.begin(now_s):
                    if first.urgency is Urgency.PARTIAL and not isinstance(first, _Decode):
                        self._beats.sound_done(now_s, encoded=False)
                    continue
                if first.urgency in _OF_FINALS:
                    self._delay_s, self._delayed_at_s = max(self._faded_delay_s(now_s), now_s - first.due_s), now_s
                return [first, *self._companions(first, now_s)] if isinstance(first, _Decode) else [first]

    def _let_in(self, now_s: float) -> None:
        """Let into the queue what waited for its beat."""
        for work in self._beats.sounds(now_s, closed=self._closed):
            work.due_s = now_s + Urgency.PARTIAL.value
            self._push(work)
        for work in self._beats.texts(now_s, closed=self._closed):
            self._push(work)

    def _push(self, work: _Waiting) -> None:
        heapq.heappush(self._queue, (work.due_s, next(self._count), work))
        self._changed.notify()

    def _done_partial(self, work: _Waiting, began_s: float) -> None:
        with self._changed:
            now_s = time.monotonic()
            self._beats.worked(now_s - began_s)
            if not isinstance(work, _Decode):
                self._beats.sound_done(now_s, encoded=True)
                self._changed.notify()

    def _companions(self, first: _Decode, now_s: float) -> list[_Decode]:
        """Take waiting decodings of the shape of ``first``, what is due first before others."""
        taken: list[_Decode] = []
        kept = []
        for entry in sorted(self._queue):
            work = entry[2]
            if len(taken) < self._max_batch - 1 and isinstance(work, _Decode) and work.job.shape == first.job.shape:
                if work.begin(now_s):
                    taken.append(work)
            else:
                kept.append(entry)
        self._queue = kept  # sorted, so a heap
        return taken

    def _decode(self, batch: list[_Decode]) -> None:
        try:
            decoded = self._model.generate([work.job for work in batch])
        except Exception as error:  # noqa: BLE001 - not swallowed: every waiting session gets it
            for work in batch:
                work.result.set_exception(_failure(error))
            return
        for work, one in zip(batch, decoded, strict=True):
            work.result.set_result(one)

    def _faded_delay_s(self, now_s: float) -> float:
        return self._delay_s * math.exp((self._delayed_at_s - now_s) / _DELAY_FADES_S)


def _due_s(urgency: Urgency) -> float:
    return time.monotonic() + urgency.value


def _failure(error: Exception) -> EngineFailedError:
    failure = EngineFailedError(f"The model failed: {error}")
    failure.__cause__ = error
    return failure
