"""Audio as every room knows it: s16le, mono, 16 kHz, counted in samples of the session clock."""

from dataclasses import dataclass
from typing import Final

SAMPLE_RATE_HZ: Final = 16_000
SAMPLE_WIDTH_BYTES: Final = 2


def to_ms(samples: int) -> int:
    """Return the time of a sample position (or the length of a sample count) in milliseconds, rounded down."""
    return samples * 1000 // SAMPLE_RATE_HZ


def to_samples(ms: float) -> int:
    """Return the sample position at ``ms`` milliseconds, rounded to the nearest sample."""
    return round(ms * SAMPLE_RATE_HZ / 1000)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range ``[start, end)`` of samples on the session clock."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"a span must satisfy 0 <= start <= end, not [{self.start}, {self.end})")

    @property
    def samples(self) -> int:
        """Length in samples."""
        return self.end - self.start

    @property
    def start_ms(self) -> int:
        """Start in milliseconds."""
        return to_ms(self.start)

    @property
    def end_ms(self) -> int:
        """End in milliseconds."""
        return to_ms(self.end)


@dataclass(frozen=True, slots=True)
class AudioFrame:
    """A short run of PCM (s16le, mono, 16 kHz) that begins at sample ``start``."""

    start: int
    pcm: bytes

    def __post_init__(self) -> None:
        if len(self.pcm) % SAMPLE_WIDTH_BYTES:
            raise ValueError("a frame must hold whole 16-bit samples")

    @property
    def samples(self) -> int:
        """Length in samples."""
        return len(self.pcm) // SAMPLE_WIDTH_BYTES

    @property
    def end(self) -> int:
        """Position just after the last sample."""
        return self.start + self.samples


@dataclass(frozen=True, slots=True)
class Flush:
    """A request, in the audio stream, to close the open utterance now."""
