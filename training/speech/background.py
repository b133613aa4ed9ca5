"""Noise, music and babble as mel power on disk, from real waveforms: frames of noise made as mels do not overlap."""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from training.acoustics.noises import TRAINING_KINDS, babble, noise
from training.speech.espeak import espeak
from training.speech.mel import BANDS, log_power
from training.speech.voices import choose_voice, training_variants
from training.text.sentences import LANGUAGES
from training.text.words import sequences

SECONDS: Final = 20.0
"""The length of each recording."""

_OF_EACH: Final = 8
_OF_MUSIC: Final = 40
_OF_BABBLE: Final = 16
_LEVEL: Final = 0.05


def load_background(file: Path, seed: int) -> list[NDArray[np.float16]]:
    """Return recordings of background, each of shape (frames, 80), making the file if it is not there."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(file, np.stack(_make(seed)))
    return list(np.load(file, mmap_mode="r"))


def _make(seed: int) -> list[NDArray[np.float16]]:
    rng = np.random.default_rng(seed)
    recordings = []
    for kind in TRAINING_KINDS:
        count = _OF_MUSIC if kind == "music" else _OF_EACH
        recordings += [log_power(_LEVEL * noise(kind, SECONDS, rng)) for _ in range(count)]
    for _ in range(_OF_BABBLE):
        voices = [_chatter(rng) for _ in range(6)]
        recordings.append(log_power(_LEVEL * babble(voices, SECONDS, rng)))
    assert all(recording.shape[1] == BANDS for recording in recordings)
    return recordings


def _chatter(rng: np.random.Generator) -> NDArray[np.float32]:
    language = str(rng.choice(LANGUAGES))
    words = sequences(language, int(rng.integers(1 << 31)))
    voice = choose_voice(language, training_variants(), rng)
    return np.concatenate([espeak().speak(next(words), voice).samples for _ in range(4)])
