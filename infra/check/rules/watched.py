"""What happens is seen: logs of every resource, alerts that reach somebody, and a budget."""

import re
from collections.abc import Iterator
from typing import Final

from infra.check.problem import Deployment, Problem, at

_LOGGED: Final = (
    "Microsoft.App/managedEnvironments",
    "Microsoft.CognitiveServices/accounts",
    "Microsoft.ContainerRegistry/registries",
    "Microsoft.DBforPostgreSQL/flexibleServers",
    "Microsoft.KeyVault/vaults",
    "Microsoft.MachineLearningServices/workspaces/onlineEndpoints",
    "Microsoft.Storage/storageAccounts/blobServices",
)
_ALERTS: Final = ("Microsoft.Insights/metricAlerts", "Microsoft.Insights/scheduledQueryRules")
_TOLD: Final = re.compile(r'"((?:session|job)\.[a-z_]+)"')
_NAMED: Final = re.compile(r'name == \\?"([a-z_]+)\\?"')
_SPANS: Final = frozenset({"session", "utterance"})


def watched(deployment: Deployment) -> Iterator[Problem]:
    """Find what nobody would see."""
    workspaces = {each.id for each in deployment.of_type("Microsoft.OperationalInsights/workspaces")}
    logged = {
        each.scope.id
        for each in deployment.of_type("Microsoft.Insights/diagnosticSettings")
        if each.scope is not None and each.get("properties", "workspaceId") in workspaces
    }
    for type_ in _LOGGED:
        for resource in deployment.of_type(type_):
            if resource.id not in logged:
                yield at(resource, "logs", "its logs go nowhere")
    yield from _alerts(deployment)
    budgets = deployment.of_type("Microsoft.Consumption/budgets")
    if not budgets:
        yield Problem(deployment.parameters.name, "budget", "there is no budget")
    for budget in budgets:
        if not str(budget.get("properties", "timePeriod", "startDate")).endswith("-01"):
            yield at(budget, "budget", "a budget begins on the first of a month")
        if not budget.get("properties", "notifications"):
            yield at(budget, "budget", "nobody is told of it")


def _alerts(deployment: Deployment) -> Iterator[Problem]:
    there = {each.id for each in deployment.template.resources}
    groups = {each.id for each in deployment.of_type("Microsoft.Insights/actionGroups")}
    sources = (deployment.project / "service" / "dragoman" / "api").glob("*.py")
    code = "\n".join(each.read_text(encoding="utf-8") for each in sources)
    for type_ in _ALERTS:
        alerts = deployment.of_type(type_)
        if not alerts:
            yield Problem(deployment.parameters.name, "alerts", f"there are no {type_.rpartition('/')[2]}")
        for alert in alerts:
            scopes = alert.get("properties", "scopes")
            if not isinstance(scopes, list) or not set(map(str, scopes)) <= there:
                yield at(alert, "alert-scope", "it looks at something that is not deployed")
            if not any(group in str(alert.get("properties", "actions")) for group in groups):
                yield at(alert, "alert-silent", "nobody is told of it")
            yield from (
                at(alert, "alert-query", f"the service tells nothing called '{name}'")
                for name in _unknown(str(alert.get("properties", "criteria")), code)
            )
    for workbook in deployment.of_type("Microsoft.Insights/workbooks"):
        for name in _unknown(str(workbook.get("properties", "serializedData")), code):
            yield at(workbook, "alert-query", f"the service tells nothing called '{name}'")


def _unknown(query: str, code: str) -> list[str]:
    """Return names of events and spans in a query that the service never tells."""
    events = {name for name in _TOLD.findall(query) if f'"{name}"' not in code}
    return sorted(events | (set(_NAMED.findall(query)) - _SPANS))
