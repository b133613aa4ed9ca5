"""What the streams say: the beginnings of the sample calls, each with a silence after it, and the truth about them."""

import json
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from faster_whisper import WhisperModel

from bench.clips import CALLS, read_call
from dragoman.audio.pcm import to_float
from dragoman.domain.audio import SAMPLE_RATE_HZ, SAMPLE_WIDTH_BYTES
from dragoman.resources import resolve_model, samples_folder

LONGEST_S: Final = 20.0
SILENCE_S: Final = 2.0

_MIXED: Final = "mixed_call.wav"
_MIXED_S: Final = 26.0


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word and when it was spoken, in seconds; ``closes`` the last of what was said in one go."""

    text: str
    start_s: float
    end_s: float
    closes: bool
    language: str


@dataclass(frozen=True, slots=True)
class Said:
    """From ``at_s`` seconds after the first sample on, a language is spoken, or said to be."""

    at_s: float
    language: str


@dataclass(frozen=True, slots=True)
class Speech:
    """A recording for one stream: s16le, mono, 16 kHz.

    Servers are told the ``locale``, or that they have to find out (``None``). ``offline`` is what faster-whisper makes
    of the whole recording.
    """

    name: str
    locale: str | None
    pcm: bytes
    words: tuple[SpokenWord, ...]
    offline: str

    @property
    def seconds(self) -> float:
        """Return how long it is."""
        return len(self.pcm) / SAMPLE_WIDTH_BYTES / SAMPLE_RATE_HZ

    @property
    def text(self) -> str:
        """Return all that is said."""
        return " ".join(word.text for word in self.words)

    @property
    def languages(self) -> tuple[Said, ...]:
        """Return the languages, each from its first word on."""
        runs = groupby(self.words, key=lambda word: word.language)
        return tuple(Said(next(words).start_s, language) for language, words in runs)


def speeches(longest_s: float = LONGEST_S) -> tuple[Speech, ...]:
    """Return the beginning of every call: as many whole sentences as fit, and two seconds of silence."""
    return tuple(_speech(name, longest_s) for name in CALLS)


def open_speeches(longest_s: float = _MIXED_S) -> tuple[Speech, ...]:
    """Return beginnings whose language is not told: one in one language, and one in several."""
    return _speech(CALLS[2], min(longest_s, LONGEST_S), told=False), _speech(_MIXED, longest_s, told=False)


def _speech(name: str, longest_s: float, *, told: bool = True) -> Speech:
    lines = (samples_folder() / "audio" / "manifest.jsonl").read_text().splitlines()
    (entry,) = (entry for entry in map(json.loads, lines) if entry["file"] == name)
    words: list[SpokenWord] = []
    locale = ""
    for said in entry["utterances"]:
        spoken = said["words"]
        if spoken[-1]["end_ms"] > longest_s * 1000:
            break
        locale = str(said["locale"])
        for word in spoken:
            start_s, end_s = word["start_ms"] / 1000, word["end_ms"] / 1000
            words.append(SpokenWord(word["text"], start_s, end_s, word is spoken[-1], locale[:2]))
    end = round((words[-1].end_s + 0.1) * SAMPLE_RATE_HZ) * SAMPLE_WIDTH_BYTES
    silence = bytes(round(SILENCE_S * SAMPLE_RATE_HZ) * SAMPLE_WIDTH_BYTES)
    pcm = read_call(name).pcm[:end] + silence
    return Speech(name, locale if told else None, pcm, tuple(words), _offline(pcm, locale if told else None))


def _offline(pcm: bytes, locale: str | None) -> str:
    """Return what faster-whisper makes of it, with its defaults and the bundled model, all sound at hand."""
    model = WhisperModel(resolve_model("micro"), device="cpu", compute_type="int8", cpu_threads=1)
    segments, _ = model.transcribe(to_float(pcm), language=locale and locale[:2], multilingual=locale is None)
    return " ".join(segment.text.strip() for segment in segments)
