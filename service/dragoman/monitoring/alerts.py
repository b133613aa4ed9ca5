"""When somebody is told that something is wrong, and when that it is well again. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from dragoman.domain.tally import Tally, added
from dragoman.monitoring.drift import Finding
from dragoman.monitoring.objectives import Status
from dragoman.monitoring.rules import BudgetAlert, SignalAlert
from dragoman.monitoring.signals import SIGNALS

Condition = Literal["bad", "well", "between", "unknown"]


@dataclass(frozen=True, slots=True)
class Reading:
    """How something stands now. ``rule`` and ``subject`` name it; ``message`` says it to people, without any speech."""

    rule: str
    subject: str
    severity: int
    condition: Condition
    message: str
    value: float | None = None


@dataclass(frozen=True, slots=True)
class AlertState:
    """Whether somebody was told of it, and since when it has been so; times are Unix time."""

    is_firing: bool = False
    since_ms: int = 0


def step(state: AlertState, reading: Reading, now_ms: int) -> tuple[AlertState, Literal["fired", "resolved"] | None]:
    """Return how an alert stands after a reading, and what somebody is told of.

    It is told once that it is bad, and once that it is well again; what is between, or not known, changes nothing.
    """
    if reading.condition == "bad" and not state.is_firing:
        return AlertState(is_firing=True, since_ms=now_ms), "fired"
    if reading.condition == "well" and state.is_firing:
        return AlertState(is_firing=False, since_ms=now_ms), "resolved"
    return state, None


def burn_readings(statuses: Iterable[Status], least_n: int = 10) -> Iterator[Reading]:
    """Yield how error budgets burn. An alert ends when the long window burns less too: the short one may rest."""
    for status in statuses:
        for burning in status.burnings:
            long_h, burn = burning.burn.long_s / 3_600, burning.burn
            condition: Condition = "unknown"
            if burning.long is not None and burning.total >= least_n:
                condition = "bad" if burning.is_burning else "well" if burning.long < burn.rate else "between"
            elif burning.long is None:
                condition = "well"  # nobody came for so long that nothing is known to go wrong
            rate = burning.long or 0.0
            yield Reading(
                f"burn_{status.objective.name}",
                f"{long_h:g}h",
                burn.severity,
                condition,
                f"{status.objective.title}: over {long_h:g} h the error budget burns {rate:.1f} times as fast as "
                f"it may ({burning.total} counted; the limit is {burn.rate:g}).",
                rate,
            )


def signal_readings(rule: SignalAlert, counted: Iterable[tuple[str, Tally]]) -> Iterator[Reading]:
    """Yield how a figure stands, by locale; ``counted`` is what was seen of it in the rule's hours."""
    by_locale: dict[str, list[Tally]] = {}
    for locale, tally in counted:
        by_locale.setdefault(locale, []).append(tally)
    for locale, found in sorted(by_locale.items()):
        whole = added(found)
        mean = whole.mean
        condition: Condition = "between"
        if mean is None or whole.n < rule.least_n:
            condition = "unknown"
        elif rule.is_bad(mean):
            condition = "bad"
        elif rule.is_well(mean):
            condition = "well"
        unit = SIGNALS[rule.signal].unit
        shown = f"{mean:.3g}{f' {unit}' if unit else ''}" if mean is not None else "not known"
        yield Reading(
            rule.name,
            locale,
            rule.severity,
            condition,
            f"{rule.title}{f' ({locale})' if locale else ''}: {shown} on average over {rule.hours} h "
            f"({whole.n} counted; the limit is {rule.limit:g}).",
            mean,
        )


def drift_readings(findings: Iterable[Finding], severity: int) -> Iterator[Reading]:
    """Yield which figures drift."""
    conditions: Mapping[str, Condition] = {"drift": "bad", "same": "well", "unknown": "unknown"}
    for each in findings:
        name, *where = each.what
        place = ", ".join(filter(None, where))
        title = SIGNALS[name].title if name in SIGNALS else f"Mix of {name}"
        means = f", mean {each.before:.3g} before, {each.after:.3g} now" if each.before and each.after else ""
        yield Reading(
            "drift",
            "/".join(each.what),
            severity,
            conditions[each.outcome],
            f"{title}{f' ({place})' if place else ''}: {each.test.upper()} "
            f"{each.distance or 0:.2f} (an ordinary day {each.usual or 0:.2f}){means}.",
            each.distance,
        )


def budget_readings(used: Mapping[str, float], rule: BudgetAlert) -> Iterator[Reading]:
    """Yield how much of their budgets tenants have used, as shares."""
    for tenant, share in sorted(used.items()):
        yield Reading(
            "budget",
            tenant,
            rule.severity,
            "bad" if share >= rule.warn_at else "well",
            f"Tenant {tenant} has used {share:.0%} of its budget.",
            share,
        )
