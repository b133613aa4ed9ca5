"""Speaks the cues of a recording and lays them on a timeline, with the exact times of all that is said."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.acoustics import SAMPLE_RATE_HZ, Audio
from training.acoustics.noises import speech_level
from training.acoustics.rooms import reverberate, room
from training.recordings.casting import Cue
from training.recordings.script import Recording, Speaker
from training.speech.espeak import Style, espeak
from training.speech.voices import ACCENTS, Voice
from training.text.sentences import Word

LEAD_MS: Final = 510
TAIL_MS: Final = 900
_MARGIN_MS: Final = 60  # kept around a sentence, so that no sound is cut off
_AUDIBLE: Final = 0.01
"""What reaches this part of the loudest sample is heard: speech begins and ends there."""
_BREATH_MS: Final = 600  # at least, between two sentences of one channel, where others interrupt
_REVERBERATION_S: Final = 0.8
_SPOKEN_LEVEL: Final = 0.05
"""RMS of active speech: -26 dBFS, where ITU-T P.56 sets telephone speech."""


@dataclass(frozen=True, slots=True)
class Timed:
    """A word and the samples it lasts."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Utterance:
    """One sentence and the samples it lasts."""

    cue: Cue
    channel: int
    start: int
    end: int
    words: tuple[Timed, ...]


@dataclass(frozen=True, slots=True)
class Take:
    """What was said: ``audio`` has the shape ``(channels, samples)``; ``hold`` is where music belongs, in samples."""

    audio: Audio
    utterances: tuple[Utterance, ...]
    hold: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Speech:
    """One spoken sentence: audible from sample ``start`` to ``end``; words by sample."""

    audio: Audio
    start: int
    end: int
    words: tuple[Timed, ...]


def voice(language: str, speaker: Speaker) -> Voice:
    """Return a speaker's voice in a language, in the accent of our locale of it."""
    return Voice(language, ACCENTS[language][0], speaker.variant)


def speak(words: Sequence[Word], language: str, speaker: Speaker) -> Speech:
    """Speak a sentence at the usual level; words begin where espeak-ng says and end with their last sound."""
    spoken = espeak().speak(words, voice(language, speaker), Style(speaker.rate, speaker.pitch))
    samples = spoken.samples
    heard = _heard(samples)
    start, end = int(heard[0]), int(heard[-1]) + 1
    starts = [min(max(round(at * SAMPLE_RATE_HZ), start), end - 1) for at in spoken.word_starts_s]
    starts[0] = start
    timed = []
    for word, at, limit in zip(words, starts, [*starts[1:], end], strict=True):
        within = heard[(heard >= at) & (heard < limit)]
        timed.append(Timed(word.written, at, int(within[-1]) + 1 if within.size else max(limit, at + 1)))
    # Rounded, so that the last bit of a sum, which differs between processors, does not decide.
    gain = round(_SPOKEN_LEVEL / speech_level(samples), 3) * 10 ** (speaker.gain_db / 20)
    return Speech(samples * np.float32(gain), start, end, tuple(timed))


def perform(recording: Recording, cues: Sequence[Cue], rng: Generator) -> Take:
    """Speak all cues of a recording, one after the other."""
    rooms = {name: room(rng) for name in recording.speakers} if recording.in_a_room else {}
    placed: list[tuple[int, Audio, Utterance]] = []
    ends = [0] * recording.channels
    at, hold = _samples(LEAD_MS), None
    for number, cue in enumerate(cues):
        speaker = recording.speakers[cue.speaker]
        if number:
            at = _next(recording, speaker.channel, ends, rng)
        if recording.hold and recording.hold.after == number:
            hold = at, at + round(recording.hold.seconds * SAMPLE_RATE_HZ)
            at = hold[1] + _samples(recording.pauses_ms[0])
        speech = speak(cue.words[cue.language], cue.language, speaker)
        shift = at - speech.start
        ends[speaker.channel] = speech.end + shift
        words = tuple(Timed(word.text, word.start + shift, word.end + shift) for word in speech.words)
        utterance = Utterance(cue, speaker.channel, at, speech.end + shift, words)
        first, audio = _cut(speech)
        if recording.in_a_room:
            audio = reverberate(np.pad(audio, (0, round(_REVERBERATION_S * SAMPLE_RATE_HZ))), rooms[cue.speaker])
        placed.append((first + shift, audio, utterance))
    track = np.zeros((recording.channels, max(ends) + _samples(TAIL_MS)), np.float32)
    for start, audio, utterance in placed:
        piece = audio[: track.shape[1] - start]
        track[utterance.channel, start : start + piece.size] += piece
    return Take(track, tuple(sorted((each[2] for each in placed), key=lambda each: each.start)), hold)


def _next(recording: Recording, channel: int, ends: Sequence[int], rng: Generator) -> int:
    """Return when the next may begin: only on a channel of their own, before the others have finished."""
    pause = _samples(int(rng.integers(recording.pauses_ms[0], recording.pauses_ms[1] + 1)))
    return max(max(ends) + pause, ends[channel] + _samples(_BREATH_MS) if pause < 0 else 0)


def _heard(samples: Audio) -> NDArray[np.int64]:
    return np.flatnonzero(np.abs(samples) > _AUDIBLE * np.abs(samples).max())


def _cut(speech: Speech) -> tuple[int, Audio]:
    """Return the speech with a margin, and the sample at which that begins."""
    first = max(0, speech.start - _samples(_MARGIN_MS))
    return first, speech.audio[first : speech.end + _samples(_MARGIN_MS)]


def _samples(ms: int) -> int:
    return ms * SAMPLE_RATE_HZ // 1000
