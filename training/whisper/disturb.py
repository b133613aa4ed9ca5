"""What disturbs the speech of a window: noise, a telephone line, a colour, a level, and what is masked.

Everything happens in the domain of mel power, where mixing is adding: cheap enough to make every window anew.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from training.speech.mel import BANDS, band_hz, whisper_input
from training.whisper.recipe import Recipe

FloatArray = NDArray[np.float32]

QUIETEST: Final = -10.0
"""Log power of digital silence."""

_FORMANTS_HZ: Final = np.array([500.0, 1_500.0, 2_500.0, 3_500.0])
_LN_10: Final = np.float32(np.log(10))


class Disturbance:
    """Turns log power into what the model hears. ``noises``: log power of noise and music, shape (frames, 80) each."""

    def __init__(self, noises: Sequence[NDArray[np.float16]], rng: np.random.Generator) -> None:
        self._noises = noises
        self._rng = rng

    def disturb(self, logs: FloatArray, recipe: Recipe) -> FloatArray:
        """Return the model's input, shape (frames, 80), for log power of the same shape."""
        rng = self._rng
        logs = _warp(logs, rng) if rng.random() < recipe.warped else logs.copy()
        voiced = logs.max(1) > logs.max() - 4
        if rng.random() < 0.25:
            logs += _smooth_curve(rng, 0.3)
        if rng.random() < recipe.telephone:
            logs += _telephone_band(rng)
        if rng.random() < recipe.noisy:
            noise = self.noise(len(logs))
            snr_db = float(rng.choice([rng.uniform(2, 15), rng.uniform(12, 45)], p=[0.25, 0.75]))
            speech_level = float(np.log10(np.mean(_power(logs[voiced]))))
            noise += np.float32(speech_level - np.log10(np.mean(_power(noise)) + 1e-12) - snr_db / 10)
            logs = np.log10(_power(logs) + _power(noise))
        logs += np.float32(rng.uniform(-2.0, 0.8))
        logs = np.maximum(logs, QUIETEST)
        loudest = float(logs.max() + rng.uniform(0, 1.0)) if rng.random() < 0.3 else None
        mel = whisper_input(logs, loudest)
        if rng.random() < recipe.masked:
            _mask(mel, rng)
        return mel

    def noise(self, frames: int) -> FloatArray:
        """Return so many frames of one noise, looped where it is too short."""
        noise = self._noises[int(self._rng.integers(len(self._noises)))]
        start = int(self._rng.integers(len(noise)))
        return noise[np.arange(start, start + frames) % len(noise)].astype(np.float32)


def _power(logs: FloatArray) -> FloatArray:
    return np.exp(logs * _LN_10)


def _warp(logs: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return the frames as another vocal tract would shape them (after Jaitly and Hinton 2013).

    Formants are moved together by up to a third, and each a little by itself.
    """
    together = float(np.exp(rng.uniform(-0.2, 0.33)))
    factors = together * np.exp(rng.normal(0, 0.12, len(_FORMANTS_HZ)))
    moved = np.maximum.accumulate(np.clip(_FORMANTS_HZ * factors, 60, 7_800))
    # Where a band's sound comes from: below the first formant and above the last it is moved less and less.
    bands_hz = band_hz()
    source_hz = np.interp(bands_hz, [0, *(moved + np.arange(len(moved))), 8_100], [0, *_FORMANTS_HZ, 8_100])
    places = np.interp(source_hz, bands_hz, np.arange(BANDS))
    before = np.minimum(places.astype(np.int64), BANDS - 2)
    share = (places - before).astype(np.float32)
    return logs[:, before] * (1 - share) + logs[:, before + 1] * share


def _smooth_curve(rng: np.random.Generator, deviation: float) -> FloatArray:
    knots = rng.normal(0, deviation, 6)
    return np.interp(np.linspace(0, 5, BANDS), np.arange(6), knots).astype(np.float32)


def _telephone_band(rng: np.random.Generator) -> FloatArray:
    """Return the attenuation of a telephone line, about 300 to 3400 Hz, in decades per mel band."""
    low, high = rng.integers(5, 10), rng.integers(55, 62)
    bands = np.arange(BANDS)
    outside = np.maximum(np.maximum(low - bands, bands - high), 0)
    return -np.minimum(outside * float(rng.uniform(0.3, 1.0)), 6.0).astype(np.float32)


def _mask(mel: FloatArray, rng: np.random.Generator) -> None:
    """Blank a few bands and moments (SpecAugment, Park et al. 2019)."""
    blank = mel.mean()
    width = int(rng.integers(0, 10))
    band = int(rng.integers(0, BANDS - width))
    mel[:, band : band + width] = blank
    for _ in range(2 + len(mel) // 500):
        length = int(rng.integers(0, 8))
        at = int(rng.integers(0, max(len(mel) - length, 1)))
        mel[at : at + length] = blank
