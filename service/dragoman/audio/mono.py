"""Decoded samples of any type and channel count → one finite mono signal."""

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.uint8] | NDArray[np.int16] | NDArray[np.int32] | NDArray[np.float32] | NDArray[np.float64]


class MonoMixer:
    """Picks one channel or averages all, and repairs what is not a number between -1 and 1.

    ``repaired`` counts values that were NaN or infinite and became 0; ``clipped`` counts those beyond full scale.
    """

    def __init__(self, channel: int | None = None) -> None:
        self._channels = slice(None) if channel is None else slice(channel, channel + 1)
        self.repaired = 0
        self.clipped = 0

    def mix(self, samples: Samples) -> NDArray[np.float32]:
        """Return samples in [-1, 1], shape ``(samples,)``, of ``samples``, shape ``(channels, samples)``."""
        chosen = samples[self._channels]
        scaled = self._repair(chosen) if chosen.dtype.kind == "f" else _scale(chosen)
        mono: NDArray[np.float32] = scaled[0] if len(scaled) == 1 else scaled.mean(axis=0, dtype=np.float32)
        return mono

    def _repair(self, samples: Samples) -> NDArray[np.float32]:
        finite = np.isfinite(samples)
        self.repaired += int(np.count_nonzero(~finite))
        self.clipped += int(np.count_nonzero(finite & (np.abs(samples) > 1)))
        return np.clip(np.where(finite, samples, 0), -1, 1).astype(np.float32)


def _scale(samples: Samples) -> NDArray[np.float32]:
    """Map the range of an integer type to [-1, 1); only uint8 has its zero in the middle."""
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - np.float32(128)) / np.float32(128)
    return samples.astype(np.float32) / np.float32(2 ** (8 * samples.dtype.itemsize - 1))
