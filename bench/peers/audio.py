"""What the streams say: the beginnings of the four calls, each with a silence after it, and the truth about them."""

import json
from dataclasses import dataclass
from typing import Final

from bench.clips import CALLS, read_call
from dragoman.domain.audio import SAMPLE_RATE_HZ, SAMPLE_WIDTH_BYTES
from dragoman.resources import samples_folder

LONGEST_S: Final = 20.0
SILENCE_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word and when it was spoken, in seconds; ``closes`` the last of what was said in one go."""

    text: str
    start_s: float
    end_s: float
    closes: bool


@dataclass(frozen=True, slots=True)
class Speech:
    """A recording for one stream: s16le, mono, 16 kHz."""

    name: str
    locale: str
    pcm: bytes
    words: tuple[SpokenWord, ...]

    @property
    def seconds(self) -> float:
        """Return how long it is."""
        return len(self.pcm) / SAMPLE_WIDTH_BYTES / SAMPLE_RATE_HZ

    @property
    def text(self) -> str:
        """Return all that is said."""
        return " ".join(word.text for word in self.words)


def speeches(longest_s: float = LONGEST_S) -> tuple[Speech, ...]:
    """Return the beginning of every call: as many whole sentences as fit, and two seconds of silence."""
    lines = (samples_folder() / "audio" / "manifest.jsonl").read_text().splitlines()
    entries = {entry["file"]: entry for entry in map(json.loads, lines)}
    return tuple(_speech(name, entries[name]["utterances"], longest_s) for name in CALLS)


def _speech(name: str, utterances: list[dict[str, object]], longest_s: float) -> Speech:
    words: list[SpokenWord] = []
    locale = ""
    for said in utterances:
        spoken = said["words"]
        assert isinstance(spoken, list)
        if spoken[-1]["end_ms"] > longest_s * 1000:
            break
        locale = str(said["locale"])
        for word in spoken:
            closes = word is spoken[-1]
            words.append(SpokenWord(word["text"], word["start_ms"] / 1000, word["end_ms"] / 1000, closes))
    end = round((words[-1].end_s + 0.1) * SAMPLE_RATE_HZ) * SAMPLE_WIDTH_BYTES
    silence = bytes(round(SILENCE_S * SAMPLE_RATE_HZ) * SAMPLE_WIDTH_BYTES)
    return Speech(name, locale, read_call(name).pcm[:end] + silence, tuple(words))
