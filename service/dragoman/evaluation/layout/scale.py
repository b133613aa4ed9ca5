"""Where figures lie on a plot: a scale with round ends, and its ticks."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from dragoman.evaluation.figures import Better
from dragoman.evaluation.layout.numbers import tick
from dragoman.evaluation.metrics.metric import Unit

Anchor = Literal["start", "middle", "end"]

_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
_WHOLE: Final[dict[Unit, float]] = {"share": 1.0, "score": 100.0}
_NOTHING: Final[dict[Unit, float]] = {"share": 0.01, "score": 10.0, "ms": 100.0}
"""How far a scale goes on which all is zero."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of a scale, in percent of its width; ``anchor`` keeps what is written there within it."""

    at: float
    label: str
    anchor: Anchor


@dataclass(frozen=True, slots=True)
class Scale:
    """From where to where a plot goes."""

    low: float
    high: float
    ticks: tuple[Tick, ...]

    def at(self, value: float | None) -> float | None:
        """Return where a value lies in percent of the width; what is beyond an end lies there."""
        if value is None:
            return None
        return round(min(100.0, max(0.0, 100 * (value - self.low) / (self.high - self.low))), 2)


def scale(values: Iterable[float | None], better: Better, unit: Unit, most: int = 5) -> Scale:
    """Return a scale of at most ``most`` steps that holds all values.

    It begins at zero, but where a share or a score should be high and is: there the part that matters is next to 100 %.
    """
    known = [each for each in values if each is not None]
    whole = _WHOLE.get(unit)
    lowest, highest = min(known, default=0.0), max(known, default=0.0)
    if better == "higher" and whole is not None:
        highest = max(whole, highest)
        lowest = min(lowest, 0.98 * whole) if lowest > whole / 2 else min(0.0, lowest)  # nothing but 100 % has a width
    else:
        lowest, highest = min(0.0, lowest), max(0.0, highest)
        highest = highest if highest > lowest else _NOTHING.get(unit, 1.0)
    step = _step((highest - lowest) / most)
    low, high = math.floor(lowest / step + 1e-9) * step, math.ceil(highest / step - 1e-9) * step
    return Scale(low, high, _ticks(low, high, step, unit))


def _step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return next(each * power for each in _STEPS if each * power >= least * (1 - 1e-9))


def _ticks(low: float, high: float, step: float, unit: Unit) -> tuple[Tick, ...]:
    number = round((high - low) / step)
    return tuple(
        Tick(round(100 * at / number, 2), tick(round(low + at * step, 12), high, unit), _anchor(at, number))
        for at in range(number + 1)
    )


def _anchor(at: int, number: int) -> Anchor:
    if at == 0:
        return "start"
    return "end" if at == number else "middle"
