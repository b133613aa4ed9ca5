"""The floor under a live stream: the model's own work for the same tokens, features and voice activity detection.

Streams run through the engine in real time while every call of the model and the detector is noted; then the calls are
made again, one after another, with nothing around them. What a server takes beyond that is its own.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.machine import ONE_THREAD
from bench.peers.audio import Speech, speeches
from dragoman.domain.audio import SAMPLE_WIDTH_BYTES, AudioFrame, to_samples
from dragoman.domain.language import LidMode, parse_candidates
from dragoman.domain.speech import TranscriptionRequest
from dragoman.engines.whisper.detector import SileroDetector
from dragoman.engines.whisper.folder import WhisperOptions
from dragoman.engines.whisper.model import Decoded, DecodeJob, Encoded, RightSizedWhisper
from dragoman.engines.whisper.scheduler import Scheduler
from dragoman.engines.whisper.transcriber import WhisperTranscriber

_FRAME_SAMPLES: Final = to_samples(100)
_STAGGER_S: Final = 0.7
_ROUNDS: Final = 3


@dataclass(frozen=True, slots=True)
class Floor:
    """Processor seconds for so many streams, least of several rounds.

    ``live_s`` is what the stream itself took, but for the event loop's thread: back to back, the same calls find the
    model's weights in the caches.
    """

    streams: int
    encode_s: float
    decode_s: float
    vad_s: float
    live_s: float | None = None

    @property
    def all_s(self) -> float:
        """Return their sum."""
        return self.encode_s + self.decode_s + self.vad_s


class _NotedModel(RightSizedWhisper):
    """Notes what it is asked for, features included."""

    def __init__(self, options: WhisperOptions) -> None:
        super().__init__(options)
        self.encodings: list[tuple[NDArray[np.float32], int | None, bool]] = []
        self.batches: list[list[DecodeJob]] = []

    def encode(
        self, samples: NDArray[np.float32], margin_frames: int | None = None, *, shared: bool = False
    ) -> Encoded:
        self.encodings.append((samples, margin_frames, shared))
        return super().encode(samples, margin_frames, shared=shared)

    def generate(self, jobs: Sequence[DecodeJob]) -> list[Decoded]:
        self.batches.append(list(jobs))
        return super().generate(jobs)


class _NotedDetector(SileroDetector):
    """Notes what it hears."""

    heard: list[NDArray[np.float32]]

    def probabilities(self, windows: NDArray[np.float32]) -> list[float]:
        self.heard.append(windows.copy())
        return super().probabilities(windows)


def measure_floor(folder: Path) -> Floor:
    """Measure with a model's folder, in a process of its own."""
    command = [sys.executable, "-m", "bench.peers.floor", str(folder)]
    return Floor(**json.loads(subprocess.check_output(command, env={**os.environ, **ONE_THREAD})))


def _measure(folder: str) -> Floor:
    """Run the four speeches at once, in real time, and then their calls again."""
    spoken = speeches()
    options = WhisperOptions(folder)
    model = _NotedModel(options)
    _NotedDetector.heard = []
    cpu_s, loop_s = time.process_time(), time.thread_time()
    asyncio.run(_stream_all(model, options, spoken))
    live_s = time.process_time() - cpu_s - (time.thread_time() - loop_s)
    encodings, batches, detector = list(model.encodings), list(model.batches), SileroDetector()
    return Floor(
        streams=len(spoken),
        live_s=live_s,
        encode_s=_least(lambda: [model.encode(one, margin, shared=shared) for one, margin, shared in encodings]),
        decode_s=_least(lambda: [model.generate(jobs) for jobs in batches]),
        vad_s=_least(lambda: [detector.probabilities(windows) for windows in _NotedDetector.heard]),
    )


async def _stream_all(model: RightSizedWhisper, options: WhisperOptions, speeches: Sequence[Speech]) -> None:
    scheduler = Scheduler(model, options.max_batch, model.workers)
    transcriber = WhisperTranscriber(model, scheduler, detector=_NotedDetector)

    async def one(number: int, speech: Speech) -> None:
        await asyncio.sleep(number * _STAGGER_S)
        assert speech.locale
        only = parse_candidates([speech.locale], LidMode.CONTINUOUS)
        async for _ in transcriber.transcribe(_paced(speech), TranscriptionRequest(only, live=True, partials=True)):
            pass

    await asyncio.gather(*(one(number, speech) for number, speech in enumerate(speeches)))
    scheduler.close()


async def _paced(speech: Speech) -> AsyncIterator[AudioFrame]:
    began_s = time.monotonic()
    for start in range(0, len(speech.pcm) // SAMPLE_WIDTH_BYTES, _FRAME_SAMPLES):
        pcm = speech.pcm[start * SAMPLE_WIDTH_BYTES : (start + _FRAME_SAMPLES) * SAMPLE_WIDTH_BYTES]
        await asyncio.sleep(began_s + (start + _FRAME_SAMPLES) / to_samples(1_000) - time.monotonic())
        yield AudioFrame(start, pcm)


def _least(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(_ROUNDS):
        began_s = time.process_time()
        work()
        taken.append(time.process_time() - began_s)
    return min(taken)


if __name__ == "__main__":
    print(json.dumps(asdict(_measure(sys.argv[1]))))
