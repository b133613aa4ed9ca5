"""Counts what committed events show, once, whichever server does it and whenever it stopped."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from dragoman.domain.events import SessionEnded
from dragoman.domain.tally import Cell, Tally
from dragoman.monitoring.costs import consumed_by
from dragoman.monitoring.objectives import STEP_S, Counted, Objective, SessionOutcomes
from dragoman.monitoring.signals import Observation, SessionSignals, tallied
from dragoman.store.budgets import Consumed
from dragoman.store.windows import HOUR_MS, Behind, OutcomeWindow, Price, Seen, Windows

_AT_ONCE: Final = 200
"""Sessions that are counted in one transaction."""

_MOST_READINGS: Final = 1_000
"""Sessions whose reading is kept; others are read from their beginning when they go on."""


@dataclass(slots=True)
class _Reading:
    """Where the reading of a session stands: what comes next is understood by what came before."""

    signals: SessionSignals
    outcomes: SessionOutcomes
    seq: int = 0


@dataclass(frozen=True, slots=True)
class News:
    """What was counted, over all tenants."""

    signals: dict[Cell, Tally] = field(default_factory=dict)
    outcomes: dict[str, Counted] = field(default_factory=dict)

    def add(self, other: "News") -> None:
        """Add what else was counted."""
        for cell, tally in other.signals.items():
            self.signals[cell] = self.signals.get(cell, Tally()) + tally
        for objective, counted in other.outcomes.items():
            self.outcomes[objective] = self.outcomes.get(objective, Counted()) + counted


class Recorder:
    """Reads sessions that were gone on with. ``record`` waits for the database; call it from one thread at a time."""

    def __init__(
        self, windows: Windows, objectives: Sequence[Objective], price: Price, clock_ms: Callable[[], int]
    ) -> None:
        self._windows = windows
        self._objectives = objectives
        self._price = price
        self._now_ms = clock_ms
        self._readings: dict[str, _Reading] = {}

    def record(self) -> News:
        """Count all that was committed and not counted; return it.

        Raises:
            StoreFailedError: if the database does not work; what was not counted is counted later.
        """
        news = News()
        while behind := self._windows.behind(_AT_ONCE):
            seen = [self._read(each) for each in behind]
            now_ms = self._now_ms()
            try:
                step_ms = now_ms - now_ms % (STEP_S * 1_000)
                taken = self._windows.add(seen, now_ms - now_ms % HOUR_MS, step_ms, self._price)
            except BaseException:
                self._readings.clear()  # they are ahead of what is stored
                raise
            for each in taken:
                news.add(News(dict(each.signals), {name: Counted(*kept) for name, kept in each.outcomes.items()}))
            if len(taken) < len(seen) or len(behind) < _AT_ONCE:  # somebody else counts too, or that was all
                break
        return news

    def refused(self, times: Mapping[str, int]) -> News:
        """Count how often tenants were turned away because there was no room: no session tells of that.

        Raises:
            StoreFailedError: if the database does not work.
        """
        now_ms = self._now_ms()
        start_ms = now_ms - now_ms % (STEP_S * 1_000)
        names = [each.name for each in self._objectives if each.of == "sessions"]
        self._windows.add_outcomes(
            [OutcomeWindow(start_ms, tenant, name, 0, number) for tenant, number in times.items() for name in names]
        )
        return News({}, dict.fromkeys(names, Counted(0, sum(times.values()))))

    def _read(self, behind: Behind) -> Seen:
        reading, event = self._readings.pop(behind.session_id, None), None
        if reading is None or reading.seq != behind.observed_seq:  # a restart, or another server read on
            reading = _Reading(SessionSignals(), SessionOutcomes(self._objectives))
        observed: list[Observation] = []
        outcomes: dict[str, tuple[int, int]] = {}
        consumed = Consumed()
        for event in self._windows.events(behind.session_id, reading.seq):
            new, kept = reading.signals.observe(event), reading.outcomes.observe(event)
            reading.seq = event.seq
            if event.seq <= behind.observed_seq:
                continue
            observed += new
            consumed += consumed_by(event)
            for each in kept:
                good, total = outcomes.get(each.objective, (0, 0))
                outcomes[each.objective] = (good + each.is_good, total + 1)
        while len(self._readings) >= _MOST_READINGS:
            del self._readings[next(iter(self._readings))]
        if not isinstance(event, SessionEnded):
            self._readings[behind.session_id] = reading
        return Seen(behind, reading.seq, consumed, tallied(observed), outcomes)
