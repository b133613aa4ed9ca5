"""Mel power as Whisper sees it, before the logarithm's floor and scale, which depend on the window it ends up in.

Source: Radford et al. 2022, section 2.2, and faster-whisper's ``FeatureExtractor``, which computes the same.
"""

from functools import cache
from typing import Final

import numpy as np
from faster_whisper.feature_extractor import FeatureExtractor
from numpy.typing import NDArray

BANDS: Final = 80
FRAMES_PER_S: Final = 100

_WINDOW: Final = 400
_HOP: Final = 160
_FLOOR: Final = 1e-10


@cache
def _filters() -> NDArray[np.float32]:
    return np.asarray(FeatureExtractor(feature_size=BANDS).mel_filters, np.float32)


@cache
def band_hz() -> NDArray[np.float32]:
    """Return the middle of each band in hertz, shape ``(80,)``, ascending."""
    hz = np.arange(_WINDOW // 2 + 1, dtype=np.float32) * (16_000 / _WINDOW)
    middles: NDArray[np.float32] = (_filters() @ hz) / _filters().sum(1)
    return middles


@cache
def _hann() -> NDArray[np.float32]:
    return np.hanning(_WINDOW + 1)[:-1].astype(np.float32)


def log_power(samples: NDArray[np.float32]) -> NDArray[np.float16]:
    """Return log10 of the mel power, shape ``(frames, 80)``, a frame per 10 ms, centred on it; never below -10.

    ``samples``: shape ``(samples,)``, 16 kHz, in [-1, 1].
    """
    padded = np.pad(samples.astype(np.float32), (_WINDOW // 2, _WINDOW // 2 + _HOP))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP][: len(samples) // _HOP]
    spectrum = np.fft.rfft(frames * _hann(), axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    return np.log10(np.maximum(power @ _filters().T, _FLOOR)).astype(np.float16)


def whisper_input(logs: NDArray[np.float32], loudest: float | None = None) -> NDArray[np.float32]:
    """Return what the encoder is given: floored 8 decades below the loudest value, scaled to about [-1, 1].

    ``loudest`` is the loudest log10 power of the whole recording, if that is louder than this window.
    """
    top = float(logs.max()) if loudest is None else max(float(logs.max()), loudest)
    return (np.maximum(logs, np.float32(top - 8.0)) + np.float32(4.0)) / np.float32(4.0)
