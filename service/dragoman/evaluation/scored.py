"""Recordings and cases with what was counted in them, whole and in parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dragoman.evaluation.metrics.metric import Counts
from dragoman.evaluation.metrics.transcription import Step


@dataclass(frozen=True, slots=True)
class Shown:
    """What to show of a part: where it is, what was said, heard and expected, and how one became the other."""

    channel: int
    start_ms: int
    end_ms: int
    said: str
    heard: str
    locale: str | None
    heard_locale: str | None
    steps: tuple[Step, ...]
    errors: int


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a recording, or a case, with the slices that it belongs to: dimension to value."""

    slices: Mapping[str, str]
    counts: Counts
    shown: Shown | None = None


@dataclass(frozen=True, slots=True)
class Scored:
    """An item: what was counted in its parts, and of it as a whole. ``failure`` is why it is not complete."""

    item: str
    parts: tuple[Part, ...]
    whole: Counts
    failure: str | None = None

    def counts(self, dimension: str | None = None, value: str | None = None) -> Counts:
        """Return the counts of the item; of a slice, those of its parts in it only."""
        chosen = [part.counts for part in self.parts if dimension is None or part.slices.get(dimension) == value]
        return joined([*chosen, self.whole] if dimension is None else chosen)


def joined(counts: Sequence[Counts]) -> Counts:
    """Return counts together."""
    sums: dict[str, tuple[float, ...]] = {}
    samples: dict[str, tuple[float, ...]] = {}
    for each in counts:
        for name, values in each.sums.items():
            before = sums.get(name)
            sums[name] = values if before is None else tuple(a + b for a, b in zip(before, values, strict=True))
        for name, values in each.samples.items():
            samples[name] = (*samples.get(name, ()), *values)
    return Counts(sums, samples)
