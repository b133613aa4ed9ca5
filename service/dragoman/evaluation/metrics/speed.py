"""How fast it is, and on what machine: processor time is also told in units of a yardstick, which any machine has."""

import time
from dataclasses import dataclass
from typing import Final

import numpy as np

from dragoman.evaluation.figures import OfSums, ratio
from dragoman.evaluation.metrics.metric import Counts, Metric, percentiles

GROUP: Final = "Speed"

_SIZE: Final = 640

IN_YARDSTICKS: Final = OfSums(lambda sums: sums[:, 0] / sums[:, 3] / (sums[:, 1] / sums[:, 2]), observed=3)
"""Of ``(time, yardsticks, number of these, audio)``: time by audio, in yardsticks."""

METRICS: Final = (
    Metric("rtf", "Real-time factor: time ÷ audio", GROUP, "lower", "ratio", "wall", ratio()),
    Metric("cpu_rtf", "Processor time ÷ audio", GROUP, "lower", "ratio", "cpu", ratio()),
    Metric("work", "Processor time ÷ audio, in yardsticks", GROUP, "lower", "number", "work", IN_YARDSTICKS),
    Metric("pace", "Time ÷ audio, in yardsticks", GROUP, "lower", "number", "pace", IN_YARDSTICKS),
    *percentiles("decode_ms", "From heard to text", GROUP, (50, 95)),
    *percentiles("final_ms", "From the end of speech to its final", GROUP, (50, 95, 99)),
)


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What a known piece of work took, right now: its processor time, and how long it was waited for.

    On a machine that has other things to do, the second is longer; so is all else that is waited for.
    """

    cpu_s: float
    wall_s: float


def count(wall_s: float, cpu_s: float, audio_s: float, yardstick: Yardstick) -> Counts:
    """Return the counts of a recording."""
    if not audio_s:
        return Counts()
    return Counts(
        {
            "wall": (wall_s, audio_s),
            "cpu": (cpu_s, audio_s),
            "work": (cpu_s, yardstick.cpu_s, 1.0, audio_s),
            "pace": (wall_s, yardstick.wall_s, 1.0, audio_s),
        }
    )


def measure() -> Yardstick:
    """Measure this machine, in about 10 ms: one product of matrices, of the kind that models make, in one thread.

    It is one call, so that no other Python thread can stand in its way.
    """
    factor = np.full((_SIZE, _SIZE), 0.5, dtype=np.float32)
    began_s, clock_s = time.thread_time(), time.perf_counter()
    np.matmul(factor, factor)
    return Yardstick(max(time.thread_time() - began_s, 1e-6), max(time.perf_counter() - clock_s, 1e-6))
