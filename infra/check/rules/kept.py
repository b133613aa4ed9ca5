"""What is kept, how long, and what survives what: lifecycle, backups, zones, and who can reach it."""

from collections.abc import Iterator
from typing import Final

from infra.check.bicep.deployment import Resource, Value
from infra.check.problem import Deployment, Problem, at

_STORAGE, _DATABASE = "Microsoft.Storage/storageAccounts", "Microsoft.DBforPostgreSQL/flexibleServers"
_ZONES: Final[dict[str, tuple[tuple[str, ...], tuple[Value, ...]]]] = {
    _STORAGE: (("sku", "name"), ("Standard_ZRS", "Standard_GZRS")),
    _DATABASE: (("properties", "highAvailability", "mode"), ("ZoneRedundant",)),
    "Microsoft.ContainerRegistry/registries": (("properties", "zoneRedundancy"), ("Enabled",)),
    "Microsoft.App/managedEnvironments": (("properties", "zoneRedundant"), (True,)),
}
_PRIVATE: Final = {
    "Microsoft.CognitiveServices/accounts": (("publicNetworkAccess",), "account"),
    _STORAGE: (("publicNetworkAccess",), "blob"),
    "Microsoft.KeyVault/vaults": (("publicNetworkAccess",), "vault"),
    _DATABASE: (("network", "publicNetworkAccess"), "postgresqlServer"),
}
"""By type: where it says whether it is reached publicly, and the part of it that a private endpoint is of."""

_LEAST_BACKUP_DAYS: Final = 7
_SESSIONS: Final = "s_"
"""How names of accepted audio begin, as ids of sessions do."""


def kept(deployment: Deployment) -> Iterator[Problem]:
    """Find audio that stays, backups that are too few, and what zones and networks promise without keeping it."""
    yield from _spool(deployment)
    for database in deployment.of_type(_DATABASE):
        days = database.get("properties", "backup", "backupRetentionDays")
        if not isinstance(days, int) or days < _LEAST_BACKUP_DAYS:
            yield at(database, "backup", f"backups are kept for {_LEAST_BACKUP_DAYS} days at least")
    if deployment.template.symbol("zoneRedundant"):
        for type_, (path, wanted) in _ZONES.items():
            for each in deployment.of_type(type_):
                if each.get(*path) not in wanted:
                    yield at(each, "zones", f"{'.'.join(path)} is {each.get(*path)!r}: it would not survive its zone")
    if deployment.template.symbol("privateNetwork"):
        yield from _private(deployment)


def _spool(deployment: Deployment) -> Iterator[Problem]:
    for account in deployment.of_type(_STORAGE):
        if not account.name.startswith("st"):
            continue
        swept = [
            prefix
            for policy in deployment.of_type(f"{_STORAGE}/managementPolicies")
            if policy.name.startswith(account.name)
            for prefix in _prefixes(policy)
        ]
        if not any(each.partition("/")[2] == _SESSIONS for each in swept):
            yield at(account, "lifecycle", "accepted audio that nobody comes back for would stay for ever")
        if any(not each.partition("/")[2] for each in swept):
            yield at(account, "lifecycle", "a rule for all of a container deletes files of jobs under way")
        for blobs in deployment.of_type(f"{_STORAGE}/blobServices"):
            if blobs.name.startswith(account.name) and (
                blobs.get("properties", "isVersioningEnabled") is not False
                or blobs.get("properties", "deleteRetentionPolicy", "enabled") is not False
            ):
                yield at(blobs, "erasure", "deleted speech must be gone: no versions, no soft delete")


def _prefixes(policy: Resource) -> Iterator[str]:
    rules = policy.get("properties", "policy", "rules")
    for rule in rules if isinstance(rules, list) else []:
        found = _at(rule, "definition", "filters", "prefixMatch")
        yield from map(str, found if isinstance(found, list) else [])


def _private(deployment: Deployment) -> Iterator[Problem]:
    linked = set()
    for endpoint in deployment.of_type("Microsoft.Network/privateEndpoints"):
        for target, part in _targets(endpoint):
            linked.add((target.lower(), part))
    for type_, (path, part) in _PRIVATE.items():
        for each in deployment.of_type(type_):
            if each.get("properties", *path) != "Disabled":
                yield at(each, "public", "it is reached publicly, though its network is private")
            if (each.id.lower(), part) not in linked:
                yield at(each, "private-endpoint", f"no private endpoint of its '{part}' leads to it")
    zones = {each.name for each in deployment.of_type("Microsoft.Network/privateDnsZones")}
    for group in deployment.of_type("Microsoft.Network/privateEndpoints/privateDnsZoneGroups"):
        configs = group.get("properties", "privateDnsZoneConfigs")
        for config in configs if isinstance(configs, list) else []:
            zone = str(_at(config, "properties", "privateDnsZoneId")).rpartition("/")[2]
            if zone not in zones:
                yield at(group, "dns-zone", f"there is no zone {zone}")


def _targets(endpoint: Resource) -> Iterator[tuple[str, str]]:
    connections = endpoint.get("properties", "privateLinkServiceConnections")
    for each in connections if isinstance(connections, list) else []:
        groups = _at(each, "properties", "groupIds")
        for group in groups if isinstance(groups, list) else []:
            yield str(_at(each, "properties", "privateLinkServiceId")), str(group)


def _at(value: Value, *path: str) -> Value:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value
