"""A file → what is heard in it: decoded in the jail, looked at block by block, never whole in memory."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dragoman.audio.decode import AudioInfo, open_audio
from dragoman.audio.pcm import to_float
from dragoman.datasets.dataset import Dataset
from dragoman.datasets.fingerprint import LONGEST_SAMPLES, Print, fingerprint
from dragoman.datasets.items import RecordingItem
from dragoman.datasets.quality import (
    WINDOW_SAMPLES,
    Quality,
    Windows,
    count_clipped,
    judge,
    window_powers,
    worst,
)
from dragoman.domain.audio import AudioFrame, to_ms
from dragoman.domain.errors import DragomanError
from dragoman.engines.ports import SpeechDetector

_BLOCK_SAMPLES: Final = 128 * WINDOW_SAMPLES
_AUDIBLE: Final = 0.003
_MOST_CHANNELS: Final = 8
_AT_ONCE: Final = min(4, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What was heard in a recording."""

    info: AudioInfo
    duration_ms: int
    quality: Quality
    print: Print


@dataclass(frozen=True, slots=True)
class Unheard:
    """A recording that cannot be decoded, and why."""

    why: str


async def measure(path: Path, make_detector: Callable[[], SpeechDetector]) -> Measured:
    """Return what is heard in a recording; of several channels each is listened to by itself, too.

    Raises:
        DragomanError: if it cannot be decoded.
    """
    meter = Meter(make_detector())
    info = await _hear(path, meter, None)
    quality = judge(meter.windows())
    if info.channels > 1:
        each = []
        for channel in range(min(info.channels, _MOST_CHANNELS)):
            alone = Meter(make_detector())
            await _hear(path, alone, channel)
            each.append(judge(alone.windows()))
        quality = worst(quality, tuple(each))
    return Measured(info, to_ms(meter.samples), quality, meter.print())


async def measure_all(
    dataset: Dataset, make_detector: Callable[[], SpeechDetector], on_done: Callable[[str], None] = lambda _: None
) -> dict[str, Measured | Unheard]:
    """Return what is heard in every recording of a dataset, by id, in the order of the manifest.

    ``on_done`` hears of each. One that cannot be heard does not stop the others.
    """
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(item: RecordingItem) -> Measured | Unheard:
        async with turns:
            try:
                return await measure(dataset.path(item), make_detector)
            except DragomanError as error:
                return Unheard(str(error))
            finally:
                on_done(item.id)

    found = await asyncio.gather(*map(one, dataset.recordings))
    return {item.id: measured for item, measured in zip(dataset.recordings, found, strict=True)}


class Meter:
    """Looks at samples as they come. An hour takes it 2 MB, and the first audible minute 4."""

    def __init__(self, detector: SpeechDetector) -> None:
        self._detector = detector
        self._powers: list[NDArray[np.float64]] = []
        self._speech: list[float] = []
        self._beginning: list[NDArray[np.float32]] = []
        self._beginning_samples = 0
        self._left = np.zeros(0, np.float32)
        self._peak = 0.0
        self._clipped = 0
        self.samples = 0

    def feed(self, samples: NDArray[np.float32]) -> None:
        """Take the next samples, shape ``(samples,)``, any number."""
        self.samples += samples.size
        together = np.concatenate([self._left, samples])
        whole = together.size - together.size % _BLOCK_SAMPLES
        for start in range(0, whole, _BLOCK_SAMPLES):
            self._look(together[start : start + _BLOCK_SAMPLES])
        self._left = together[whole:]

    def windows(self) -> Windows:
        """Return what was seen. Nothing may be fed after that."""
        self._look(self._left)
        self._left = self._left[:0]
        power = np.concatenate(self._powers) if self._powers else np.zeros(0)
        return Windows(power, np.array(self._speech), self._peak, self._clipped, self.samples)

    def print(self) -> Print:
        """Return the fingerprint of the first minute that begins with something audible."""
        return fingerprint(np.concatenate([*self._beginning, np.zeros(0, np.float32)]))

    def _look(self, block: NDArray[np.float32]) -> None:
        if not block.size:
            return
        self._peak = max(self._peak, float(np.abs(block).max()))
        self._clipped += count_clipped(block)
        self._remember(block)
        # The last window of a recording is filled up with silence, which must not make it quieter.
        missing = -block.size % WINDOW_SAMPLES
        filled = np.pad(block, (0, missing)).reshape(-1, WINDOW_SAMPLES)
        powers = window_powers(filled)
        powers[-1] *= WINDOW_SAMPLES / (WINDOW_SAMPLES - missing)
        self._powers.append(powers)
        self._speech += self._detector.probabilities(filled)

    def _remember(self, block: NDArray[np.float32]) -> None:
        if not self._beginning:
            audible = np.flatnonzero(np.abs(block) >= _AUDIBLE)
            block = block[audible[0] :] if audible.size else block[:0]
        if block.size and self._beginning_samples < LONGEST_SAMPLES:
            self._beginning.append(block.copy())
            self._beginning_samples += block.size


async def _hear(path: Path, meter: Meter, channel: int | None) -> AudioInfo:
    async with open_audio(path, channel=channel) as audio:
        async for heard in audio:
            if isinstance(heard, AudioFrame):
                meter.feed(to_float(heard.pcm))
        return audio.info
