"""The rollout: mirror, then more and more of the traffic, then all of it.

Pure: what was seen goes in, a decision comes out. At every stage three shares are judged: requests that failed, that
were slow, answers that were poor. Each is held against a limit, and against what the live deployment showed at the same
time. Without data nothing goes on, and what is surely too much is taken back at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from dragoman.releasing.confidence import bounds
from dragoman.releasing.live import Seen
from dragoman.releasing.rules import RolloutRules, Share

Decision = Literal["go on", "wait", "hold", "roll back"]
Standing = Literal["good", "unclear", "bad"]

_FIGURES: Final = 3


@dataclass(frozen=True, slots=True)
class Stage:
    """A step of a rollout: so many percent of the traffic are copied to the new deployment, or given to it."""

    mirror: int
    traffic: int

    @property
    def name(self) -> str:
        """What it is called, ``"mirror 50 %"``."""
        return f"mirror {self.mirror} %" if self.mirror else f"{self.traffic} %"


class LiveCheck(BaseModel):
    """One share of the new deployment, between ``low`` and ``high`` with confidence, its limit, and the live one's.

    ``told`` is a sentence for people.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    figure: str
    standing: Standing
    n: float
    value: float | None
    low: float
    high: float
    limit: float
    live: float | None
    told: str


class Judgement(BaseModel):
    """What is decided on a stage, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: str
    decision: Decision
    checks: tuple[LiveCheck, ...]
    reason: str


def stages(rules: RolloutRules) -> tuple[Stage, ...]:
    """Return the stages, in order; the mirror is left out if it is 0."""
    mirror = (Stage(rules.mirror, 0),) if rules.mirror else ()
    return (*mirror, *(Stage(0, percent) for percent in rules.stages))


def stage_at(rules: RolloutRules, mirror: int, traffic: int) -> int | None:
    """Return which stage an endpoint is at by its traffic; ``None`` before the first.

    What somebody set by hand, and is no stage, counts as the last one that it has passed.
    """
    found = None
    for at, stage in enumerate(stages(rules)):
        if (stage.mirror and (mirror or traffic)) or (not stage.mirror and traffic >= stage.traffic):
            found = at
    return found


def judge_stage(stage: Stage, new: Seen, live: Seen, rules: RolloutRules, elapsed_s: float) -> Judgement:
    """Return what is decided after so many seconds of a stage."""
    checks = tuple(_checks(new, live if stage.traffic < 100 else Seen(), rules))
    bad = [check for check in checks if check.standing == "bad"]
    if bad:
        return _judged(stage, "roll back", checks, " ".join(check.told for check in bad))
    unclear = [check for check in checks if check.standing == "unclear"]
    if not unclear and elapsed_s >= rules.least_s:
        return _judged(stage, "go on", checks, "Every figure is surely within its limits.")
    told = " ".join(check.told for check in unclear) or f"Every stage is watched for {rules.least_s:g} s."
    return _judged(stage, "wait" if elapsed_s < rules.longest_s else "hold", checks, told)


def slow_limit_ms(live: Seen, rules: RolloutRules) -> float:
    """Return from when on a request is slow: by the limit, or beside the live deployment, whatever is less."""
    percentile = live.percentile_ms(95)
    if percentile is None:
        return rules.slow.limit_ms
    return min(rules.slow.limit_ms, rules.slow.times_live * max(percentile, rules.slow.least_ms))


def _checks(new: Seen, live: Seen, rules: RolloutRules) -> Iterator[LiveCheck]:
    limit_ms = slow_limit_ms(live, rules)
    slow, slow_live = new.slow(limit_ms), live.slow(limit_ms)
    yield _check(
        "errors", rules.errors, (new.errors, new.errors), new.requests, (live.errors, live.errors), live.requests, rules
    )
    percentile = new.percentile_ms(95)
    told = f" p95 is {percentile:.0f} ms." if percentile is not None else ""
    name = f"slower than {limit_ms:.0f} ms"
    yield _check(name, rules.slow, slow, new.requests, slow_live, live.requests, rules, told)
    poor, poor_live = float(new.answers.poor), float(live.answers.poor)
    why = ", ".join(f"{count} {reason}" for reason, count in new.answers.why.items())
    yield _check(
        "poor answers",
        rules.poor,
        (poor, poor),
        new.answers.judged,
        (poor_live, poor_live),
        live.answers.judged,
        rules,
        f" ({why}.)" if why else "",
        is_answers=True,
    )


def _check(
    figure: str,
    share: Share,
    bad: tuple[float, float],
    n: float,
    bad_live: tuple[float, float],
    n_live: float,
    rules: RolloutRules,
    more: str = "",
    *,
    is_answers: bool = False,
) -> LiveCheck:
    """Return how a share stands: ``bad`` and ``bad_live`` are at least and at most so many."""
    # With 95 %, a candidate that keeps its limits is taken back in at most one of twenty rollouts, all looks at all
    # figures and stages together; and one that does not is let through a stage no more often than that.
    error = 1 - rules.confidence
    alarm = error / (_FIGURES * len(stages(rules)) * 2)
    surely = bounds(bad[0], n, alarm)[0]
    beside = bounds(bad_live[1], n_live, alarm)[1]
    low, high = bounds(bad[0], n, error)[0], bounds(bad[1], n, error)[1]
    value = sum(bad) / 2 / n if n else None
    live = sum(bad_live) / 2 / n_live if n_live else None
    needed = rules.min_answers if is_answers else rules.min_requests
    seen = f"{figure}: {value:.1%} of {n:.0f}" if value is not None else f"{figure}: nothing was seen yet"
    between = f"surely between {low:.1%} and {high:.1%}"
    standing: Standing = "good"
    if surely > share.limit:
        standing, told = "bad", f"{seen}, surely more than {surely:.1%}; the limit is {share.limit:.1%}."
    elif n_live and surely > beside + share.more_than_live:
        standing = "bad"
        told = f"{seen}, surely more than {surely:.1%}; of the live deployment it is less than {beside:.1%}."
    elif n < needed:
        standing, told = "unclear", f"{seen}; {needed} are needed."
    elif high > share.limit:
        standing, told = "unclear", f"{seen}, {between}; the limit is {share.limit:.1%}."
    else:
        told = f"{seen}, {between}; the limit is {share.limit:.1%}."
    return LiveCheck(
        figure=figure,
        standing=standing,
        n=n,
        value=value,
        low=low,
        high=high,
        limit=share.limit,
        live=live,
        told=told + more,
    )


def _judged(stage: Stage, decision: Decision, checks: tuple[LiveCheck, ...], reason: str) -> Judgement:
    return Judgement(stage=stage.name, decision=decision, checks=checks, reason=reason)
