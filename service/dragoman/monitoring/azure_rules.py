"""The same rules for Azure Monitor: searches of the lines that servers write, as a template of Azure Resource Manager.

The lines are those of ``Monitor`` (``monitor.outcomes``, ``monitor.signal``, ``monitor.budget``, ``alert.fired``), one
JSON object each on standard error, which Container Apps hands to Log Analytics (``ContainerAppConsoleLogs``).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from dragoman.monitoring.objectives import Burn, Objective
from dragoman.monitoring.rules import MonitoringRules, SignalAlert

API_VERSION: Final = "2026-03-01"
_SCHEMA: Final = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"

_WINDOWS_S: Final = (300, 600, 900, 1_800, 2_700, 3_600, 7_200, 10_800, 14_400, 18_000, 21_600, 86_400, 172_800)
"""How far back a search may look. Source: Microsoft's reference of scheduledQueryRules (windowSize), read 2026-11."""

_LINES: Final = "ContainerAppConsoleLogs | extend line = parse_json(Log) | where tostring(line.event) == {event!r}"
_LEAST_N: Final = 10


@dataclass(frozen=True, slots=True)
class Search:
    """A search that finds something while somebody is to be told; it looks ``window_s`` back, every ``every_s``."""

    name: str
    title: str
    severity: int
    query: str
    window_s: int
    every_s: int


def searches(rules: MonitoringRules) -> Iterator[Search]:
    """Yield the rules as searches. Of more than two days Azure Monitor looks at the last two only."""
    for objective in rules.objectives:
        for burn in rules.burns:
            yield _burn(objective, burn)
    for alert in rules.alerts:
        yield _signal(alert)
    drift = f"{_lines('alert.fired')} | where tostring(line.rule) == 'drift'"
    yield Search("drift", "A figure drifts", rules.drift.severity, drift, 3_600, 3_600)
    budget = (
        f"{_lines('monitor.budget')} | summarize used = max(todouble(line.used)) by tenant = tostring(line.tenant)"
        f" | where used >= {rules.budget.warn_at:g}"
    )
    yield Search("budget", "A tenant has nearly used its budget", rules.budget.severity, budget, 3_600, 900)


def template(rules: MonitoringRules) -> dict[str, JsonValue]:
    """Return all searches as a template; its parameters are the workspace, and whose action groups are told."""
    return {
        "$schema": _SCHEMA,
        "contentVersion": "1.0.0.0",
        "parameters": {
            "workspaceId": {"type": "string", "metadata": {"description": "Log Analytics workspace of the servers."}},
            "actionGroups": {"type": "array", "metadata": {"description": "Ids of who is told."}},
            "location": {"type": "string", "defaultValue": "[resourceGroup().location]"},
            "prefix": {"type": "string", "defaultValue": "dragoman"},
        },
        "resources": [_resource(each) for each in searches(rules)],
    }


def _lines(event: str) -> str:
    return _LINES.format(event=event)


def _burn(objective: Objective, burn: Burn) -> Search:
    bad = 1 - objective.goal
    window_s = _window(burn.long_s)
    query = (
        f"{_lines('monitor.outcomes')} and tostring(line.objective) == {objective.name!r}"
        " | extend good = toint(line.good), total = toint(line.total),"
        f" is_late = TimeGenerated > ago({burn.short_s}s)"
        " | summarize good = sum(good), total = sum(total), late_good = sumif(good, is_late),"
        " late_total = sumif(total, is_late)"
        f" | where total >= {_LEAST_N} and late_total > 0"
        f" | extend long = todouble(total - good) / total / {bad:.6g},"
        f" short = todouble(late_total - late_good) / late_total / {bad:.6g}"
        f" | where long >= {burn.rate:g} and short >= {burn.rate:g}"
    )
    hours = f"{window_s / 3_600:g}h"
    every_s = 300 if burn.long_s <= 21_600 else 3_600
    title = f"{objective.title}: the error budget burns {burn.rate:g} times too fast over {hours}"
    return Search(f"burn-{objective.name.replace('_', '-')}-{hours}", title, burn.severity, query, window_s, every_s)


def _signal(alert: SignalAlert) -> Search:
    limit = f"> {alert.above:g}" if alert.above is not None else f"< {alert.below:g}"
    query = (
        f"{_lines('monitor.signal')} and tostring(line.signal) == {alert.signal!r}"
        " | summarize n = sum(toint(line.n)), total = sum(todouble(line.total)) by locale = tostring(line.locale)"
        f" | where n >= {alert.least_n} and total / n {limit}"
    )
    window_s = _window(alert.hours * 3_600)
    return Search(alert.name.replace("_", "-"), alert.title, alert.severity, query, window_s, min(3_600, window_s))


def _window(seconds: int) -> int:
    """Return the shortest window that Azure Monitor has and that is not shorter, or the longest."""
    return next((each for each in _WINDOWS_S if each >= seconds), _WINDOWS_S[-1])


def _resource(search: Search) -> dict[str, JsonValue]:
    return {
        "type": "Microsoft.Insights/scheduledQueryRules",
        "apiVersion": API_VERSION,
        "name": f"[concat(parameters('prefix'), '-{search.name}')]",
        "location": "[parameters('location')]",
        "kind": "LogAlert",
        "properties": {
            "displayName": search.title,
            "severity": search.severity,
            "enabled": True,
            "scopes": ["[parameters('workspaceId')]"],
            "evaluationFrequency": _duration(search.every_s),
            "windowSize": _duration(search.window_s),
            "autoMitigate": True,
            "skipQueryValidation": True,
            "criteria": {
                "allOf": [
                    {
                        "query": search.query,
                        "timeAggregation": "Count",
                        "operator": "GreaterThan",
                        "threshold": 0,
                        "failingPeriods": {"numberOfEvaluationPeriods": 1, "minFailingPeriodsToAlert": 1},
                    }
                ]
            },
            "actions": {"actionGroups": "[parameters('actionGroups')]"},
        },
    }


def _duration(seconds: int) -> str:
    """Return seconds as ISO 8601 has them: ``PT5M``, ``PT6H``, ``P2D``."""
    if seconds % 86_400 == 0:
        return f"P{seconds // 86_400}D"
    return f"PT{seconds // 3_600}H" if seconds % 3_600 == 0 else f"PT{seconds // 60}M"
