"""Small recordings for tests, made on the spot."""

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 16_000

Signal = NDArray[np.float32]


def tone(seconds: float, hertz: float = 440.0, level: float = 0.3) -> Signal:
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (level * np.sin(2 * np.pi * hertz * time_s)).astype(np.float32)


def noise(seconds: float, level: float = 0.1, seed: int = 0) -> Signal:
    made = np.random.default_rng(seed).normal(0.0, level, round(seconds * RATE_HZ))
    return np.clip(made, -1, 1).astype(np.float32)


def write_wav(path: Path, *channels: Signal, rate_hz: int = RATE_HZ) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.clip(np.rint(np.stack(channels, 1) * 32_768), -32_768, 32_767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(samples.tobytes())
    return path
