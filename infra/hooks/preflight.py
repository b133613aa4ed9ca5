"""What would make ``azd up`` fail after a quarter of an hour, found in ten seconds; azd runs it before it provisions.

Reads what azd sets: AZURE_ENV_NAME, AZURE_LOCATION, AZURE_SUBSCRIPTION_ID; and the models in the parameter file.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, Literal

import httpx
from azure.identity import AzureCliCredential, AzureDeveloperCliCredential, ChainedTokenCredential

from arm import SCOPE, Arm, ArmError, Json, items, number, part, text, texts
from regions import FAST, READ_ON, REAL_TIME

INFRA: Final = Path(__file__).parents[1]
_AI: Final = "Microsoft.CognitiveServices"
_AI_VERSION: Final = "2024-10-01"
_RETIRES_SOON: Final = timedelta(days=90)
_ASSIGN: Final = "Microsoft.Authorization/roleAssignments/write"
_PROVIDERS: Final = (
    *("Microsoft.App", "Microsoft.CognitiveServices", "Microsoft.Consumption", "Microsoft.ContainerRegistry"),
    *("Microsoft.DBforPostgreSQL", "Microsoft.Insights", "Microsoft.KeyVault", "Microsoft.MachineLearningServices"),
    *("Microsoft.ManagedIdentity", "Microsoft.OperationalInsights", "Microsoft.Storage"),
)
_MODEL: Final = re.compile(
    r"name: *'(?P<name>[^']+)' *,? *\s*version: *'(?P<version>[^']+)' *,? *\s*"
    r"sku: *'(?P<sku>[^']+)' *,? *\s*capacity: *(?P<capacity>\d+)"
)


@dataclass(frozen=True, slots=True)
class Model:
    """A language model to deploy; ``capacity`` is in thousands of tokens per minute."""

    name: str
    version: str
    sku: str
    capacity: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What is about to be made, and where."""

    subscription: str
    environment: str
    location: str
    models: tuple[Model, ...]

    @property
    def scope(self) -> str:
        """Return the path of the subscription."""
        return f"/subscriptions/{self.subscription}"

    @property
    def group(self) -> str:
        """Return the name of the resource group, as the template gives it."""
        return f"rg-{self.environment}"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, with the cure in it; a problem stops."""

    kind: Literal["ok", "warning", "problem"]
    said: str


def models_of(parameters: str) -> tuple[Model, ...]:
    """Return the models that a ``.bicepparam`` file deploys."""
    return tuple(
        Model(found["name"], found["version"], found["sku"], int(found["capacity"]))
        for found in _MODEL.finditer(parameters)
    )


def check_rights(arm: Arm, plan: Plan) -> Iterator[Finding]:
    """Look whether we may assign roles, without which nothing may reach anything."""
    granted = list(arm.list(f"{plan.scope}/providers/Microsoft.Authorization/permissions", "2022-04-01"))
    if any(_covers(each, "actions") and not _covers(each, "notActions") for each in granted):
        yield Finding("ok", "roles may be assigned")
    else:
        yield Finding(
            "problem",
            f"You may not assign roles ({_ASSIGN}) in this subscription. "
            "Ask for Owner, or Role Based Access Control Administrator, beside Contributor.",
        )


def check_providers(arm: Arm, plan: Plan) -> Iterator[Finding]:
    """Look whether the subscription knows the kinds of resources that are made."""
    states = {
        text(each, "namespace"): text(each, "registrationState")
        for each in arm.list(f"{plan.scope}/providers", "2021-04-01")
    }
    missing = [name for name in _PROVIDERS if states.get(name) != "Registered"]
    if missing:
        commands = "; ".join(f"az provider register --namespace {name}" for name in missing)
        yield Finding("problem", f"Not registered in this subscription: {', '.join(missing)}. Do: {commands}")
    else:
        yield Finding("ok", f"{len(_PROVIDERS)} resource providers are registered")


def check_names(arm: Arm, plan: Plan) -> Iterator[Finding]:
    """Look for what was deleted and still holds its name: made again, it would have the same."""
    accounts = arm.list(f"{plan.scope}/providers/{_AI}/deletedAccounts", _AI_VERSION)
    vaults = arm.list(f"{plan.scope}/providers/Microsoft.KeyVault/deletedVaults", "2023-07-01")
    ours = f"/resourcegroups/{plan.group}/".lower()
    where = f"--resource-group {plan.group} --location {plan.location}"
    found = [
        (f"AI Services account '{name}'", f"az cognitiveservices account purge --name {name} {where}")
        for each in accounts
        if ours in text(each, "id").lower() and (name := text(each, "name"))
    ] + [
        (f"Key Vault '{name}'", f"az keyvault purge --name {name}")
        for each in vaults
        if ours in text(part(each, "properties"), "vaultId").lower() and (name := text(each, "name"))
    ]
    for what, purge in found:
        said = f"The deleted {what} still holds its name. Purge it ({purge}), or choose another environment name."
        yield Finding("problem", said)
    if not found:
        yield Finding("ok", "no deleted resource holds a name")


def check_speech(arm: Arm, plan: Plan) -> Iterator[Finding]:
    """Look whether the region has Speech with language identification, and AI Services at all."""
    place = plan.location
    if place not in REAL_TIME:
        yield Finding(
            "problem",
            f"Azure Speech does not identify languages or translate in '{place}' (page of {READ_ON}). "
            f"Set AZURE_LOCATION to one of: {', '.join(sorted(FAST))}.",
        )
    elif place not in FAST:
        yield Finding(
            "warning", f"No fast transcription in '{place}' (page of {READ_ON}): files are left to the local models."
        )
    else:
        yield Finding("ok", f"Speech hears, identifies and translates in {place}")
    places = {
        where.lower()
        for each in arm.list(f"{plan.scope}/providers/{_AI}/skus", _AI_VERSION)
        if text(each, "kind") == "AIServices" and text(each, "name") == "S0" and not items(each, "restrictions")
        for where in texts(each, "locations")
    }
    if place.lower() not in places:
        yield Finding("problem", f"This subscription cannot have AI Services (S0) in '{place}'. Choose another region.")


def check_models(arm: Arm, plan: Plan, now: datetime) -> Iterator[Finding]:
    """Look whether each model is there, is not about to retire, and has the quota that is asked for."""
    where = f"{plan.scope}/providers/{_AI}/locations/{plan.location}"
    there = [
        part(each, "model")
        for each in arm.list(f"{where}/models", _AI_VERSION)
        if text(each, "kind") in ("AIServices", "OpenAI")
    ]
    usages = {text(part(each, "name"), "value"): each for each in arm.list(f"{where}/usages", _AI_VERSION)}
    for model in plan.models:
        versions = {text(each, "version"): each for each in there if text(each, "name") == model.name}
        skus = {text(sku, "name"): sku for sku in items(versions.get(model.version, {}), "skus")}
        sku = skus.get(model.sku)
        if sku is None:
            known = ", ".join(sorted(versions)) or "none"
            kinds = f", as {', '.join(sorted(skus))}" if skus else ""
            yield Finding(
                "problem",
                f"There is no {model.name} {model.version} as {model.sku} in '{plan.location}' "
                f"(versions: {known}{kinds}). Change models in the parameter file, or the region.",
            )
            continue
        yield from _retirement(model, versions[model.version], sku, now)
        yield from _quota(model, sku, usages)


def _retirement(model: Model, found: Json, sku: Json, now: datetime) -> Iterator[Finding]:
    dates = [text(sku, "deprecationDate"), text(part(found, "deprecation"), "inference")]
    known = [datetime.fromisoformat(date) for date in dates if date]
    if not known:
        return
    end = min(date if date.tzinfo else date.replace(tzinfo=UTC) for date in known)
    if end <= now:
        yield Finding(
            "problem",
            f"{model.name} {model.version} retired on {end:%Y-%m-%d}. Name its successor in the parameter file.",
        )
    elif end - now < _RETIRES_SOON:
        yield Finding(
            "warning",
            f"{model.name} {model.version} retires on {end:%Y-%m-%d}: evaluate its successor now (dragoman evaluate).",
        )


def _quota(model: Model, sku: Json, usages: dict[str, Json]) -> Iterator[Finding]:
    name = text(sku, "usageName")
    usage = usages.get(name)
    if usage is None:
        yield Finding("warning", f"The quota of {model.name} ({name or model.sku}) is not told; it may be too small.")
        return
    free = number(usage, "limit") - number(usage, "currentValue")
    if free < model.capacity:
        yield Finding(
            "problem",
            f"Quota {name}: {free:g} thousand tokens per minute are free, {model.capacity} are asked for. "
            "Ask for more at ai.azure.com/quota, or lower capacity in the parameter file.",
        )
    else:
        yield Finding("ok", f"{model.name} {model.version}: {model.capacity} of {free:g} thousand tokens per minute")


def _covers(permission: Json, kind: str) -> bool:
    return any(fnmatchcase(_ASSIGN.lower(), pattern.lower()) for pattern in texts(permission, kind))


def examine(arm: Arm, plan: Plan, now: datetime) -> list[Finding]:
    """Run every check; one that Azure does not let us make is a warning: it says nothing about what would happen."""
    findings: list[Finding] = []
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        lambda: check_rights(arm, plan),
        lambda: check_providers(arm, plan),
        lambda: check_names(arm, plan),
        lambda: check_speech(arm, plan),
        lambda: check_models(arm, plan, now),
    )
    for check in checks:
        try:
            findings += check()
        except ArmError as error:
            findings.append(Finding("warning", f"Not checked: {error}"))
    return findings


def read_plan(environment: dict[str, str], parameters: str) -> Plan:
    """Return what azd is about to make.

    Raises:
        KeyError: if azd did not say; it names the variable.
    """
    return Plan(
        environment["AZURE_SUBSCRIPTION_ID"],
        environment["AZURE_ENV_NAME"],
        environment["AZURE_LOCATION"].lower(),
        models_of(parameters),
    )


def main() -> int:
    """Print what was found; 1 if something would fail."""
    file = INFRA / "main.bicepparam"
    try:
        plan = read_plan(dict(os.environ), file.read_text())
    except KeyError as error:
        print(f"{error.args[0]} is not set; azd sets it: azd env new, azd provision.", file=sys.stderr)
        return 1
    credential = ChainedTokenCredential(AzureDeveloperCliCredential(), AzureCliCredential())
    with httpx.Client(timeout=30) as http:
        findings = examine(Arm(http, lambda: credential.get_token(SCOPE).token), plan, datetime.now(UTC))
    for each in findings:
        print(f"  {each.kind:8} {each.said}")
    problems = sum(each.kind == "problem" for each in findings)
    if problems:
        print(f"{problems} of these would stop 'azd up'. Nothing was made.", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
