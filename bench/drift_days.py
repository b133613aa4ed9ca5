"""Days of a service that does not exist: sessions share a voice, days differ, and some of them drift."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dragoman.domain.tally import Tally
from dragoman.monitoring.bins import Bins

Values = NDArray[np.float64]

BINS: Final = Bins(-6, 6, 100)

_OFF: Final = 2.0
"""How far off sessions are that are broken."""


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
    middle = random.normal(0, world.between_days)
    inside = float(np.sqrt(max(0.0, 1 - world.between_sessions**2)))
    sessions = max(1, int(random.poisson(world.sessions)))
    sizes = np.maximum(1, random.poisson(world.utterances, sessions))
    levels = middle + random.normal(0, world.between_sessions, sessions)
    off = np.where(random.random(sessions) < shift.broken, _OFF, 0.0)
    values = random.normal(np.repeat(levels, sizes), inside) * shift.spread
    return counted(values + shift.mean + np.repeat(off, sizes))


def counted(values: Values, bins: Bins = BINS) -> Tally:
    """Return values in bins, as ``bins.tally`` does, but many at once."""
    found, counts = np.unique(np.searchsorted(bins.edges, values, side="right"), return_counts=True)
    return Tally(len(values), float(values.sum()), dict(zip(found.tolist(), counts.tolist(), strict=True)))


def days(world: World, number: int, random: np.random.Generator) -> list[Tally]:
    """Return ordinary days."""
    return [day(world, Shift("none"), random) for _ in range(number)]
