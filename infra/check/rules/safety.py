"""Language models stand behind a policy that blocks what speech of strangers may bring, and are deployed one by one."""

from collections.abc import Iterator
from typing import Final

from infra.check.bicep.deployment import Resource
from infra.check.problem import Deployment, Problem, at

_HARMS: Final = ("Hate", "Sexual", "Violence", "Selfharm")
_FILTERS: Final = {
    *((harm, source) for harm in _HARMS for source in ("Prompt", "Completion")),
    ("Jailbreak", "Prompt"),
    ("Indirect Attack", "Prompt"),
}


def safety(deployment: Deployment) -> Iterator[Problem]:
    """Find models that no policy guards, and policies that only look on."""
    policies = {each.name.rpartition("/")[2]: each for each in deployment.of_type(f"{_ACCOUNTS}/raiPolicies")}
    for policy in policies.values():
        yield from _policy(policy)
    models = deployment.of_type(f"{_ACCOUNTS}/deployments")
    if not models:
        yield Problem(deployment.parameters.name, "models", "no language model is deployed")
    for model in models:
        if model.get("properties", "raiPolicyName") not in policies:
            yield at(model, "rai", "no policy of ours guards it")
        if model.get("properties", "versionUpgradeOption") != "NoAutoUpgrade":
            yield at(model, "rai", "its version may change without an evaluation")
        value = model.declared.value
        if value is not None and value.type == "for_statement" and "batchSize" not in model.declared.decorators:
            yield at(model, "batch-size", "deployments of an account are made one after another: @batchSize(1)")


_ACCOUNTS: Final = "Microsoft.CognitiveServices/accounts"


def _policy(policy: Resource) -> Iterator[Problem]:
    if policy.get("properties", "mode") != "Blocking":
        yield at(policy, "rai", "a policy that does not block is told of attacks when they have happened")
    filters = policy.get("properties", "contentFilters")
    blocking = {
        (each["name"], each["source"])
        for each in (filters if isinstance(filters, list) else [])
        if isinstance(each, dict) and each.get("blocking") is True and each.get("enabled") is True
    }
    for name, source in sorted(_FILTERS - blocking):
        yield at(policy, "rai", f"'{name}' in a {source.lower()} is not blocked")
