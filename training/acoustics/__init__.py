"""Acoustics: what happens to speech between a mouth and a recogniser, synthesised from a seed.

All audio here is float32, mono, 16 kHz, shape ``(samples,)``. Every effect keeps words where they were.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Audio = NDArray[np.float32]

SAMPLE_RATE_HZ = 16_000
FULL_SCALE = 0.99


def fast_length(samples: int) -> int:
    """Return an even length that is quick to transform and at least ``samples``: 2, 2.5 or 3 times a power of two."""
    power = 1 << max(6, (samples - 1).bit_length() - 1)
    return next(length for length in (power, power * 5 // 4, power * 3 // 2, power * 2) if length >= samples)


def rms(audio: Audio) -> float:
    """Return the root mean square; 0.0 for silence and for no samples."""
    return float(np.sqrt(np.dot(audio, audio) / audio.size)) if audio.size else 0.0


def at_level(audio: Audio, level: float) -> Audio:
    """Return audio scaled to an RMS of ``level``; silence stays silent."""
    present = rms(audio)
    return (audio * np.float32(level / present) if present > 0 else audio).astype(np.float32)


def within_full_scale(audio: Audio) -> Audio:
    """Return audio turned down as a whole, if it must be, so that it stays in [-1, 1]."""
    peak = float(np.max(np.abs(audio), initial=0.0))
    return (audio * np.float32(FULL_SCALE / peak) if peak > FULL_SCALE else audio).astype(np.float32)
