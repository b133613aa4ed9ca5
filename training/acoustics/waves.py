"""What sounds are made of: filtered noise, sines, harmonics and impulses, and a place for each in a stretch of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from training.acoustics import SAMPLE_RATE_HZ, Audio, at_level, fast_length

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator
    from numpy.typing import NDArray

    Gain = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def place(onto: Audio, at: int, event: Audio) -> None:
    """Add an event to ``onto`` at a sample that may lie outside; what does not fit is left out."""
    start, end = max(at, 0), min(at + event.size, onto.size)
    if end > start:
        onto[start:end] += event[start - at : end - at]


def shaped(samples: int, rng: Generator, gain: Gain) -> Audio:
    """Return Gaussian noise whose amplitude over frequency in hertz follows ``gain``, of unit RMS."""
    return filtered(rng.standard_normal(fast_length(samples), dtype=np.float32), gain)[:samples]


def filtered(audio: Audio, gain: Gain) -> Audio:
    """Return audio of unit RMS through a filter that has no phase and wraps around at the ends."""
    size = fast_length(audio.size)
    hz = np.arange(size // 2 + 1, dtype=np.float32) * np.float32(SAMPLE_RATE_HZ / size)
    spectrum = np.fft.rfft(audio, size) * gain(np.maximum(hz, np.float32(1)))
    return at_level(np.fft.irfft(spectrum, size)[: audio.size].astype(np.float32), 1.0)


def band(low_hz: float, high_hz: float, order: float = 4.0) -> Gain:
    """Return the gain of a band-pass filter that is 3 dB down at its two corners."""
    low, high, power = np.float32(low_hz), np.float32(high_hz), np.float32(order)
    return lambda hz: np.reciprocal(np.sqrt((1 + (low / hz) ** power) * (1 + (hz / high) ** power)))


def slope(exponent: float) -> Gain:
    """Return a gain that falls with a power of the frequency, from 20 Hz on."""
    return lambda hz: np.maximum(hz, np.float32(20)) ** np.float32(-exponent) * (hz > np.float32(15))


def wander(samples: int, rate_hz: float, rng: Generator) -> Audio:
    """Return a smooth random curve in about [-1, 1] that turns ``rate_hz`` times a second."""
    points = rng.uniform(-1, 1, int(samples / SAMPLE_RATE_HZ * rate_hz) + 3)
    across = np.linspace(0, points.size - 2, samples)
    left = across.astype(np.int64)
    ease = 0.5 - 0.5 * np.cos(np.pi * (across - left))
    return (points[left] * (1 - ease) + points[left + 1] * ease).astype(np.float32)


def time_s(samples: int) -> Audio:
    """Return when each sample is, in seconds."""
    return np.arange(samples, dtype=np.float32) / np.float32(SAMPLE_RATE_HZ)


def sine(hz: float, samples: int, turns: float = 0.0) -> Audio:
    """Return a sine that begins so many turns on."""
    return wave(np.arange(samples, dtype=np.float64) * (hz / SAMPLE_RATE_HZ) + turns)


def wave(turns: NDArray[np.float64]) -> Audio:
    """Return the sine of a phase counted in turns; whole turns are dropped while it is precise."""
    angle: Audio = (2 * np.pi * (turns - np.floor(turns))).astype(np.float32)
    return np.sin(angle)


def stack(turns: NDArray[np.float64], amplitudes: NDArray[np.float64], rng: Generator) -> Audio:
    """Return the harmonics of a phase counted in turns, starting with the first, each at a random phase."""
    out = np.zeros(turns.size, np.float32)
    for number, amplitude in enumerate(amplitudes, start=1):
        out += np.float32(amplitude) * wave(number * turns + rng.random())
    return out


def moments(samples: int, per_second: float, rng: Generator) -> NDArray[np.int64]:
    """Return when things happen, in samples; at least one does."""
    return rng.integers(0, samples, max(1, rng.poisson(per_second * samples / SAMPLE_RATE_HZ)))


def drops(samples: int, per_second: float, spread: float, rng: Generator) -> Audio:
    """Return single-sample impulses of log-normal size."""
    out = np.zeros(samples, np.float32)
    at = moments(samples, per_second, rng)
    sizes = rng.lognormal(0, spread, at.size) * rng.choice((-1.0, 1.0), at.size)
    np.add.at(out, at, sizes.astype(np.float32))
    return out
