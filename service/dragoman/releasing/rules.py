"""How careful a rollout is: its stages, and what live traffic must show at each."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Share(_Value):
    """How many of a hundred requests may be bad, as a share, and how much more than beside them in the live slot."""

    limit: Annotated[float, Field(gt=0, lt=1)]
    more_than_live: Annotated[float, Field(gt=0, lt=1)]


class Slow(Share):
    """What is slow: longer than ``limit_ms``, or than ``times_live`` the 95th percentile of the live slot.

    That percentile is taken for ``least_ms`` where it is less: twice nothing is nothing, and nobody waits for it.
    """

    limit_ms: Annotated[float, Field(gt=0)] = 10_000
    times_live: Annotated[float, Field(ge=1)] = 2
    least_ms: Annotated[float, Field(gt=0)] = 250


class Poor(Share):
    """What is poor: no valid answer, nothing said, claims below this groundedness, or so many claims dropped."""

    groundedness: Annotated[float, Field(ge=0, le=1)] = 0.75
    dropped: Annotated[float, Field(ge=0, le=1)] = 0.34
    judged: Annotated[int, Field(ge=1, le=10_000)] = 200
    """Most answers that are judged at a stage: a judge costs tokens."""


class RolloutRules(_Value):
    """Percentages of ``mirror`` and of the ``stages``; what must be known to go on, and how long it is waited for.

    Nothing is decided on fewer than ``min_requests`` of the new deployment (of answers: ``min_answers``), nor with less
    ``confidence``.
    """

    mirror: Annotated[int, Field(ge=0, le=50)] = 50
    stages: tuple[Annotated[int, Field(ge=1, le=100)], ...] = (10, 50, 100)
    errors: Share = Share(limit=0.05, more_than_live=0.02)
    slow: Slow = Slow(limit=0.10, more_than_live=0.10)
    poor: Poor = Poor(limit=0.15, more_than_live=0.10)
    confidence: Annotated[float, Field(ge=0.8, lt=1)] = 0.95
    min_requests: Annotated[int, Field(ge=1)] = 100
    min_answers: Annotated[int, Field(ge=1)] = 50
    least_s: Annotated[float, Field(ge=0)] = 300
    longest_s: Annotated[float, Field(gt=0)] = 7_200
    poll_s: Annotated[float, Field(gt=0)] = 30
    grain_s: Annotated[int, Field(ge=1, le=3_600)] = 60
    """Step of the metrics. A minute is the shortest that Azure Monitor has; an emulator takes less."""

    @model_validator(mode="after")
    def _rises_to_all(self) -> "RolloutRules":
        if not self.stages or self.stages[-1] != 100 or list(self.stages) != sorted(set(self.stages)):
            raise ValueError("the stages of a rollout rise, and the last is 100")
        return self
