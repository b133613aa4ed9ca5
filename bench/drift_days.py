"""Days of a service that does not exist: sessions share a voice, days differ, and some of them drift."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dragoman.domain.tally import Tally
from dragoman.monitoring.bins import Bins

Values = NDArray[np.float64]

BINS: Final = Bins(-6, 6, 100)


@dataclass(frozen=True, slots=True)
class World:
    """How a figure varies, in standard deviations of one utterance: between sessions, and between days.

    A day has about ``sessions`` sessions of about ``utterances`` utterances each (Poisson).
    """

    name: str
    sessions: int = 40
    utterances: int = 12
    between_sessions: float = 0.0
    between_days: float = 0.0


@dataclass(frozen=True, slots=True)
class Shift:
    """What happened to a figure: its mean moved, its spread widened, a share of sessions went far off."""

    name: str
    mean: float = 0.0
    spread: float = 1.0
    broken: float = 0.0


def day(world: World, shift: Shift, random: np.random.Generator) -> Tally:
    """Return the values of one day."""
    of_sessions: list[Values] = []
    middle = random.normal(0, world.between_days)
    inside = float(np.sqrt(max(0.0, 1 - world.between_sessions**2)))
    for _ in range(max(1, random.poisson(world.sessions))):
        level = middle + random.normal(0, world.between_sessions)
        off = 2.0 if random.random() < shift.broken else 0.0
        values = random.normal(level, inside, max(1, random.poisson(world.utterances)))
        of_sessions.append(values * shift.spread + shift.mean + off)
    return counted(np.concatenate(of_sessions))


def counted(values: Values, bins: Bins = BINS) -> Tally:
    """Return values in bins."""
    return bins.tally(*values.tolist())


def days(world: World, number: int, random: np.random.Generator) -> list[Tally]:
    """Return ordinary days."""
    return [day(world, Shift("none"), random) for _ in range(number)]


def days_of(
    sessions: Sequence[Sequence[float]], number: int, per_day: int, bins: Bins, random: np.random.Generator
) -> list[Tally]:
    """Return days of sessions drawn with replacement."""
    drawn = (random.integers(0, len(sessions), per_day) for _ in range(number))
    return [bins.tally(*(value for at in chosen for value in sessions[at])) for chosen in drawn]
