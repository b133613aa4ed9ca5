"""Rooms: synthetic impulse responses, and speech heard in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from training.acoustics import SAMPLE_RATE_HZ, Audio, at_level, fast_length, rms, within_full_scale

if TYPE_CHECKING:
    from numpy.random import Generator

RT60_S = (0.1, 0.6)
DIRECT_TO_REVERBERANT_DB = (-2.0, 16.0)
REFLECTIONS = (4, 20)
LARGEST_REFLECTION = 0.75


def room(rng: Generator) -> Audio:
    """Return the impulse response of a made-up room; its direct path is the largest sample.

    Early reflections fall off with distance, then comes a noise tail whose high frequencies die sooner than its low
    ones, as air and soft walls absorb them.
    """
    rt60_s = float(rng.uniform(*RT60_S))
    direct = int(rng.integers(32, 160))
    length = direct + int((rt60_s + 0.05) * SAMPLE_RATE_HZ)
    reverberant = _tail(length, rt60_s, direct + int(rng.uniform(0.004, 0.02) * SAMPLE_RATE_HZ), rng)
    reverberant /= np.float32(max(rms(reverberant) * np.sqrt(length), 1e-9))
    count = int(rng.integers(*REFLECTIONS))
    delays_s = rng.uniform(0.0008, 0.03 + rt60_s / 12, count)
    gains = rng.uniform(0.3, 1.0, count) * rng.choice((-1.0, 1.0), count) * 0.004 / (0.004 + delays_s)
    gains *= rng.uniform(0.3, 1.2) / np.sqrt(np.sum(gains**2))
    np.add.at(reverberant, direct + (delays_s * SAMPLE_RATE_HZ).astype(np.int64), gains.astype(np.float32))
    energy = 10 ** (-rng.uniform(*DIRECT_TO_REVERBERANT_DB) / 10)
    reverberant *= np.float32(np.sqrt(energy / np.sum(reverberant**2)))
    response = np.clip(reverberant, -LARGEST_REFLECTION, LARGEST_REFLECTION)
    response[: direct + 1] = 0.0
    response[direct] = 1.0
    return response.astype(np.float32)


def reverberate(audio: Audio, response: Audio) -> Audio:
    """Return audio as heard in a room: same length, same RMS, its direct path at the time it was spoken.

    The level drops below the RMS asked for only where full scale forbids it.
    """
    size = fast_length(audio.size + response.size)
    heard = np.fft.irfft(np.fft.rfft(audio, size) * np.fft.rfft(response, size), size)
    direct = int(np.argmax(np.abs(response)))
    return within_full_scale(at_level(heard[direct : direct + audio.size].astype(np.float32), rms(audio)))


def _tail(length: int, rt60_s: float, start: int, rng: Generator) -> Audio:
    """Return decaying noise of two bands that begins at ``start``."""
    size = fast_length(length)
    bands = np.fft.rfft(rng.standard_normal(size, dtype=np.float32))
    split = bands.size * rng.uniform(0.1, 0.4)
    low_pass = 1 / (1 + (np.arange(bands.size) / split) ** 4)
    low = np.fft.irfft(bands * low_pass, size)[:length]
    high = np.fft.irfft(bands * (1 - low_pass), size)[:length] * rng.uniform(0.4, 1.0)
    since_s = (np.arange(length) - start) / SAMPLE_RATE_HZ
    decay = np.log(1000.0) / rt60_s  # RT60 is the time to fall by 60 dB, a factor of 1000 in amplitude
    tail = low * np.exp(-decay * since_s) + high * np.exp(-decay * since_s / rng.uniform(0.4, 0.9))
    return np.where(since_s >= 0, tail, 0.0).astype(np.float32)
