"""Names that Azure takes.

Source: learn.microsoft.com, "Naming rules and restrictions for Azure resources", read 2026-11.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from infra.check.problem import Deployment, Problem, at

_NAMES: Final = {
    "Microsoft.App/containerApps": r"[a-z][a-z0-9-]{0,30}[a-z0-9]",
    "Microsoft.App/managedEnvironments": r"[A-Za-z][A-Za-z0-9-]{0,58}[A-Za-z0-9]",
    "Microsoft.CognitiveServices/accounts": r"[A-Za-z0-9][A-Za-z0-9-]{0,62}[A-Za-z0-9]",
    "Microsoft.Consumption/budgets": r"[A-Za-z0-9_-]{1,63}",
    "Microsoft.ContainerRegistry/registries": r"[A-Za-z0-9]{5,50}",
    "Microsoft.DBforPostgreSQL/flexibleServers": r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
    "Microsoft.DBforPostgreSQL/flexibleServers/databases": r"[A-Za-z_][A-Za-z0-9_-]{0,30}",
    "Microsoft.Insights/components": r"[^%&\\?/]{1,260}",
    "Microsoft.KeyVault/vaults": r"[A-Za-z](?!.*--)[A-Za-z0-9-]{1,22}[A-Za-z0-9]",
    "Microsoft.MachineLearningServices/workspaces": r"[A-Za-z0-9][A-Za-z0-9_-]{2,32}",
    "Microsoft.MachineLearningServices/workspaces/onlineEndpoints": r"[A-Za-z][A-Za-z0-9-]{1,30}[A-Za-z0-9]",
    "Microsoft.ManagedIdentity/userAssignedIdentities": r"[A-Za-z0-9][A-Za-z0-9_-]{2,62}",  # a role of PostgreSQL too
    "Microsoft.OperationalInsights/workspaces": r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]",
    "Microsoft.Resources/resourceGroups": r"[\w().-]{0,89}[\w()-]",
    "Microsoft.Storage/storageAccounts": r"[a-z0-9]{3,24}",
    "Microsoft.Storage/storageAccounts/blobServices/containers": r"[a-z0-9](?!.*--)[a-z0-9-]{2,62}",
}
_MOST_PARAMETERS: Final = 15
_MOST_LINES: Final = 150


def names(deployment: Deployment) -> Iterator[Problem]:
    """Find names that Azure refuses, two resources of one name, and a template that nobody oversees any more."""
    for type_, form in _NAMES.items():
        for resource in deployment.of_type(type_):
            name = resource.name.rpartition("/")[2]
            if not re.fullmatch(form, name):
                yield at(resource, "name", f"Azure takes no such name for a {type_.rpartition('/')[2]}")
    counted = Counter(resource.id.lower() for resource in deployment.template.resources)
    for resource in deployment.template.resources:
        if counted[resource.id.lower()] > 1:
            yield at(resource, "name-twice", "another resource has the same id")
    source = deployment.template.source
    parameters = sum(each.kind == "param" for each in source.symbols.values())
    if parameters > _MOST_PARAMETERS:
        yield Problem(source.path.name, "parameters", f"{parameters} parameters are more than {_MOST_PARAMETERS}")
    lines = len(source.path.read_text(encoding="utf-8").splitlines())
    if lines > _MOST_LINES:
        yield Problem(source.path.name, "lines", f"{lines} lines are more than {_MOST_LINES}")
