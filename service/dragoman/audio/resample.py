"""Any sample rate → 16 kHz, as a stream."""

from typing import Final

import numpy as np
import soxr
from numpy.typing import NDArray

from dragoman.audio.pcm import from_float
from dragoman.domain.audio import SAMPLE_RATE_HZ

_NOTHING: Final = np.zeros(0, dtype=np.float32)


class StreamingResampler:
    """Converts one mono signal, pushed in pieces of any length, to s16le.

    The pieces do not matter: the output is that of the whole signal at once, and its total length is
    ``n * rate_out_hz / rate_in_hz`` to within one sample. Equal rates pass through unchanged.
    """

    def __init__(self, rate_in_hz: int, rate_out_hz: int = SAMPLE_RATE_HZ) -> None:
        self._stream = None
        if rate_in_hz != rate_out_hz:
            self._stream = soxr.ResampleStream(rate_in_hz, rate_out_hz, 1, dtype="float32", quality="HQ")

    def push(self, samples: NDArray[np.float32]) -> bytes:
        """Return the s16le output that ``samples``, shape ``(samples,)`` in [-1, 1], made ready; it may be empty."""
        return from_float(samples if self._stream is None else self._stream.resample_chunk(samples))

    def flush(self) -> bytes:
        """Return the rest of the output. The signal ends here: push nothing more."""
        return b"" if self._stream is None else from_float(self._stream.resample_chunk(_NOTHING, last=True))
