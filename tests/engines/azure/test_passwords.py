import time

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from dragoman.domain.errors import StoreFailedError
from dragoman.engines.azure.access import Identity
from dragoman.engines.azure.passwords import entra_password, token_of


class Scripted:
    """Gives tokens until there are no more."""

    def __init__(self, *tokens: str) -> None:
        self._tokens = list(tokens)
        self.scopes: list[str] = []

    def get_token(self, *scopes: str, **options: object) -> AccessToken:
        self.scopes += scopes
        if not self._tokens:
            raise ClientAuthenticationError("nobody is signed in")
        return AccessToken(self._tokens.pop(0), int(time.time()) + 3_600)


def test_a_token_is_the_password() -> None:
    somebody = Scripted("one", "two")
    assert [token_of(somebody, "scope"), token_of(somebody, "scope")] == ["one", "two"]
    assert somebody.scopes == ["scope", "scope"]


def test_without_a_token_the_database_cannot_be_reached_for_now() -> None:
    with pytest.raises(StoreFailedError, match="nobody is signed in") as caught:
        token_of(Scripted(), "scope")
    assert caught.value.retryable


@pytest.mark.parametrize(
    ("host", "scope"),
    [
        ("dragoman.postgres.database.azure.com", "https://ossrdbms-aad.database.windows.net/.default"),
        ("dragoman.postgres.database.usgovcloudapi.net", "https://ossrdbms-aad.database.usgovcloudapi.net/.default"),
        ("dragoman.postgres.database.chinacloudapi.cn", "https://ossrdbms-aad.database.chinacloudapi.cn/.default"),
        ("10.0.0.4", "https://ossrdbms-aad.database.windows.net/.default"),
    ],
)
def test_tokens_are_for_databases_of_the_servers_cloud(host: str, scope: str, monkeypatch: pytest.MonkeyPatch) -> None:
    somebody = Scripted("one")
    monkeypatch.setattr("azure.identity.AzureCliCredential.get_token", lambda _, *scopes: somebody.get_token(*scopes))
    assert entra_password(host, Identity.CLI, f"client of {host}")() == "one"
    assert somebody.scopes == [scope]
