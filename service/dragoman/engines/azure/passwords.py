"""Passwords for Azure Database for PostgreSQL: a token of Microsoft Entra ID, fresh for every connection."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from azure.core.exceptions import AzureError

from dragoman.domain.errors import StoreFailedError
from dragoman.engines.azure.access import AzureAccess, Identity, credential_of

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

_SCOPES: Final = {
    ".database.azure.com": ("azure.com", "https://ossrdbms-aad.database.windows.net/.default"),
    ".database.usgovcloudapi.net": ("azure.us", "https://ossrdbms-aad.database.usgovcloudapi.net/.default"),
    ".database.chinacloudapi.cn": ("azure.cn", "https://ossrdbms-aad.database.chinacloudapi.cn/.default"),
}
"""By the end of the server's host: its cloud, and the scope of tokens.

Source: learn.microsoft.com, "Use Microsoft Entra ID for authentication with PostgreSQL", read 2026-11.
"""


def entra_password(host: str, identity: Identity, client_id: str | None) -> Callable[[], str]:
    """Return what gives a token that the server at ``host`` takes for a password.

    It raises ``StoreFailedError`` if nobody gives us one.

    Raises:
        SettingsError: if this machine does not have the identity that is named.
    """
    cloud, scope = next((known for end, known in _SCOPES.items() if host.endswith(end)), _SCOPES[".database.azure.com"])
    return partial(
        token_of, credential_of(AzureAccess(f"https://database.{cloud}", None, identity, client_id), scope), scope
    )


def token_of(credential: "TokenCredential", scope: str) -> str:
    """Return a token.

    Raises:
        StoreFailedError: if nobody gives us one.
    """
    try:
        return credential.get_token(scope).token
    except AzureError as error:
        raise StoreFailedError(
            f"Nobody gives us a token for the database ({str(error).splitlines()[0]}); check the identity."
        ) from error
