"""Figures and how sure they are: every figure is made of what was counted per item, so that items can be drawn again.

Confidence intervals are percentiles of a bootstrap over items (recordings, cases), not over utterances: those of one
recording share its speakers and its noise (Bisani and Ney, "Bootstrap estimates for confidence intervals in ASR
performance evaluation", ICASSP 2004). Every figure of a run is drawn with the same items, so that they can be compared.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

Better = Literal["lower", "higher"]
Floats = NDArray[np.float64]

DRAWS: Final = 1_000
CONFIDENCE: Final = 0.95
_SEED: Final = 20_260_101


class Estimate(BaseModel):
    """A figure of ``n`` observations in ``items`` items, and between what it is with 95 % confidence.

    ``value`` is ``None`` where nothing was observed, ``low`` and ``high`` too where a single item was.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float | None
    low: float | None
    high: float | None
    n: int
    items: int


@dataclass(frozen=True, slots=True)
class OfSums:
    """A figure of sums over items.

    ``of`` maps sums, shape ``(draws, counts)``, to values, shape ``(draws,)``, NaN where there is none. ``observed`` is
    the count that says of how many observations.
    """

    of: Callable[[Floats], Floats]
    observed: int

    def values(self, counted: Sequence[Sequence[float]], draws: Floats) -> Floats:
        """Return the figure of every draw; ``draws`` says how often each item is in it, shape ``(draws, items)``."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.of(draws @ np.asarray(counted, dtype=np.float64))

    def count(self, counted: Sequence[Sequence[float]]) -> int:
        """Return how many observations there are."""
        return round(sum(each[self.observed] for each in counted))


@dataclass(frozen=True, slots=True)
class Percentile:
    """A percentile, 0 to 100, of all that was observed in the items."""

    percent: float

    def values(self, counted: Sequence[Sequence[float]], draws: Floats) -> Floats:
        """Return the figure of every draw: the smallest observation that so many do not exceed."""
        observed = np.concatenate([np.asarray(each, dtype=np.float64) for each in counted])
        item = np.repeat(np.arange(len(counted)), [len(each) for each in counted])
        order = np.argsort(observed, kind="stable")
        weights = np.cumsum(draws[:, item[order]], axis=1)
        wanted = self.percent / 100 * weights[:, -1:]
        first = np.argmax(weights >= np.maximum(wanted, 1e-9), axis=1)
        values = observed[order][first]
        return np.where(weights[:, -1] > 0, values, np.nan)

    def count(self, counted: Sequence[Sequence[float]]) -> int:
        """Return how many observations there are."""
        return sum(map(len, counted))


Figure = OfSums | Percentile


def ratio(scale: float = 1.0) -> OfSums:
    """Return the figure of ``(errors, total)``: their quotient."""
    return OfSums(lambda sums: scale * sums[:, 0] / sums[:, 1], observed=1)


def draw(items: int, draws: int = DRAWS) -> Floats:
    """Return how often every item is in each draw, shape ``(1 + draws, items)``; the first is the items themselves."""
    random = np.random.default_rng(_SEED)
    drawn = random.multinomial(items, np.full(items, 1 / items), size=draws) if items else np.empty((draws, 0))
    return np.vstack([np.ones((1, items)), drawn]).astype(np.float64)


def estimate(figure: Figure, counted: Sequence[Sequence[float] | None], draws: Floats) -> Estimate:
    """Return a figure with its confidence interval; ``counted`` holds an entry per item, ``None`` if it has nothing."""
    there = [at for at, each in enumerate(counted) if each is not None and len(each)]
    found = [each for each in counted if each is not None and len(each)]
    if not found:
        return Estimate(value=None, low=None, high=None, n=0, items=0)
    values = figure.values(found, draws[:, there])
    low, high = interval(values[1:]) if len(found) > 1 else (None, None)
    return Estimate(value=_number(values[0]), low=low, high=high, n=figure.count(found), items=len(found))


def interval(values: Floats) -> tuple[float | None, float | None]:
    """Return between what the middle 95 % of drawn values lie; draws in which there was nothing do not count."""
    known = values[~np.isnan(values)]
    if not len(known):
        return None, None
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(known, [tail, 100 - tail])
    return _number(low), _number(high)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 6)
