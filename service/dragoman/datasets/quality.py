"""What can be told of a recording's quality from its samples alone. Pure: 16 kHz floats in, figures out.

Levels are in dBFS where 0 dBFS is a signal that stays at full scale, so that a full sine is at -3.0.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

WINDOW_SAMPLES: Final = 512
"""32 ms: what the speech detector looks at."""

_SPEECH: Final = 0.5
_NO_SPEECH: Final = 0.2
_MARGIN_WINDOWS: Final = 8
"""A quarter of a second around speech is neither: breath, reverberation, and what the detector hears too late."""

_FEWEST_SPEECH: Final = 16
_FEWEST_NOISE: Final = 8
"""Half a second of speech and a quarter of noise; of less no estimate is made."""

_QUANTIZATION: Final = (1 / 32_768) ** 2 / 12
"""Power of what 16 bits round away: no noise is less."""

HIGHEST_SNR_DB: Final = 60.0
"""Beyond it nobody hears a difference, and rooms are never so quiet."""

_SILENT_DBFS: Final = -60.0
_LOWEST_DBFS: Final = -100.0

_CLIPPED: Final = 0.97
_FLAT: Final = 1 / 4_096
_CLIPPED_RUN: Final = 3
"""Samples are clipped where three or more in a row are near full scale and do not differ: waves are not flat.

µ-law ends at 0.98 of full scale, its next value is 0.95. A sine of full scale is that flat below 56 Hz only.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """A recording, window by window: mean squares and P(speech), shape ``(windows,)`` each.

    ``peak`` is the largest magnitude and ``clipped`` the number of clipped samples among all ``samples``.
    """

    power: NDArray[np.float64]
    speech: NDArray[np.float64]
    peak: float
    clipped: int
    samples: int


@dataclass(frozen=True, slots=True)
class Quality:
    """Figures of one recording. Shares are between 0 and 1, of its length.

    ``snr_db`` and ``speech_dbfs`` are ``None`` where too little speech, or too little else, is heard to tell.
    """

    rms_dbfs: float
    peak_dbfs: float
    speech_dbfs: float | None
    snr_db: float | None
    clipped_share: float
    silence_share: float
    speech_share: float


def judge(windows: Windows) -> Quality:
    """Return the figures of a recording."""
    speech, _ = _told_apart(windows.speech)
    power = windows.power
    spoken = float(power[speech].mean()) if speech.sum() >= _FEWEST_SPEECH else None
    silent = power < 10 ** (_SILENT_DBFS / 10)
    return Quality(
        rms_dbfs=_db(float(power.mean()) if power.size else 0.0),
        peak_dbfs=_db(windows.peak**2),
        speech_dbfs=None if spoken is None else _db(spoken),
        snr_db=snr_db(power, windows.speech),
        clipped_share=windows.clipped / windows.samples if windows.samples else 0.0,
        silence_share=float(silent.mean()) if power.size else 1.0,
        speech_share=float(speech.mean()) if power.size else 0.0,
    )


def snr_db(power: NDArray[np.float64], speech: NDArray[np.float64]) -> float | None:
    """Return how far speech stands above everything else, at most 60 dB; ``None`` if there is too little of either.

    The power of windows without speech is that of the noise, and is in the others too. On the samples, whose noise was
    mixed at 10, 12 and 15 dB, it is 0.9 dB off at most (tests/datasets/test_measuring.py).
    """
    is_speech, is_noise = _told_apart(speech)
    if is_speech.sum() < _FEWEST_SPEECH or is_noise.sum() < _FEWEST_NOISE:
        return None
    noise = max(float(power[is_noise].mean()), _QUANTIZATION)
    spoken = max(float(power[is_speech].mean()) - noise, noise / 1_000)
    return min(10 * float(np.log10(spoken / noise)), HIGHEST_SNR_DB)


def window_powers(windows: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the mean squares of windows, shape ``(windows, samples)``."""
    powers: NDArray[np.float64] = np.square(windows, dtype=np.float64).mean(axis=1)
    return powers


def count_clipped(samples: NDArray[np.float32]) -> int:
    """Return how many samples are clipped: at full scale, and flat."""
    flat = (np.abs(np.diff(samples)) <= _FLAT) & (np.abs(samples[1:]) >= _CLIPPED)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flat.astype(np.int8), [0]))))
    runs = edges[1::2] - edges[::2] + 1  # n flat steps join n + 1 samples
    return int(runs[runs >= _CLIPPED_RUN].sum())


def worst(mixed: Quality, channels: tuple[Quality, ...]) -> Quality:
    """Return the figures of a recording with several channels: what mixing hides counts as in the worst of them."""
    heard = [quality.snr_db for quality in channels if quality.snr_db is not None]
    return Quality(
        rms_dbfs=mixed.rms_dbfs,
        peak_dbfs=max(quality.peak_dbfs for quality in channels),
        speech_dbfs=mixed.speech_dbfs,
        snr_db=min(heard) if heard else mixed.snr_db,
        clipped_share=max(quality.clipped_share for quality in channels),
        silence_share=mixed.silence_share,
        speech_share=mixed.speech_share,
    )


def _told_apart(speech: NDArray[np.float64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    is_speech = speech >= _SPEECH
    around = np.ones(2 * _MARGIN_WINDOWS + 1)
    is_near = np.convolve(is_speech, around)[_MARGIN_WINDOWS:][: speech.size] > 0 if speech.size else is_speech
    return is_speech, ~is_near & (speech <= _NO_SPEECH)


def _db(power: float) -> float:
    return max(10 * float(np.log10(power)), _LOWEST_DBFS) if power > 0 else _LOWEST_DBFS
