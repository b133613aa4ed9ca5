"""What would stop ``azd up``, each found by what Azure answers about it."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from arm import Json
from preflight import INFRA, Finding, Model, Plan, examine, models_of, read_plan
from regions import FAST, REAL_TIME
from tests.infra.arm_double import ArmDouble, asking

NOW = datetime(2026, 11, 22, tzinfo=UTC)
MODEL = Model("gpt-5-mini", "2025-08-07", "GlobalStandard", 50)
PLAN = Plan("s-1", "dragoman-dev", "swedencentral", (MODEL,))
NAMESPACES = (
    *("App", "CognitiveServices", "Consumption", "ContainerRegistry", "DBforPostgreSQL", "Insights"),
    *("KeyVault", "MachineLearningServices", "ManagedIdentity", "OperationalInsights", "Storage"),
)
Answers = dict[str, Json | list[httpx.Response]]


def answers() -> Answers:
    """What a subscription says in which everything is ready."""
    return {
        "/permissions": {"value": [{"actions": ["*"], "notActions": []}]},
        "/providers": {
            "value": [{"namespace": f"Microsoft.{name}", "registrationState": "Registered"} for name in NAMESPACES]
        },
        "/deletedAccounts": {"value": []},
        "/deletedVaults": {"value": []},
        "/skus": {"value": [{"kind": "AIServices", "name": "S0", "locations": ["SWEDENCENTRAL"], "restrictions": []}]},
        "/models": {
            "value": [
                {
                    "kind": "AIServices",
                    "model": {
                        "name": "gpt-5-mini",
                        "version": "2025-08-07",
                        "deprecation": {"inference": "2027-08-01T00:00:00Z"},
                        "skus": [{"name": "GlobalStandard", "usageName": "OpenAI.GlobalStandard.gpt-5-mini"}],
                    },
                }
            ]
        },
        "/usages": {
            "value": [{"name": {"value": "OpenAI.GlobalStandard.gpt-5-mini"}, "currentValue": 100, "limit": 500}]
        },
    }


def found(given: Answers, plan: Plan = PLAN) -> list[Finding]:
    with asking(ArmDouble(given)) as (arm, _):
        return examine(arm, plan, NOW)


def test_where_everything_is_ready_nothing_is_said_against_it() -> None:
    findings = found(answers())
    assert {each.kind for each in findings} == {"ok"}
    assert len(findings) == 5


def _no_roles(given: Answers) -> None:
    given["/permissions"] = {"value": [{"actions": ["*"], "notActions": ["Microsoft.Authorization/*/Write"]}]}


def _no_provider(given: Answers) -> None:
    given["/providers"] = {"value": [{"namespace": "Microsoft.App", "registrationState": "NotRegistered"}]}


def _deleted_account(given: Answers) -> None:
    name = "/subscriptions/s-1/providers/x/locations/y/resourceGroups/RG-dragoman-dev/deletedAccounts/ai-abc"
    given["/deletedAccounts"] = {"value": [{"id": name, "name": "ai-abc"}]}


def _deleted_vault(given: Answers) -> None:
    vault = "/subscriptions/s-1/resourceGroups/rg-dragoman-dev/providers/Microsoft.KeyVault/vaults/kv-abc"
    given["/deletedVaults"] = {"value": [{"name": "kv-abc", "properties": {"vaultId": vault}}]}


def _no_account_here(given: Answers) -> None:
    given["/skus"] = {"value": [{"kind": "AIServices", "name": "S0", "locations": ["EASTUS"], "restrictions": []}]}


def _model(given: Answers, **changed: object) -> None:
    model = {
        "name": "gpt-5-mini",
        "version": "2025-08-07",
        "skus": [{"name": "GlobalStandard", "usageName": "OpenAI.GlobalStandard.gpt-5-mini"}],
        **changed,
    }
    given["/models"] = {"value": [{"kind": "AIServices", "model": model}]}  # type: ignore[dict-item]


def _no_version(given: Answers) -> None:
    _model(given, version="2026-01-01")


def _no_sku(given: Answers) -> None:
    _model(given, skus=[{"name": "DataZoneStandard", "usageName": "x"}])


def _retired(given: Answers) -> None:
    _model(given, deprecation={"inference": "2026-10-01T00:00:00Z"})


def _retired_sku(given: Answers) -> None:
    sku = {"name": "GlobalStandard", "usageName": "OpenAI.GlobalStandard.gpt-5-mini", "deprecationDate": "2026-11-01"}
    _model(given, skus=[sku])


def _no_quota(given: Answers) -> None:
    usage: Json = {"name": {"value": "OpenAI.GlobalStandard.gpt-5-mini"}, "currentValue": 470, "limit": 500}
    given["/usages"] = {"value": [usage]}


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (_no_roles, "You may not assign roles"),
        (_no_provider, "az provider register --namespace Microsoft.CognitiveServices"),
        (_deleted_account, "az cognitiveservices account purge --name ai-abc"),
        (_deleted_vault, "az keyvault purge --name kv-abc"),
        (_no_account_here, "cannot have AI Services (S0) in 'swedencentral'"),
        (_no_version, "There is no gpt-5-mini 2025-08-07 as GlobalStandard in 'swedencentral' (versions: 2026-01-01)"),
        (_no_sku, "(versions: 2025-08-07, as DataZoneStandard)"),
        (_retired, "retired on 2026-10-01"),
        (_retired_sku, "retired on 2026-11-01"),
        (_no_quota, "30 thousand tokens per minute are free, 50 are asked for"),
    ],
)
def test_what_would_stop_it_is_found_with_its_cure(broken: Callable[[Answers], None], said: str) -> None:
    given = answers()
    broken(given)
    (problem,) = [each for each in found(given) if each.kind != "ok"]
    assert problem.kind == "problem"
    assert said in problem.said


def test_what_another_environment_deleted_is_not_ours() -> None:
    given = answers()
    name = "/subscriptions/s-1/providers/x/locations/y/resourceGroups/rg-dragoman-dev2/deletedAccounts/ai-abc"
    given["/deletedAccounts"] = {"value": [{"id": name, "name": "ai-abc"}]}
    assert {each.kind for each in found(given)} == {"ok"}


def test_a_model_that_retires_soon_is_a_warning() -> None:
    given = answers()
    _model(given, deprecation={"inference": "2027-01-15T00:00:00Z"})
    (warning,) = [each for each in found(given) if each.kind != "ok"]
    assert (warning.kind, "retires on 2027-01-15" in warning.said) == ("warning", True)


def test_a_region_without_speech_is_a_problem_and_one_without_fast_transcription_a_warning() -> None:
    def kinds(location: str) -> set[str]:
        given = answers()
        given["/skus"] = {"value": [{"kind": "AIServices", "name": "S0", "locations": [location], "restrictions": []}]}
        return {each.kind for each in found(given, Plan("s-1", "dev", location, (MODEL,)))}

    assert kinds("spaincentral") == {"ok", "problem"}
    assert kinds("eastasia") == {"ok", "warning"}
    assert FAST < REAL_TIME
    assert len(REAL_TIME) == 33


def test_what_may_not_be_asked_is_a_warning_that_says_so() -> None:
    given = answers()
    given["/deletedVaults"] = [httpx.Response(403, json={"error": {"code": "AuthorizationFailed", "message": "no"}})]
    (warning,) = [each for each in found(given) if each.kind != "ok"]
    assert warning.kind == "warning"
    assert "Not checked: Azure refuses" in warning.said
    assert "Reader" in warning.said


def test_lists_are_read_to_their_last_page_and_a_busy_azure_is_asked_again() -> None:
    given = answers()
    url = "https://management.azure.com/subscriptions/s-1/providers/Microsoft.Authorization/permissions?page=2"
    given["/permissions"] = [
        httpx.Response(429, headers={"retry-after": "0"}),
        httpx.Response(200, json={"value": [], "nextLink": url}),
        httpx.Response(200, json={"value": [{"actions": ["Microsoft.Authorization/roleAssignments/*"]}]}),
    ]
    assert {each.kind for each in found(given)} == {"ok"}


@pytest.mark.parametrize("file", sorted(INFRA.glob("*.bicepparam")), ids=lambda file: file.name)
def test_the_models_of_our_own_parameter_files_are_read(file: Path) -> None:
    models = models_of(file.read_text())
    assert len(models) == file.read_text().count("capacity:") > 0
    assert all(each.capacity > 0 and each.version for each in models)


def test_what_azd_did_not_say_is_named() -> None:
    with pytest.raises(KeyError, match="AZURE_ENV_NAME"):
        read_plan({"AZURE_SUBSCRIPTION_ID": "s"}, "")
