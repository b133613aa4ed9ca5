"""Who may do what: identities have the roles that the code needs, where it needs them, and no others.

Ids of built-in roles are the same everywhere. Source: learn.microsoft.com, "Azure built-in roles", read 2026-11.
"""

from collections.abc import Iterator
from typing import Final

from infra.check.bicep.deployment import Resource
from infra.check.problem import Deployment, Problem, at

ROLES: Final = {
    "7f951dda-4ed3-4680-a7ca-43fe172d538d": "AcrPull",
    "f6c7c914-8db3-469d-8ca1-694a8f32e121": "AzureML Data Scientist",
    "635dd51f-9968-44d3-b7fb-6d9a6bd613ae": "AzureML Metrics Writer",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": "Storage Blob Data Reader",
    "a97b65f3-24c7-4388-baec-2e87135dc908": "Cognitive Services User",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
    "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd": "Cognitive Services OpenAI User",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "f2dc8367-1007-4938-bd23-fe263f013447": "Cognitive Services Speech User",
}

_ACCOUNT, _SPOOL, _DATA = "Microsoft.CognitiveServices/accounts", "st", "ml"
NEEDED: Final = {
    "id-service": {
        ("ai", "Cognitive Services Speech User"),  # streams and recordings
        ("ai", "Cognitive Services User"),  # Translator, Content Safety
        ("ai", "Cognitive Services OpenAI User"),
        ("st", "Storage Blob Data Contributor"),  # the spool is written and deleted
        ("kv", "Key Vault Secrets User"),
        ("cr", "AcrPull"),
        ("appi", "Monitoring Metrics Publisher"),
        ("insight", "AzureML Data Scientist"),  # may call the endpoint
    },
    "id-flow": {
        ("ai", "Cognitive Services User"),
        ("ai", "Cognitive Services OpenAI User"),
        ("ml", "Storage Blob Data Reader"),
        ("cr", "AcrPull"),
        ("appi", "Monitoring Metrics Publisher"),
        ("mlw", "AzureML Metrics Writer"),
    },
}
"""By the beginning of an identity's name: the beginning of a resource's name, and the role there."""


def roles(deployment: Deployment) -> Iterator[Problem]:
    """Find roles that are not known, missing or too many."""
    identities = deployment.of_type("Microsoft.ManagedIdentity/userAssignedIdentities")
    owners = {each.member("id"): each for each in identities}
    principals = {_principal(each): each.name.rpartition("-")[0] for each in owners.values()}
    given: dict[str, dict[tuple[str, str], Resource]] = {name: {} for name in principals.values()}
    for assignment in deployment.of_type("Microsoft.Authorization/roleAssignments"):
        role = str(assignment.get("properties", "roleDefinitionId")).rpartition("/")[2]
        if role not in ROLES:
            yield at(assignment, "role-unknown", f"{role} is no built-in role that is known here")
            continue
        if assignment.scope is None:
            yield at(assignment, "role-scope", f"{ROLES[role]} is for one resource, not for all of a group")
            continue
        who = principals.get(str(assignment.get("properties", "principalId")))
        if who is None:
            continue
        if assignment.get("properties", "principalType") != "ServicePrincipal":
            yield at(assignment, "role-principal", "the principal of an identity is a ServicePrincipal")
        given[who][_begins(assignment.scope), ROLES[role]] = assignment
    for who, needed in NEEDED.items():
        for where, role in sorted(needed - given.get(who, {}).keys()):
            yield Problem(deployment.parameters.name, "role-missing", f"{who} has no {role} on {where}-…")
        for where, role in sorted(given.get(who, {}).keys() - needed):
            yield at(given[who][where, role], "role-excess", f"{who} needs no {role} on {where}-…")


def _principal(identity: Resource) -> str:
    properties = identity.member("properties")
    assert isinstance(properties, dict)
    return str(properties["principalId"])


def _begins(resource: Resource) -> str:
    name = resource.name.rpartition("/")[2]
    return name.partition("-")[0] if "-" in name else name[:2]
