"""What the monitor has seen, as documents for doors, pages and terminals."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Final

from pydantic import JsonValue

from dragoman.domain.audio import SAMPLE_RATE_HZ
from dragoman.domain.tally import Cell, Tally, added
from dragoman.monitoring.costs import MICRO
from dragoman.monitoring.days import Days, days_of
from dragoman.monitoring.drift import Finding
from dragoman.monitoring.monitor import Monitor
from dragoman.monitoring.objectives import Counted, Status
from dragoman.monitoring.signals import SIGNALS
from dragoman.store.budgets import Account
from dragoman.store.windows import HOUR_MS, SignalWindow

Document = dict[str, JsonValue]

_DIGITS: Final = 6


def overview(monitor: Monitor, accounts: Iterable[Account], tenant: str | None, hours: int, now_ms: int) -> Document:
    """Return how all stands, of one tenant or all; waits for the database.

    Raises:
        StoreFailedError: if it does not work.
    """
    days = days_of(monitor.rules.drift, now_ms)
    since_ms = now_ms - now_ms % HOUR_MS - (hours - 1) * HOUR_MS
    alerts = [each.told() for each in monitor.alerts.all() if tenant is None or _is_of(each.rule, each.subject, tenant)]
    return {
        "as_of_ms": now_ms,
        "tenant": tenant,
        "hours": hours,
        "objectives": [objective_document(each) for each in monitor.statuses(tenant)],
        "outcomes": _outcomes(monitor, tenant, since_ms),
        "signals": _signals(monitor.windows.signals(since_ms, now_ms + 1, tenant)),
        "drift": drift_document(monitor, days, monitor.drift(days, tenant)),
        "alerts": list(alerts),
        "budgets": [account_document(each) for each in accounts if tenant in (None, each.tenant)],
    }


def drift_document(monitor: Monitor, days: Days, findings: Sequence[Finding]) -> Document:
    """Return what became of every figure of a day."""
    rules = monitor.rules.drift
    return {
        "day": days.day.isoformat(),
        "since": days.reference[0].isoformat(),
        "until": days.reference[-1].isoformat(),
        "alpha": rules.alpha,
        "least": {"ks": rules.least_ks, "psi": rules.least_psi, "n": rules.least_n, "days": rules.least_days},
        "findings": [_finding(each) for each in findings],
    }


def account_document(account: Account) -> Document:
    """Return how a tenant stands this month."""
    consumed = account.consumed
    return {
        "tenant": account.tenant,
        "month_ms": account.month_ms,
        "spent_usd": account.spent_micro / MICRO,
        "reserved_usd": account.reserved_micro / MICRO,
        "limit_usd": None if account.limit_micro is None else account.limit_micro / MICRO,
        "used": _rounded(account.used),
        "audio_s": round(consumed.samples / SAMPLE_RATE_HZ, 1),
        "characters": consumed.characters,
        "prompt_tokens": consumed.prompt_tokens,
        "completion_tokens": consumed.completion_tokens,
    }


def _is_of(rule: str, subject: str, tenant: str) -> bool:
    """Return whether an alert is about one tenant: others tell of everybody's sessions."""
    return rule == "budget" and subject == tenant


def objective_document(status: Status) -> Document:
    """Return how an objective stands."""
    objective = status.objective
    return {
        **objective.model_dump(mode="json"),
        "good": status.counted.good,
        "total": status.counted.total,
        "attained": _rounded(status.attained),
        "budget_left": _rounded(status.budget_left),
        "burns": [
            {
                **each.burn.model_dump(mode="json"),
                "long": _rounded(each.long),
                "short": _rounded(each.short),
                "is_burning": each.is_burning,
            }
            for each in status.burnings
        ],
    }


def _outcomes(monitor: Monitor, tenant: str | None, since_ms: int) -> Document:
    """Return outcomes by the hour: of every objective a list of when, how many were good, and of how many."""
    found: dict[str, dict[int, Counted]] = {each.name: {} for each in monitor.rules.objectives}
    for each in monitor.windows.outcomes(since_ms, tenant):
        by_hour = found.setdefault(each.objective, {})
        hour_ms = each.start_ms - each.start_ms % HOUR_MS
        by_hour[hour_ms] = by_hour.get(hour_ms, Counted()) + Counted(each.good, each.total)
    return {
        name: [[at, counted.good, counted.total] for at, counted in sorted(by_hour.items())]
        for name, by_hour in found.items()
    }


def _signals(windows: Iterable[SignalWindow]) -> list[JsonValue]:
    """Return every figure in every place: over all hours, and by the hour ``[when, how many, mean]``."""
    found: dict[Cell, dict[int, list[Tally]]] = {}
    for each in windows:
        found.setdefault(each.cell, {}).setdefault(each.start_ms, []).append(each.tally)
    order = {name: at for at, name in enumerate(SIGNALS)}
    known = [cell for cell in found if cell.signal in order]
    cells = sorted(known, key=lambda cell: (order[cell.signal], cell.locale, cell.engine))
    return [_signal(cell, {at: added(tallies) for at, tallies in found[cell].items()}) for cell in cells]


def _signal(cell: Cell, by_hour: Mapping[int, Tally]) -> Document:
    signal, whole = SIGNALS[cell.signal], added(by_hour.values())
    has_quantiles = signal.bins.count > 2  # of yes and no there is the share alone
    return {
        "signal": cell.signal,
        "title": signal.title,
        "unit": signal.unit,
        "of": signal.of,
        "side": signal.side,
        "worse": signal.worse,
        "locale": cell.locale,
        "engine": cell.engine,
        "n": whole.n,
        "mean": _rounded(whole.mean),
        "p50": _rounded(signal.bins.quantile(whole, 0.5)) if has_quantiles else None,
        "p95": _rounded(signal.bins.quantile(whole, 0.95)) if has_quantiles else None,
        "hours": [[at, tally.n, _rounded(tally.mean)] for at, tally in sorted(by_hour.items())],
    }


def _finding(finding: Finding) -> Document:
    signal, *where = finding.what
    known = SIGNALS.get(signal)
    locale, engine = (*where, "", "")[:2]
    figures = {name: value for name, value in asdict(finding).items() if name != "what"}
    return {
        "signal": signal,
        "title": known.title if known else f"Mix of {signal}",
        "side": known.side if known else "input",
        "locale": locale,
        "engine": engine,
        **{name: _rounded(value) if isinstance(value, float) else value for name, value in figures.items()},
    }


def _rounded(value: float | None) -> float | None:
    """Return as many digits as a reader needs; of a small probability its first ones."""
    if value is None or value == 0:
        return value
    return round(value, max(0, _DIGITS - 1 - math.floor(math.log10(abs(value)))))
