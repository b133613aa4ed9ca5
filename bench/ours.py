"""Dragoman as the measurements use it: the product's own path, watched but not changed."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from dragoman.audio.segmenter import EndpointRules
from dragoman.domain.audio import AudioFrame, to_samples
from dragoman.domain.events import DurableEvent
from dragoman.domain.language import LidMode, Locale
from dragoman.domain.speech import AudioInput, Heard, Hypothesis, Notice, TranscriptionRequest
from dragoman.engines.ports import SpeechDetector
from dragoman.engines.whisper.detector import SileroDetector
from dragoman.engines.whisper.folder import WhisperOptions
from dragoman.engines.whisper.model import FULL_WINDOW_FRAMES, RightSizedWhisper
from dragoman.engines.whisper.scheduler import Listening, Scheduler, Urgency
from dragoman.engines.whisper.transcriber import TranscriberRules, WhisperTranscriber
from dragoman.runtime import Recording, Runtime, Wishes
from dragoman.settings import Settings

T = TypeVar("T")

LOCALES: Final = (Locale("en-US"), Locale("es-ES"), Locale("de-DE"), Locale("fr-FR"))
"""The candidates of language identification: the languages of the samples."""

_FRAME_SAMPLES: Final = to_samples(100)


class CountingScheduler(Scheduler):
    """Counts how often a doubted text was decoded again in another window, and in the full one."""

    windows_again = 0
    full_windows = 0

    async def listen(
        self,
        samples: NDArray[np.float32],
        urgency: Urgency,
        *,
        identify: bool,
        margin_frames: int | None = None,
        begun: threading.Event | None = None,
    ) -> Listening:
        """Listen as the product does."""
        self.windows_again += margin_frames is not None
        self.full_windows += margin_frames == FULL_WINDOW_FRAMES
        return await super().listen(samples, urgency, identify=identify, margin_frames=margin_frames, begun=begun)


class StreamLane:
    """Audio in frames of 100 ms → VAD → LID → decoding → guards: what a stream or file goes through after decoding."""

    def __init__(
        self,
        model: str,
        endpoint: EndpointRules | None = None,
        detector: Callable[[], SpeechDetector] = SileroDetector,
    ) -> None:
        options = WhisperOptions(model=model, threads=1)
        whisper = RightSizedWhisper(options)
        self.scheduler = CountingScheduler(whisper, options.max_batch)
        self.suppressed = 0
        rules = TranscriberRules(endpoint=endpoint or EndpointRules())
        self._transcriber = WhisperTranscriber(whisper, self.scheduler, rules, detector)
        self._loop = asyncio.Runner()

    def close(self) -> None:
        """End the engine's thread and the event loop."""
        self.scheduler.close()
        self._loop.close()

    def transcribe(self, pcm: bytes) -> tuple[str, str]:
        """Return the text, and the language of the first utterance; both are empty when no speech was found."""
        heard = self.hear(pcm, LidMode.CONTINUOUS)
        self.suppressed += sum(isinstance(item, Notice) for item in heard)
        utterances = [item for item in heard if isinstance(item, Hypothesis)]
        return " ".join(item.text for item in utterances), utterances[0].locale if utterances else ""

    def hear(self, pcm: bytes, lid: LidMode) -> list[Heard]:
        """Return everything that the transcriber says about a stream."""
        request = TranscriptionRequest(LOCALES, lid)
        return self._loop.run(_collect(lambda: self._transcriber.transcribe(_frames(pcm), request)))


class FileLane:
    """A path → the events of its session, through the ``Runtime`` that the command and the service use."""

    def __init__(self, model: str) -> None:
        self._runtime = Runtime(Settings(model=model, threads=1))
        self._loop = asyncio.Runner()

    def close(self) -> None:
        """End the engine's thread and the event loop."""
        self._runtime.close()
        self._loop.close()

    def events(self, path: Path) -> list[DurableEvent]:
        """Return every event of a recording whose language is identified utterance by utterance."""
        wishes = Wishes(LOCALES, LidMode.CONTINUOUS)
        return self._loop.run(_collect(lambda: self._runtime.transcribe(Recording(path), wishes)))

    def text(self, path: Path) -> str:
        """Return the transcript of a recording."""
        return " ".join(event.text for event in self.events(path) if event.type == "transcript.final")


async def _frames(pcm: bytes) -> AsyncGenerator[AudioInput, None]:
    size = _FRAME_SAMPLES * 2
    for start in range(0, len(pcm), size):
        yield AudioFrame(start // 2, pcm[start : start + size])


async def _collect(start: Callable[[], AsyncGenerator[T, None]]) -> list[T]:
    return [item async for item in start()]
