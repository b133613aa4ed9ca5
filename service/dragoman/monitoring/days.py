"""Windows become days: what drift is judged by."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from dragoman.domain.tally import Tally
from dragoman.monitoring.drift import Finding, What, assess
from dragoman.monitoring.rules import Drift
from dragoman.store.windows import SignalWindow, Windows

DAY_MS: Final = 86_400_000
_OF_FINALS: Final = "utterance_s"
"""Every final has this figure, so that counting it counts finals."""


@dataclass(frozen=True, slots=True)
class Days:
    """A day (UTC), and those that it is compared with."""

    day: date
    first: date
    number: int

    @property
    def reference(self) -> tuple[date, ...]:
        """The days of the reference, but for the day itself."""
        days = (self.first + timedelta(days=number) for number in range(self.number))
        return tuple(each for each in days if each != self.day)


def days_of(rules: Drift, now_ms: int) -> Days:
    """Return the last day that is over, and what it is compared with."""
    day = datetime.fromtimestamp(now_ms / 1_000, UTC).date() - timedelta(days=1)
    return Days(day, rules.since or day - timedelta(days=rules.days), rules.days)


def drift_of(windows: Windows, rules: Drift, days: Days, tenant: str | None = None) -> list[Finding]:
    """Return what became of every figure of a day, of one tenant or all. Waits for the database."""
    reference = days.reference
    found = by_day(windows.signals(_ms(reference[0]), _ms(reference[-1]) + DAY_MS, tenant))
    today = by_day(windows.signals(_ms(days.day), _ms(days.day) + DAY_MS, tenant))
    whole = _with_mixes([today.get(days.day, {}), *(found.get(each, {}) for each in reference)])
    return assess(whole[0], whole[1:], rules.rules)


def by_day(windows: Iterable[SignalWindow]) -> dict[date, dict[What, Tally]]:
    """Return what was counted on each day, over all tenants that are there."""
    found: dict[date, dict[What, Tally]] = {}
    for each in windows:
        day = datetime.fromtimestamp(each.start_ms / 1_000, UTC).date()
        what = (each.cell.signal, each.cell.locale, each.cell.engine)
        counted = found.setdefault(day, {})
        counted[what] = counted.get(what, Tally()) + each.tally
    return found


def _with_mixes(days: Sequence[dict[What, Tally]]) -> list[dict[What, Tally]]:
    """Return days with how many finals each language and each engine had."""
    mixes = {"languages": 1, "engines": 2}
    names = {
        mix: sorted({what[place] for day in days for what in day if what[0] == _OF_FINALS})
        for mix, place in mixes.items()
    }
    whole = []
    for day in days:
        counted = dict(day)
        for mix, place in mixes.items():
            bins: dict[int, int] = {}
            for what, tally in day.items():
                if what[0] == _OF_FINALS:
                    at = names[mix].index(what[place])
                    bins[at] = bins.get(at, 0) + tally.n
            if bins:
                counted[mix,] = Tally(sum(bins.values()), 0.0, bins)
        whole.append(counted)
    return whole


def _ms(day: date) -> int:
    return round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1_000)
