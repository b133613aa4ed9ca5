"""Nothing is opened by a key: services take tokens only, and no output gives a secret away.

Functions that list keys are not known to ``infra.check.bicep.functions``, so that no template can call one.
"""

import re
from collections.abc import Iterator
from typing import Final

from infra.check.bicep.deployment import Resource, Value
from infra.check.problem import Deployment, Problem, at

_WANTED: Final[dict[str, dict[tuple[str, ...], Value]]] = {
    "Microsoft.CognitiveServices/accounts": {("disableLocalAuth",): True},
    "Microsoft.Storage/storageAccounts": {
        ("allowSharedKeyAccess",): False,
        ("allowBlobPublicAccess",): False,
        ("supportsHttpsTrafficOnly",): True,
        ("minimumTlsVersion",): "TLS1_2",
    },
    "Microsoft.Storage/storageAccounts/blobServices/containers": {("publicAccess",): "None"},
    "Microsoft.ContainerRegistry/registries": {("adminUserEnabled",): False, ("anonymousPullEnabled",): False},
    "Microsoft.DBforPostgreSQL/flexibleServers": {
        ("authConfig", "passwordAuth"): "Disabled",
        ("authConfig", "activeDirectoryAuth"): "Enabled",
        ("administratorLoginPassword",): None,
    },
    "Microsoft.KeyVault/vaults": {("enableRbacAuthorization",): True, ("accessPolicies",): None},
    "Microsoft.OperationalInsights/workspaces": {("features", "disableLocalAuth"): True},
    "Microsoft.Insights/components": {("DisableLocalAuth",): True},
    "Microsoft.MachineLearningServices/workspaces": {("systemDatastoresAuthMode",): "Identity"},
    "Microsoft.MachineLearningServices/workspaces/onlineEndpoints": {("authMode",): "AADToken", ("keys",): None},
    "Microsoft.App/managedEnvironments": {
        ("appLogsConfiguration", "destination"): "azure-monitor",
        ("appLogsConfiguration", "logAnalyticsConfiguration"): None,
    },
}
_SECRETIVE: Final = re.compile(r"key|secret|password|sas|credential|token|connectionstring", re.IGNORECASE)
_SECRET: Final = re.compile(r"AccountKey=|SharedAccessSignature|[?&]sig=|Password=", re.IGNORECASE)


def keyless(deployment: Deployment) -> Iterator[Problem]:
    """Find what a key would open."""
    for type_, wanted in _WANTED.items():
        for resource in deployment.of_type(type_):
            for path, value in wanted.items():
                found = resource.get("properties", *path)
                if found != value:
                    yield at(resource, "keyless", f"{'.'.join(path)} must be {value!r}, and is {found!r}")
    for account in deployment.of_type("Microsoft.CognitiveServices/accounts"):
        if not account.get("properties", "customSubDomainName"):
            yield at(account, "subdomain", "tokens of Entra are taken at a custom subdomain only")
    for app in deployment.of_type("Microsoft.App/containerApps"):
        yield from _app(app)
    yield from _outputs(deployment)


def _app(app: Resource) -> Iterator[Problem]:
    for name in ("secrets", "registries"):
        listed = app.get("properties", "configuration", name)
        for each in listed if isinstance(listed, list) else []:
            assert isinstance(each, dict)
            if "value" in each or "passwordSecretRef" in each or not each.get("identity"):
                yield at(app, "keyless", f"{name} come by identity, not by value")


def _outputs(deployment: Deployment) -> Iterator[Problem]:
    for name, value in deployment.template.outputs.items():
        if _SECRETIVE.search(name) or (isinstance(value, str) and _SECRET.search(value)):
            yield Problem(
                deployment.template.source.path.name, "secret-output", f"the output {name} looks like a secret"
            )
