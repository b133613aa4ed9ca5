"""How fast it is, and on what machine: processor time is also told in units of a yardstick, which any machine has."""

import time
from typing import Final

import numpy as np

from dragoman.evaluation.figures import ratio
from dragoman.evaluation.metrics.metric import Counts, Metric, percentiles

GROUP: Final = "Speed"

METRICS: Final = (
    Metric("rtf", "Real-time factor: time ÷ audio", GROUP, "lower", "ratio", "wall", ratio()),
    Metric("cpu_rtf", "Processor time ÷ audio", GROUP, "lower", "ratio", "cpu", ratio()),
    Metric("work", "Processor time ÷ audio, in yardsticks", GROUP, "lower", "number", "work", ratio()),
    Metric("pace", "Time ÷ audio, in yardsticks", GROUP, "lower", "number", "pace", ratio()),
    *percentiles("decode_ms", "From heard to text", GROUP, (50, 95)),
    *percentiles("final_ms", "From the end of speech to its final", GROUP, (50, 95, 99)),
)


def count(wall_s: float, cpu_s: float, audio_s: float, yardstick_s: float) -> Counts:
    """Return the counts of a recording."""
    if not audio_s:
        return Counts()
    return Counts(
        {
            "wall": (wall_s, audio_s),
            "cpu": (cpu_s, audio_s),
            "work": (cpu_s / yardstick_s, audio_s),
            "pace": (wall_s / yardstick_s, audio_s),
        }
    )


def yardstick() -> float:
    """Return how many seconds of processor time this machine takes, right now, for a piece of work of about 10 ms.

    The work is of the kind that models do: multiplying matrices that fit the cache.
    """
    left = np.full((192, 192), 0.5, dtype=np.float32)
    right = np.full((192, 192), 0.25, dtype=np.float32)
    began_s = time.thread_time()
    for _ in range(24):
        right = (left @ right).clip(0, 1)
    return max(time.thread_time() - began_s, 1e-6)
