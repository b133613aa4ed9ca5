"""Counts of a figure in bins: small, the same in any order, and added to one another. Nothing else is kept of it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self


@dataclass(frozen=True, slots=True)
class Cell:
    """What figures are counted apart by.

    ``locale`` is that of an utterance, ``SOURCE>TARGET`` of a translation, the last one spoken of a session; ``engine``
    is who made it. No figure is of a person or of a session.
    """

    signal: str
    locale: str
    engine: str


@dataclass(frozen=True, slots=True)
class Tally:
    """How often a figure fell into which bin (they count from 0), and what all its values sum up to."""

    n: int = 0
    total: float = 0.0
    bins: Mapping[int, int] = field(default_factory=dict)

    def __add__(self, other: "Tally") -> "Tally":
        bins = dict(self.bins)
        for at, count in other.bins.items():
            bins[at] = bins.get(at, 0) + count
        return Tally(self.n + other.n, self.total + other.total, bins)

    @property
    def mean(self) -> float | None:
        """The mean of the values; ``None`` if there are none."""
        return self.total / self.n if self.n else None

    def to_json(self) -> str:
        """Return it as text; equal tallies give equal texts."""
        bins = {str(at): self.bins[at] for at in sorted(self.bins)}
        return json.dumps({"n": self.n, "total": self.total, "bins": bins}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the tally that ``to_json`` wrote."""
        read = json.loads(text)
        return cls(int(read["n"]), float(read["total"]), {int(at): int(count) for at, count in read["bins"].items()})


def added(tallies: Iterable[Tally]) -> Tally:
    """Return all of them as one."""
    bins: dict[int, int] = {}
    n, total = 0, 0.0
    for each in tallies:
        n, total = n + each.n, total + each.total
        for at, count in each.bins.items():
            bins[at] = bins.get(at, 0) + count
    return Tally(n, total, bins)
