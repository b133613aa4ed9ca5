"""The sample calls and what is true of them."""

import json
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dragoman.audio.pcm import to_float
from dragoman.domain.audio import AudioFrame, to_samples
from dragoman.resources import samples_folder

AUDIO = samples_folder() / "audio"
CANDIDATES = ("en-US", "es-ES", "de-DE", "fr-FR")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One utterance of the truth."""

    start_ms: int
    end_ms: int
    locale: str
    text: str
    english: str


@dataclass(frozen=True, slots=True)
class Call:
    """One recording of the manifest."""

    path: Path
    locales: tuple[str, ...]
    sentences: tuple[Sentence, ...]

    def pcm(self) -> bytes:
        """Return the samples, s16le."""
        with wave.open(str(self.path)) as file:
            return bytes(file.readframes(file.getnframes()))

    def samples(self, start_ms: int, end_ms: int) -> NDArray[np.float32]:
        """Return a stretch of the recording in [-1, 1)."""
        return to_float(self.pcm()[2 * to_samples(start_ms) : 2 * to_samples(end_ms)])

    def frames(self, end_ms: int | None = None, length: int = 1_600) -> Iterator[AudioFrame]:
        """Yield the recording, or its beginning, in frames."""
        pcm = self.pcm()
        end = len(pcm) // 2 if end_ms is None else to_samples(end_ms)
        for start in range(0, end, length):
            yield AudioFrame(start, pcm[2 * start : 2 * min(start + length, end)])


@cache
def call(name: str) -> Call:
    """Return the call ``{name}_call.wav``."""
    for line in (AUDIO / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        if entry["file"] == f"{name}_call.wav":
            sentences = tuple(
                Sentence(
                    each["start_ms"], each["end_ms"], each["locale"], each["text"], each["translations"].get("en", "")
                )
                for each in entry["utterances"]
            )
            return Call(AUDIO / entry["file"], tuple(span["locale"] for span in entry["spans"]), sentences)
    raise LookupError(name)
