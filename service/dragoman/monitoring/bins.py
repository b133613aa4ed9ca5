"""The bins of a figure: fixed for ever, so that what was counted on any day and server can be added."""

import bisect
import math
from dataclasses import dataclass
from functools import cache
from typing import Literal

from dragoman.domain.tally import Tally


@dataclass(frozen=True, slots=True)
class Bins:
    """``count`` bins between ``low`` and ``high``, of equal width or, ``log``, of equal ratio.

    What lies outside is counted in the first or the last bin.
    """

    low: float
    high: float
    count: int
    scale: Literal["linear", "log"] = "linear"

    @property
    def edges(self) -> tuple[float, ...]:
        """Where bins meet, ``count - 1`` values."""
        steps = [at / self.count for at in range(1, self.count)]
        if self.scale == "log":
            return tuple(self.low * (self.high / self.low) ** step for step in steps)
        return tuple(self.low + (self.high - self.low) * step for step in steps)

    def bin_of(self, value: float) -> int:
        """Return the bin that a value falls into; one on an edge belongs to the bin above."""
        return bisect.bisect_right(_edges(self), value)

    def tally(self, *values: float) -> Tally:
        """Return values as a tally."""
        bins: dict[int, int] = {}
        for value in values:
            at = self.bin_of(value)
            bins[at] = bins.get(at, 0) + 1
        return Tally(len(values), math.fsum(values), bins)

    def quantile(self, tally: Tally, share: float) -> float | None:
        """Return below which value a share of all lies, to the width of a bin; ``None`` if there are none."""
        wanted, seen = share * tally.n, 0
        bounds = (self.low, *_edges(self), self.high)
        for at in sorted(tally.bins):
            seen += tally.bins[at]
            if seen >= wanted:
                inside = 1 - (seen - wanted) / tally.bins[at]
                return bounds[at] + (bounds[at + 1] - bounds[at]) * inside
        return None


@cache
def _edges(bins: Bins) -> tuple[float, ...]:
    return bins.edges
