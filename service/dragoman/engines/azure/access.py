"""How Azure is reached: where, and as whom."""

import threading
import time
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Final

from dragoman.domain.errors import DependencyMissingError, EngineRefusedError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.core.credentials import AccessToken, TokenCredential

_SCOPES: Final = {
    "azure.com": "https://cognitiveservices.azure.com/.default",
    "azure.us": "https://cognitiveservices.azure.us/.default",
    "azure.cn": "https://cognitiveservices.azure.cn/.default",
}
_AUTHORITIES: Final = {
    "azure.us": "login.microsoftonline.us",
    "azure.cn": "login.chinacloudapi.cn",
}
"""By the end of an endpoint's host: the public cloud, Azure Government, Azure operated by 21Vianet."""


_RENEWED_S: Final = 300
"""So long before it expires a token is renewed; Azure accepts it to the end."""


class Identity(StrEnum):
    """Whose token is shown. ``DEFAULT`` tries them in the order of this list."""

    DEFAULT = "default"
    WORKLOAD = "workload-identity"
    MANAGED = "managed-identity"
    CLI = "cli"


@dataclass(frozen=True, slots=True)
class AzureAccess:
    """An endpoint with a custom subdomain, ``https://NAME.cognitiveservices.azure.com``, public or private.

    Without a ``key`` a token is shown; keys are for trying things out. ``client_id`` names a user-assigned identity.
    """

    endpoint: str
    key: str | None = None
    identity: Identity = Identity.DEFAULT
    client_id: str | None = None

    def __post_init__(self) -> None:
        if not self.endpoint.startswith(("https://", "http://", "wss://", "ws://")):
            raise SettingsError(
                f"'{self.endpoint}' is no endpoint; write it like 'https://NAME.cognitiveservices.azure.com'."
            )

    @property
    def cloud(self) -> str:
        """Return the end of the host that tells the cloud: ``azure.com``, if it is none that we know."""
        host = self.endpoint.partition("://")[2].partition("/")[0].partition(":")[0].lower()
        return next((end for end in _SCOPES if host.endswith("." + end)), "azure.com")


def scope_of(access: AzureAccess) -> str:
    """Return the scope of tokens for an endpoint, in its own cloud."""
    return _SCOPES[access.cloud]


@cache
def credential_of(access: AzureAccess, scope: str | None = None) -> "TokenCredential":
    """Return what gives tokens for an endpoint, in its own cloud: one for all sessions, for it keeps its tokens.

    Without a ``scope`` they are for AI Services.

    Raises:
        DependencyMissingError: if azure-identity is not installed.
        SettingsError: if this machine does not have the identity that is named.
    """
    try:
        from azure import identity
    except ImportError as error:
        raise DependencyMissingError(
            "Azure identities need the extra 'azure': pip install 'dragoman[azure]'."
        ) from error
    authority = _AUTHORITIES.get(access.cloud)
    clouded = {"authority": authority} if authority else {}
    client_id = access.client_id
    client = {"client_id": client_id} if client_id else {}
    kinds: dict[Identity, Callable[[], TokenCredential]] = {
        Identity.WORKLOAD: lambda: identity.WorkloadIdentityCredential(**clouded, **client),
        Identity.MANAGED: lambda: identity.ManagedIdentityCredential(client_id=client_id),
        Identity.CLI: lambda: identity.AzureCliCredential(),
    }
    if access.identity is not Identity.DEFAULT:
        try:
            return _Scoped(kinds[access.identity](), scope or scope_of(access))
        except ValueError as error:
            raise SettingsError(f"There is no {access.identity} here: {error}") from error
    usable = []
    for make in kinds.values():
        try:
            usable.append(make())
        except ValueError:  # a workload identity that this machine does not have
            continue
    return _Scoped(identity.ChainedTokenCredential(*usable), scope or scope_of(access))


def prove(access: AzureAccess) -> str:
    """Get a token, and say so.

    Raises:
        EngineRefusedError: if nobody gives us one.
    """
    if access.key:
        return "a key is set (an identity is better)"
    try:
        credential_of(access).get_token(scope_of(access))
    except Exception as error:
        raise EngineRefusedError(f"nobody gives us a token: {str(error).splitlines()[0]}") from error
    return f"a token of {access.identity} was given"


class _Scoped:
    """Asks for the scope of its cloud: the SDKs ask for that of the public cloud wherever they are.

    It keeps the token, for not every identity does: the CLI takes a second for each.
    """

    def __init__(self, inner: "TokenCredential", scope: str) -> None:
        self._inner = inner
        self._scope = scope
        self._asking = threading.Lock()
        self._token: AccessToken | None = None

    def get_token(self, *scopes: str, **options: object) -> "AccessToken":
        """Return a token for this cloud, whatever scopes are named."""
        with self._asking:
            if self._token is None or self._token.expires_on - time.time() < _RENEWED_S:
                self._token = self._inner.get_token(self._scope)
            return self._token
