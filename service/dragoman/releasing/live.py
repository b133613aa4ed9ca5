"""What is seen of live traffic: per deployment its requests, how many failed, how long they took, what they said."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

Quantiles = Mapping[int, float]
"""Milliseconds by percent: 50, 90, 95 and 99, as Azure Monitor tells them."""

_KNOWN: Final = (50, 90, 95, 99)


@dataclass(frozen=True, slots=True)
class Minute:
    """What Azure Monitor tells of a deployment for a minute that began at ``at_s``, in seconds since 1970."""

    at_s: float
    requests: float
    errors: float
    quantiles: Quantiles

    def slow(self, limit_ms: float) -> tuple[float, float]:
        """Return how many requests took longer than this, at least and at most: more cannot be known of quantiles."""
        known = sorted((percent, self.quantiles[percent]) for percent in _KNOWN if percent in self.quantiles)
        within = max((percent for percent, ms in known if ms <= limit_ms), default=0)
        beyond = min((percent for percent, ms in known if ms > limit_ms), default=100)
        return self.requests * (100 - beyond) / 100, self.requests * (100 - within) / 100


@dataclass(frozen=True, slots=True)
class AnswerVerdict:
    """What a judge says of one answer: ``why`` it is poor, if it is, and how much of it is borne out, if known."""

    why: str | None = None
    groundedness: float | None = None


@dataclass(frozen=True, slots=True)
class Answers:
    """What judges said of answers: how many they read, how many were poor and why, and the mean of their scores."""

    judged: int = 0
    poor: int = 0
    why: Mapping[str, int] = field(default_factory=dict)
    groundedness: float | None = None

    @classmethod
    def of(cls, verdicts: Collection[AnswerVerdict]) -> "Answers":
        """Return verdicts together."""
        scores = [each.groundedness for each in verdicts if each.groundedness is not None]
        why = Counter(each.why for each in verdicts if each.why)
        mean = round(sum(scores) / len(scores), 4) if scores else None
        return cls(len(verdicts), why.total(), dict(why.most_common()), mean)


@dataclass(frozen=True, slots=True)
class Seen:
    """All that was seen of a deployment in a stage."""

    minutes: Sequence[Minute] = ()
    answers: Answers = Answers()

    @property
    def requests(self) -> float:
        """How many there were."""
        return sum(each.requests for each in self.minutes)

    @property
    def errors(self) -> float:
        """How many of them failed: an answer of 400 or more."""
        return sum(each.errors for each in self.minutes)

    def slow(self, limit_ms: float) -> tuple[float, float]:
        """Return how many took longer than this, at least and at most."""
        found = [each.slow(limit_ms) for each in self.minutes]
        return sum(low for low, _ in found), sum(high for _, high in found)

    def percentile_ms(self, percent: int) -> float | None:
        """Return the mean over minutes of a percentile, each minute by its requests; ``None`` without any."""
        return _weighted((each.requests, each.quantiles.get(percent)) for each in self.minutes)


def _weighted(values: Iterable[tuple[float, float | None]]) -> float | None:
    known = [(weight, value) for weight, value in values if value is not None and weight > 0]
    total = sum(weight for weight, _ in known)
    return sum(weight * value for weight, value in known) / total if total else None
