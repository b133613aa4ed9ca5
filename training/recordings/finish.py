"""What happens to a take on its way into the file: hold music, noise, the line, and its level."""

import numpy as np
from numpy.random import Generator

from training.acoustics import SAMPLE_RATE_HZ, Audio, at_level, within_full_scale
from training.acoustics.channels import mulaw, telephone
from training.acoustics.noises import babble, mix, noise
from training.recordings.casting import Cue
from training.recordings.script import Noise, Recording, Speaker
from training.recordings.take import Take, speak
from training.speech.voices import ORDINARY

_MUSIC_LEVEL_DB = -6.0  # beside speech
_TAKE_LEVEL_DB = -26.0


def finish(recording: Recording, take: Take, crowd: tuple[Cue, ...], rng: Generator) -> Audio:
    """Return what is heard in the end, shape ``(channels, samples)``; ``crowd`` is what babble is made of."""
    audio = take.audio
    if take.hold:
        start, end = take.hold
        music = noise("music", (end - start) / SAMPLE_RATE_HZ, rng)
        audio[0, start:end] += _faded(at_level(music, _amplitude(_TAKE_LEVEL_DB + _MUSIC_LEVEL_DB)))
    if recording.noise:
        audio = np.stack([_noisy(channel, recording.noise, crowd, rng) for channel in audio])
    if "telephone" in recording.band:
        audio = np.stack([telephone(channel, rng) for channel in audio])
    if "mulaw" in recording.band:
        audio = np.stack([mulaw(channel) for channel in audio])
    return within_full_scale(audio * np.float32(_amplitude(recording.level_db - _TAKE_LEVEL_DB)))


def _noisy(speech: Audio, wanted: Noise, crowd: tuple[Cue, ...], rng: Generator) -> Audio:
    seconds = speech.size / SAMPLE_RATE_HZ
    if wanted.kind == "babble":
        added = babble([_voice_of(cue, rng) for cue in crowd], seconds, rng)
    else:
        added = noise(wanted.kind, seconds, rng)
    if wanted.snr_db is None:
        return at_level(added, _amplitude(_TAKE_LEVEL_DB))
    return mix(speech, added, wanted.snr_db)


def _voice_of(cue: Cue, rng: Generator) -> Audio:
    speaker = Speaker(str(rng.choice(ORDINARY)), int(rng.integers(140, 190)), int(rng.integers(30, 70)))
    return speak(cue.words[cue.language], cue.language, speaker).audio


def _faded(music: Audio) -> Audio:
    edge = np.linspace(0, 1, SAMPLE_RATE_HZ // 5, dtype=np.float32)
    music[: edge.size] *= edge
    music[-edge.size :] *= edge[::-1]
    return music


def _amplitude(level_db: float) -> float:
    return float(10 ** (level_db / 20))
