"""Scripted engines that satisfy the ports."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dragoman.domain.audio import AudioFrame
from dragoman.domain.errors import DragomanError, TranslationFailedError
from dragoman.domain.language import Locale, TargetLanguage
from dragoman.domain.speech import AudioInput, Heard, TranscriptionRequest

T = TypeVar("T")


async def stream(*items: T | DragomanError) -> AsyncGenerator[T, None]:
    """Yield audio as a door would; an error in the script is raised at its place."""
    for item in items:
        await asyncio.sleep(0)
        if isinstance(item, DragomanError):
            raise item
        yield item


def silence(samples: int, frame: int = 1_600) -> list[AudioFrame]:
    """Return contiguous frames of digital silence."""
    return [AudioFrame(start, bytes(2 * min(frame, samples - start))) for start in range(0, samples, frame)]


class ScriptedTranscriber:
    """Reads all audio, then reports what the script says; an error in the script is raised at its place."""

    name = "scripted"

    def __init__(self, *script: Heard | Exception) -> None:
        self.script = script
        self.requests: list[TranscriptionRequest] = []

    async def transcribe(
        self, audio: AsyncIterator[AudioInput], request: TranscriptionRequest
    ) -> AsyncGenerator[Heard, None]:
        self.requests.append(request)
        async for _ in audio:
            pass
        for item in self.script:
            await asyncio.sleep(0)
            if isinstance(item, Exception):
                raise item
            yield item


class ScriptedTranslator:
    """Translates by bracketing, over the pairs given; texts listed as ``failing`` raise."""

    name = "scripted"

    def __init__(
        self,
        pairs: Iterable[tuple[str, str]],
        failing: Mapping[str, Exception] | None = None,
        partly: Mapping[str, Mapping[TargetLanguage, TranslationFailedError]] | None = None,
    ) -> None:
        self.pairs = set(pairs)
        self.failing = failing or {}
        self.partly = partly or {}  # texts whose outcomes are given
        self.gate = asyncio.Event()
        self.gate.set()
        self.calls: list[tuple[str, tuple[str, ...]]] = []

    @property
    def targets(self) -> tuple[TargetLanguage, ...]:
        return tuple(sorted({TargetLanguage(target) for _, target in self.pairs}))

    def supports(self, source: Locale, target: TargetLanguage) -> bool:
        return (source, target) in self.pairs

    async def translate(
        self, text: str, source: Locale, targets: Sequence[TargetLanguage]
    ) -> Mapping[TargetLanguage, str | TranslationFailedError]:
        self.calls.append((text, tuple(targets)))
        await self.gate.wait()
        if text in self.failing:
            raise self.failing[text]
        if text in self.partly:
            return self.partly[text]
        return {target: f"<{target}>{text}" for target in targets}


class PatternDetector:
    """A speech detector that reads its answers from a pattern: ``s`` is speech, anything else is not."""

    def __init__(self, pattern: str) -> None:
        self.marks = iter(pattern)
        self.resets = 0

    def probabilities(self, windows: NDArray[np.float32]) -> list[float]:
        return [1.0 if next(self.marks, ".") == "s" else 0.0 for _ in windows]

    def reset(self) -> None:
        self.resets += 1
