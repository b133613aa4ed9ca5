import time
from typing import Any

import pytest
from azure.core.credentials import AccessToken

from dragoman.domain.errors import SettingsError
from dragoman.engines.azure.access import AzureAccess, Identity, credential_of, scope_of


@pytest.mark.parametrize(
    ("endpoint", "scope"),
    [
        ("https://speech.cognitiveservices.azure.com", "https://cognitiveservices.azure.com/.default"),
        ("https://speech.cognitiveservices.azure.us/", "https://cognitiveservices.azure.us/.default"),
        ("wss://speech.cognitiveservices.azure.cn:443/x", "https://cognitiveservices.azure.cn/.default"),
        ("https://speech.privatelink.cognitiveservices.azure.com", "https://cognitiveservices.azure.com/.default"),
        ("ws://127.0.0.1:8091", "https://cognitiveservices.azure.com/.default"),
    ],
)
def test_tokens_are_for_the_cloud_of_the_endpoint(endpoint: str, scope: str) -> None:
    assert scope_of(AzureAccess(endpoint)) == scope


def test_an_endpoint_is_a_url() -> None:
    with pytest.raises(SettingsError, match="westeurope"):
        AzureAccess("westeurope")


@pytest.mark.parametrize("identity", [Identity.DEFAULT, Identity.MANAGED, Identity.CLI])
def test_the_scope_of_the_cloud_is_asked_for(identity: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def get_token(self: Any, *scopes: str, **options: Any) -> AccessToken:
        asked.append(scopes)
        return AccessToken("x", int(time.time()) + 3_600)

    for name in ("ChainedTokenCredential", "ManagedIdentityCredential", "AzureCliCredential"):
        monkeypatch.setattr(f"azure.identity.{name}.get_token", get_token)
    credential = credential_of(AzureAccess("https://speech.cognitiveservices.azure.us", identity=identity))
    for _ in range(2):
        credential.get_token("https://cognitiveservices.azure.com/.default")
    assert asked == [("https://cognitiveservices.azure.us/.default",)]  # the second time it is at hand


def test_a_token_is_renewed_before_it_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    expires = iter([time.time() + 200, time.time() + 4_000])
    monkeypatch.setattr(
        "azure.identity.AzureCliCredential.get_token", lambda self, *scopes: AccessToken("x", int(next(expires)))
    )
    credential = credential_of(AzureAccess("https://one.cognitiveservices.azure.com", identity=Identity.CLI))
    first, second, third = (credential.get_token() for _ in range(3))
    assert first.expires_on < second.expires_on == third.expires_on
    assert credential_of(AzureAccess("https://one.cognitiveservices.azure.com", identity=Identity.CLI)) is credential


def test_a_workload_identity_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SettingsError, match="workload"):
        credential_of(AzureAccess("https://x.cognitiveservices.azure.com", identity=Identity.WORKLOAD))
