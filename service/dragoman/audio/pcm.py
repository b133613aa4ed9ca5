"""PCM as numbers: between s16le bytes and floats."""

import numpy as np
from numpy.typing import NDArray

_FULL_SCALE = np.float32(32_768)


def to_float(pcm: bytes) -> NDArray[np.float32]:
    """Return samples in [-1, 1), shape ``(samples,)``.

    Divides by 32768, so -32768 maps to exactly -1.0 and no input can clip.
    """
    return np.frombuffer(pcm, dtype="<i2").astype(np.float32) / _FULL_SCALE


def from_float(samples: NDArray[np.float32]) -> bytes:
    """Return s16le bytes of finite samples, shape ``(samples,)``; what lies beyond full scale is clamped.

    Inverse of ``to_float``: every 16-bit value survives the way there and back.
    """
    scaled = np.clip(np.rint(samples * _FULL_SCALE), -32_768, 32_767)
    return bytes(scaled.astype("<i2").data)
