"""Watches a service by its database: counts what was said of late, judges it, and says what changed."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from dragoman.domain.tally import Tally
from dragoman.monitoring.alerts import (
    AlertState,
    Reading,
    budget_readings,
    burn_readings,
    drift_readings,
    signal_readings,
    step,
)
from dragoman.monitoring.days import DAY_MS, Days, days_of, drift_of
from dragoman.monitoring.drift import Finding
from dragoman.monitoring.objectives import Counted, Status, status
from dragoman.monitoring.recorder import News, Recorder
from dragoman.monitoring.rules import MonitoringRules
from dragoman.store.alerts import AlertRecord, AlertStore
from dragoman.store.windows import HOUR_MS, Price, Windows

Line = Mapping[str, str | int | float]
Tell = Callable[[str, Line], None]
"""Writes a line for operators: its name, and what it says. No word of what was said is ever in it."""

_KEEP_DAYS: Final = 35
"""Windows are kept this much longer than drift and objectives need them."""


class Monitor:
    """The monitor of a server; all servers of a database see the same. Calls wait for it: keep them off event loops."""

    def __init__(
        self,
        windows: Windows,
        alerts: AlertStore,
        rules: MonitoringRules,
        price: Price,
        tell: Tell,
        urls: Sequence[str] = (),
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self.windows = windows
        self.alerts = alerts
        self.rules = rules
        self._tell = tell
        self._urls = urls
        self._now_ms = clock_ms
        self._recorder = Recorder(windows, rules.objectives, price, clock_ms)
        self._news = News()
        self._drift: tuple[Days, list[Finding]] | None = None

    def record(self, turned_away: Mapping[str, int]) -> None:
        """Count what was committed since the last time, and how often tenants found no room.

        Raises:
            StoreFailedError: if the database does not work.
        """
        self.note(self._recorder.record())
        if turned_away:
            self.note(self._recorder.refused(turned_away))

    def note(self, news: News) -> None:
        """Keep what was counted until it is written."""
        self._news.add(news)

    def judge(self, budgets: Mapping[str, float]) -> None:
        """Judge how all stands, tell who is to be told, and write what was counted; raises as ``record``.

        ``budgets`` are the shares that tenants have used of theirs.
        """
        self._write_news()
        statuses = self.statuses()
        self._alert(lambda name: name.startswith("burn_"), burn_readings(statuses))
        for rule in self.rules.alerts:
            counted = self._counted(rule.signal, rule.hours)
            self._alert(rule.name.__eq__, signal_readings(rule, counted))
        days = days_of(self.rules.drift, self._now_ms())
        if self._drift is None or self._drift[0] != days:
            self._drift = days, self.drift(days)
            self._alert("drift".__eq__, drift_readings(self._drift[1], self.rules.drift.severity))
            self.windows.forget(self._now_ms() - (self.rules.drift.days + _KEEP_DAYS) * DAY_MS)
        self._alert("budget".__eq__, budget_readings(budgets, self.rules.budget))
        for tenant, share in budgets.items():
            self._tell("monitor.budget", {"tenant": tenant, "used": round(share, 4)})

    def statuses(self, tenant: str | None = None) -> list[Status]:
        """Return how the objectives stand, of one tenant or all; raises as ``record``."""
        now_ms, rules = self._now_ms(), self.rules
        days = max((each.days for each in rules.objectives), default=0)
        windows: dict[str, dict[int, Counted]] = {}
        for each in self.windows.outcomes(now_ms - (days + 1) * DAY_MS, tenant):
            counted = windows.setdefault(each.objective, {})
            counted[each.start_ms] = counted.get(each.start_ms, Counted()) + Counted(each.good, each.total)
        return [status(each, windows.get(each.name, {}), rules.burns, now_ms) for each in rules.objectives]

    def drift(self, days: Days | None = None, tenant: str | None = None) -> list[Finding]:
        """Return what drifts on a day, or on the last one that is over; raises as ``record``."""
        return drift_of(self.windows, self.rules.drift, days or days_of(self.rules.drift, self._now_ms()), tenant)

    def _counted(self, signal: str, hours: int) -> list[tuple[str, Tally]]:
        since_ms = self._now_ms() - hours * HOUR_MS
        windows = self.windows.signals(since_ms - since_ms % HOUR_MS, self._now_ms() + 1, names=[signal])
        return [(each.cell.locale, each.tally) for each in windows]

    def _alert(self, is_of: Callable[[str], bool], readings: Iterable[Reading]) -> None:
        """Take the readings of rules of these names. What fires and is not read any more is over."""
        now_ms = self._now_ms()
        found = {(each.rule, each.subject): each for each in readings}
        for each in self.alerts.all():
            key = each.rule, each.subject
            if each.is_firing and is_of(each.rule) and key not in found:
                gone = "Nothing of this kind was counted any more."
                found[key] = Reading(each.rule, each.subject, each.severity, "well", gone)
        for reading in found.values():
            if reading.condition in ("bad", "well"):
                self._take(reading, now_ms)

    def _take(self, reading: Reading, now_ms: int) -> None:
        def decide(before: AlertRecord | None) -> AlertRecord | None:
            state = AlertState(before.is_firing, before.since_ms) if before else AlertState()
            after, change = step(state, reading, now_ms)
            if change is None:
                return None
            return AlertRecord(
                reading.rule, reading.subject, after.is_firing, after.since_ms, reading.severity, reading.message
            )

        if changed := self.alerts.change(reading.rule, reading.subject, decide, self._urls):
            record, what = changed
            line: Line = {"rule": record.rule, "subject": record.subject, "severity": record.severity}
            self._tell(f"alert.{what}", {**line, "message": record.message})

    def _write_news(self) -> None:
        """Write what was counted since the last time: Azure Monitor's rules read these lines."""
        news, self._news = self._news, News()
        for name, counted in news.outcomes.items():
            self._tell("monitor.outcomes", {"objective": name, "good": counted.good, "total": counted.total})
        for cell, tally in news.signals.items():
            place: Line = {"signal": cell.signal, "locale": cell.locale, "engine": cell.engine}
            self._tell("monitor.signal", {**place, "n": tally.n, "total": round(tally.total, 4)})
