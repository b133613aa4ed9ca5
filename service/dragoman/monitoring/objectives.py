"""What is promised of the service, and how fast its error budget burns. Pure: events and counts in, judgements out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dragoman.domain.events import (
    DurableEvent,
    ErrorEvent,
    SessionEnded,
    TranscriptFinal,
    TranslationFailed,
    TranslationFinal,
)

STEP_S: Final = 300
"""Outcomes are counted in windows of so many seconds, the shortest that an alert looks at."""

CALLERS_FAULTS: Final = frozenset(
    {
        "audio_empty",
        "audio_limit",
        "audio_not_found",
        "audio_unreadable",
        "budget_exhausted",
        "language_limit",
        "language_unsupported",
        "locale_invalid",
    }
)
"""Errors that end a session and are no failure of the service: such sessions are not counted."""

Of = Literal["sessions", "finals", "translations", "audio"]


class Objective(BaseModel):
    """A share of good outcomes that is promised over ``days``.

    ``sessions``: those that did not end with an error of ours, of all; who was turned away because there was no room
    counts too. ``finals``: those of live streams that came within ``within_ms`` after the end of speech.
    ``translations``: those that did not fail. ``audio``: sessions of which no accepted sample was lost.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    title: str
    of: Of
    goal: Annotated[float, Field(gt=0, lt=1)]
    within_ms: Annotated[int, Field(gt=0)] | None = None
    days: Annotated[int, Field(ge=1, le=90)] = 30

    @model_validator(mode="after")
    def _says_within(self) -> Self:
        if (self.of == "finals") != (self.within_ms is not None):
            raise ValueError("'within_ms' belongs to an objective of finals, and each of them needs it")
        return self


class Burn(BaseModel):
    """An alert on an error budget that burns ``rate`` times as fast as it may, over a long and a short window alike.

    The long one says that it matters, the short one that it goes on. Source: Google, "The Site Reliability Workbook",
    chapter 5, table 5-8: 14.4 over an hour takes 2 % of 30 days' budget, 6 over six hours 5 %, 1 over three days 10 %.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rate: Annotated[float, Field(gt=0)]
    long_s: Annotated[int, Field(ge=STEP_S)]
    short_s: Annotated[int, Field(ge=STEP_S)]
    severity: Annotated[int, Field(ge=0, le=4)]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Something that was promised, and whether it was kept."""

    objective: str
    is_good: bool


@dataclass(frozen=True, slots=True)
class Counted:
    """Outcomes of a window: ``total`` of them, and ``good`` ones among them."""

    good: int = 0
    total: int = 0

    def __add__(self, other: "Counted") -> "Counted":
        return Counted(self.good + other.good, self.total + other.total)


class SessionOutcomes:
    """Reads the events of one session, in their order and all of them."""

    def __init__(self, objectives: Sequence[Objective]) -> None:
        self._objectives = objectives
        self._error: str | None = None

    def observe(self, event: DurableEvent) -> list[Outcome]:
        """Return what an event says about the objectives."""
        if isinstance(event, ErrorEvent):
            self._error = event.code
        found = [(each.name, self._judged(each, event)) for each in self._objectives]
        return [Outcome(name, is_good) for name, is_good in found if is_good is not None]

    def _judged(self, objective: Objective, event: DurableEvent) -> bool | None:
        """Return whether an objective is met by an event; ``None`` if it is not about that."""
        match objective.of, event:
            case "sessions", SessionEnded():
                return None if self._error in CALLERS_FAULTS else event.reason != "failed"
            case "audio", SessionEnded():
                return event.ledger.lost_samples == 0 if event.ledger.accepted_samples else None
            case "finals", TranscriptFinal():
                waited_ms = event.latency.since_speech_end_ms
                return None if waited_ms is None else waited_ms <= (objective.within_ms or 0)
            case "translations", TranslationFinal():
                return True
            case "translations", TranslationFailed():
                return False
            case _:
                return None


@dataclass(frozen=True, slots=True)
class Burning:
    """How fast a budget burns by one rule; ``None`` where nothing was counted."""

    burn: Burn
    long: float | None
    short: float | None
    total: int

    @property
    def is_burning(self) -> bool:
        """Whether both windows burn as fast as the rule says."""
        rate = self.burn.rate
        return self.long is not None and self.short is not None and self.long >= rate and self.short >= rate


@dataclass(frozen=True, slots=True)
class Status:
    """How an objective stands: the share that was good over its days, and how much of its error budget is left.

    That is 1 before anything went wrong, 0 when as much did as may, and negative beyond that.
    """

    objective: Objective
    counted: Counted
    burnings: tuple[Burning, ...]

    @property
    def attained(self) -> float | None:
        """The share of good outcomes; ``None`` if there were none."""
        return self.counted.good / self.counted.total if self.counted.total else None

    @property
    def budget_left(self) -> float | None:
        """The share of the error budget that is left."""
        rate = burn_rate(self.counted, self.objective.goal)
        return None if rate is None else 1 - rate


def burn_rate(counted: Counted, goal: float) -> float | None:
    """Return how many times as much went wrong as may; ``None`` if nothing was counted."""
    if not counted.total:
        return None
    return (counted.total - counted.good) / counted.total / (1 - goal)


def status(objective: Objective, windows: Mapping[int, Counted], burns: Sequence[Burn], now_ms: int) -> Status:
    """Return how an objective stands; ``windows`` are its counts by the Unix time in which they begin, in ms."""

    def since(seconds: int) -> Counted:
        # The window that has just begun counts to those before it, or a short one would be nearly empty.
        first = now_ms - seconds * 1_000 - STEP_S * 1_000
        return sum((counted for at, counted in windows.items() if first < at <= now_ms), Counted())

    burnings = []
    for burn in burns:
        long, short = since(burn.long_s), since(burn.short_s)
        burnings.append(Burning(burn, burn_rate(long, objective.goal), burn_rate(short, objective.goal), long.total))
    return Status(objective, since(objective.days * 86_400), tuple(burnings))
