"""What Azure adds to a resource when it is there: the properties that templates and the service read from it.

Forms of addresses are those that Azure documents; the values are made up, and the same every time. Which of them were
never seen on Azure itself is in docs/azure-fidelity.md.
"""

import uuid
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.check.bicep.deployment import Resource, Value


def answers(resource: "Resource") -> "dict[str, Value]":
    """Return what can be read under ``properties`` beyond what the template sets."""
    made = _BY_TYPE.get(resource.type.lower())
    return made(resource) if made else {}


def identity_number(resource_id: str, what: str) -> str:
    """Return the id of an identity: its principal, or its client."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{resource_id}|{what}"))


def _ai(resource: "Resource") -> "dict[str, Value]":
    name = resource.get("properties", "customSubDomainName")
    # Without a name of its own an account is reached at the address of its region, which takes keys only.
    host = name if isinstance(name, str) else f"{resource.get('location')}.api"
    ends = "cognitiveservices.azure.com" if isinstance(name, str) else "cognitive.microsoft.com"
    return {"endpoint": f"https://{host}.{ends}/"}


def _insights(resource: "Resource") -> "dict[str, Value]":
    key = identity_number(resource.id, "key")
    place = f"https://{resource.get('location')}-0.in.applicationinsights.azure.com/"
    return {"ConnectionString": f"InstrumentationKey={key};IngestionEndpoint={place}"}


def _endpoint(resource: "Resource") -> "dict[str, Value]":
    host = f"{resource.name.rpartition('/')[2]}.{resource.get('location')}.inference.ml.azure.com"
    return {"scoringUri": f"https://{host}/score"}


_BY_TYPE: "Final[dict[str, Callable[[Resource], dict[str, Value]]]]" = {
    "microsoft.managedidentity/userassignedidentities": lambda it: {
        "principalId": identity_number(it.id, "principal"),
        "clientId": identity_number(it.id, "client"),
    },
    "microsoft.cognitiveservices/accounts": _ai,
    "microsoft.insights/components": _insights,
    "microsoft.storage/storageaccounts": lambda it: {
        "primaryEndpoints": {"blob": f"https://{it.name}.blob.core.windows.net/"}
    },
    "microsoft.keyvault/vaults": lambda it: {"vaultUri": f"https://{it.name}.vault.azure.net/"},
    "microsoft.containerregistry/registries": lambda it: {"loginServer": f"{it.name}.azurecr.io"},
    "microsoft.dbforpostgresql/flexibleservers": lambda it: {
        "fullyQualifiedDomainName": f"{it.name}.postgres.database.azure.com"
    },
    "microsoft.machinelearningservices/workspaces/onlineendpoints": _endpoint,
    "microsoft.app/containerapps": lambda it: {
        "configuration": {"ingress": {"fqdn": f"{it.name}.lively-sand.{it.get('location')}.azurecontainerapps.io"}}
    },
}
