"""Notices an engine that takes speech and says nothing about it."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import numpy as np

from dragoman.audio.pcm import to_float
from dragoman.audio.segmenter import WINDOW_SAMPLES
from dragoman.domain.audio import SAMPLE_WIDTH_BYTES, AudioFrame, to_samples
from dragoman.domain.errors import EngineSilentError
from dragoman.domain.speech import AudioInput, Heard
from dragoman.engines.ports import SpeechDetector

_SPEECH: Final = 0.5
"""From which probability on a window counts as speech that deserves an answer."""

_LOOK_S: Final = 0.5
_WINDOW_BYTES: Final = WINDOW_SAMPLES * SAMPLE_WIDTH_BYTES


@dataclass(frozen=True, slots=True)
class WatchRules:
    """An engine hangs if it was sent so much speech, and as long ago, without a word; or after the end of the audio."""

    silent_ms: int = 2_000
    silent_at_end_s: float = 5.0


class Watch:
    """Watches one attempt while it is ``on``. It listens to the audio only if the engine is silent: listening costs."""

    def __init__(self, detector: SpeechDetector, rules: WatchRules) -> None:
        self._detector = detector
        self._rules = rules
        self._unheard = bytearray()  # sent since the last answer, and not judged yet
        self._speech = 0  # samples of speech since the last answer
        self._since_s: float | None = None  # when the first audio after that was sent
        self._ended_s: float | None = None
        self._patience: asyncio.Timeout | None = None  # of who waits for the next answer

    @asynccontextmanager
    async def on(self) -> AsyncGenerator[None, None]:
        """Look after the engine from time to time."""
        looking = asyncio.create_task(self._look())
        try:
            yield
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)

    async def over(self, audio: AsyncIterator[AudioInput]) -> AsyncGenerator[AudioInput, None]:
        """Yield audio on its way to the engine."""
        async for item in audio:
            if isinstance(item, AudioFrame):
                self._unheard += item.pcm
                self._since_s = self._since_s or time.monotonic()
            yield item
        self._ended_s = time.monotonic()

    async def next(self, heard: AsyncGenerator[Heard, None]) -> Heard | None:
        """Return the next thing that the engine says; nothing at its end.

        Raises:
            EngineSilentError: if it hangs.
        """
        self._patience = patience = asyncio.timeout(None)
        try:
            async with patience:
                said = await anext(heard, None)
        except TimeoutError as error:
            if patience.expired():
                raise EngineSilentError("The engine says nothing any more about the speech it is sent.") from error
            raise
        finally:
            self._patience = None
        self._answered()
        return said

    def _answered(self) -> None:
        if self._speech:
            self._detector.reset()
        self._unheard.clear()
        self._speech, self._since_s = 0, None
        if self._ended_s is not None:
            self._ended_s = time.monotonic()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            if self._patience and self._hangs(time.monotonic()):
                self._patience.reschedule(asyncio.get_running_loop().time())
                self._patience = None  # once is enough

    def _hangs(self, now_s: float) -> bool:
        if self._ended_s is not None and now_s - self._ended_s >= self._rules.silent_at_end_s:
            return True
        if self._since_s is None or now_s - self._since_s < self._rules.silent_ms / 1000:
            return False
        whole = len(self._unheard) - len(self._unheard) % _WINDOW_BYTES
        if whole:
            windows = to_float(bytes(self._unheard[:whole])).reshape(-1, WINDOW_SAMPLES)
            del self._unheard[:whole]
            spoken = np.array(self._detector.probabilities(windows)) > _SPEECH
            self._speech += int(np.count_nonzero(spoken)) * WINDOW_SAMPLES
        return self._speech >= to_samples(self._rules.silent_ms)
