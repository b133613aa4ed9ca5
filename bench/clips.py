"""The audio of the measurements, made from the sample calls: short clips in four conditions, and one long recording."""

import json
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import soxr
from numpy.typing import NDArray

from dragoman.audio.pcm import from_float, to_float
from dragoman.domain.audio import SAMPLE_RATE_HZ, Span, to_samples
from dragoman.resources import samples_folder

Samples = NDArray[np.float32]

CALLS: Final = ("en_call.wav", "es_call.wav", "de_call.wav", "fr_call.wav")
"""Recordings in one language each."""

_MARGIN_MS: Final = 500
_MIN_CLIP_MS: Final = 2_100  # 2 s when played 5 % faster


@dataclass(frozen=True, slots=True)
class Sentence:
    """What somebody said, and where in the recording."""

    span: Span
    locale: str
    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A sample recording and the truth about it."""

    path: Path
    pcm: bytes
    sentences: tuple[Sentence, ...]

    @property
    def text(self) -> str:
        """Everything that is said."""
        return " ".join(sentence.text for sentence in self.sentences)


@dataclass(frozen=True, slots=True)
class Clip:
    """One sentence with a little silence around it; ``number`` is the same for a sentence in every condition."""

    number: int
    condition: str
    locale: str
    text: str
    pcm: bytes

    @property
    def samples(self) -> Samples:
        """The audio in [-1, 1), 16 kHz."""
        return to_float(self.pcm)


def read_call(name: str) -> Call:
    """Return a recording of the manifest."""
    folder = samples_folder() / "audio"
    entries = (json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines())
    entry = next(entry for entry in entries if entry["file"] == name)
    with wave.open(str(folder / name)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (SAMPLE_RATE_HZ, 1, 2)
        pcm = file.readframes(file.getnframes())
    sentences = (
        Sentence(Span(to_samples(said["start_ms"]), to_samples(said["end_ms"])), said["locale"], said["text"])
        for said in entry["utterances"]
    )
    return Call(folder / name, pcm, tuple(sentences))


def make_clips(calls: Sequence[Call]) -> list[Clip]:
    """Return every sentence in every condition, condition by condition; the same bytes on every run."""
    sentences = [(sentence, samples) for call in calls for sentence, samples in _cut(call)]
    return [
        Clip(number, condition, sentence.locale, sentence.text, from_float(change(samples, number)))
        for condition, change in CONDITIONS.items()
        for number, (sentence, samples) in enumerate(sentences)
    ]


def balanced(clips: Sequence[Clip]) -> list[Clip]:
    """Return each sentence once, the conditions in turn: a quarter of the clips that stands for all."""
    conditions = list(CONDITIONS)
    return [clip for clip in clips if conditions[clip.number % len(conditions)] == clip.condition]


def write_recording(path: Path, pcm: bytes) -> None:
    """Write a 16 kHz mono WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(pcm)


def _cut(call: Call) -> list[tuple[Sentence, Samples]]:
    """Cut out each sentence with a margin that reaches at most halfway to its neighbours."""
    audio = to_float(call.pcm)
    spans = [sentence.span for sentence in call.sentences]
    borders = [0, *((one.end + two.start) // 2 for one, two in pairwise(spans)), audio.size]
    margin = to_samples(_MARGIN_MS)
    cuts = []
    for sentence, (floor, ceiling) in zip(call.sentences, pairwise(borders), strict=True):
        piece = audio[max(floor, sentence.span.start - margin) : min(ceiling, sentence.span.end + margin)]
        missing = max(0, to_samples(_MIN_CLIP_MS) - piece.size)
        cuts.append((sentence, np.pad(piece, (missing // 2, missing - missing // 2))))
    return cuts


def _as_is(samples: Samples, number: int) -> Samples:
    return samples


def _faint_and_noisy(samples: Samples, number: int) -> Samples:
    """Lower by 12 dB, then add white noise 20 dB below the clip's mean power."""
    faint = samples * np.float32(10 ** (-12 / 20))
    noise_rms = np.sqrt(np.mean(faint**2)) * 10 ** (-20 / 20)
    noise = np.random.default_rng(number).standard_normal(faint.size)
    return np.asarray(faint + noise * noise_rms, np.float32)


def _telephone(samples: Samples, number: int) -> Samples:
    """Keep 300 to 3400 Hz at 8 kHz, as a telephone line does."""
    narrow = soxr.resample(samples, SAMPLE_RATE_HZ, 8_000)
    spectrum = np.fft.rfft(narrow)
    hz = np.fft.rfftfreq(narrow.size, 1 / 8_000)
    spectrum[(hz < 300) | (hz > 3_400)] = 0
    narrow = np.fft.irfft(spectrum, narrow.size).astype(np.float32)
    return np.asarray(soxr.resample(narrow, 8_000, SAMPLE_RATE_HZ), np.float32)


def _tempo(samples: Samples, number: int) -> Samples:
    """Play 5 % faster (even numbers) or slower (odd ones), with the pitch that comes with it."""
    factor = 1.05 if number % 2 == 0 else 0.95
    return np.asarray(soxr.resample(samples, SAMPLE_RATE_HZ * factor, SAMPLE_RATE_HZ), np.float32)


CONDITIONS: Final[dict[str, Callable[[Samples, int], Samples]]] = {
    "as is": _as_is,
    "faint, noisy": _faint_and_noisy,
    "telephone": _telephone,
    "tempo ±5 %": _tempo,
}
