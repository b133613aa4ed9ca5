"""The stretch of audio that may still be needed."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from dragoman.audio.pcm import to_float
from dragoman.domain.audio import AudioFrame, Span


class RollingAudio:
    """Frames in order, from which spans are cut and whose beginning is forgotten."""

    def __init__(self, start: int = 0) -> None:
        self._pieces: deque[tuple[int, NDArray[np.float32]]] = deque()
        self.end = start
        """Position just after the last sample."""

    def append(self, frame: AudioFrame) -> NDArray[np.float32]:
        """Add a frame that begins at ``end``; return its samples in [-1, 1).

        Raises:
            ValueError: if it leaves a gap or overlaps.
        """
        if frame.start != self.end:
            raise ValueError(f"frame starts at sample {frame.start}, expected {self.end}")
        samples = to_float(frame.pcm)
        self._pieces.append((frame.start, samples))
        self.end = frame.end
        return samples

    def cut(self, span: Span) -> NDArray[np.float32]:
        """Return a copy of a span that has not been forgotten, shape ``(span.samples,)``."""
        parts = [
            samples[max(0, span.start - start) : span.end - start]
            for start, samples in self._pieces
            if start < span.end and start + samples.size > span.start
        ]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    def forget(self, before: int) -> None:
        """Drop the frames that end at or before sample ``before``."""
        while self._pieces and self._pieces[0][0] + self._pieces[0][1].size <= before:
            self._pieces.popleft()
