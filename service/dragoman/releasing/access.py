"""Where a workspace is, and who we are there."""

import time
from dataclasses import dataclass
from typing import Final

from azure.core.credentials import AccessToken, TokenCredential

from dragoman.datasets.places import Workspace as Place
from dragoman.datasets.places import parse_workspace
from dragoman.domain.errors import SettingsError
from dragoman.engines.azure.access import AzureAccess, Identity, credential_of
from dragoman.settings import Settings

MANAGEMENT: Final = "https://management.azure.com"
ENDPOINTS: Final = "https://ml.azure.com/.default"
STORAGE: Final = "https://storage.azure.com/.default"
PROVIDER: Final = "Microsoft.MachineLearningServices"


@dataclass(frozen=True, slots=True)
class WorkspaceAccess:
    """A workspace; ``manager`` is the URL of Azure Resource Manager, Azure's own or that of an emulator."""

    place: Place
    credential: TokenCredential
    manager: str = MANAGEMENT

    @property
    def is_emulated(self) -> bool:
        """Whether it is not Azure's own."""
        return self.manager != MANAGEMENT

    @property
    def resource(self) -> str:
        """The workspace as ARM knows it."""
        place = self.place
        group = f"/subscriptions/{place.subscription}/resourceGroups/{place.resource_group}"
        return f"{group}/providers/{PROVIDER}/workspaces/{place.name}"


def access_of(settings: Settings) -> WorkspaceAccess:
    """Return the workspace that is set.

    Raises:
        SettingsError: if none is, or a token is set for Azure's own.
    """
    place = parse_workspace(settings.azureml_workspace)
    if settings.azureml_endpoint is None:
        if settings.azureml_token:
            raise SettingsError(
                "DRAGOMAN_AZUREML_TOKEN is for emulators, and none is set: Azure is shown a token of "
                "DRAGOMAN_AZURE_IDENTITY. Unset it, or set DRAGOMAN_AZUREML_ENDPOINT."
            )
        return WorkspaceAccess(place, _AnyScope(Identity(settings.azure_identity), settings.azure_client_id))
    if not settings.azureml_endpoint.startswith("https://"):
        raise SettingsError(
            f"'{settings.azureml_endpoint}' (DRAGOMAN_AZUREML_ENDPOINT) has no TLS, and Azure's SDKs send no token "
            "without it: use https://, and REQUESTS_CA_BUNDLE for the certificate of an emulator."
        )
    token = settings.azureml_token.get_secret_value() if settings.azureml_token else None
    credential: TokenCredential = (
        _OneToken(token) if token else _AnyScope(Identity(settings.azure_identity), settings.azure_client_id)
    )
    return WorkspaceAccess(place, credential, settings.azureml_endpoint.rstrip("/"))


class _AnyScope:
    """Gives tokens for whatever scope is asked for: management, storage and endpoints each need their own."""

    def __init__(self, identity: Identity, client_id: str | None) -> None:
        self._access = AzureAccess(MANAGEMENT, None, identity, client_id)

    def get_token(self, *scopes: str, **options: object) -> AccessToken:
        """Return a token for the first of these scopes."""
        return credential_of(self._access, scopes[0]).get_token(scopes[0])


class _OneToken:
    """Gives the token of an emulator, whatever it is for."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get_token(self, *scopes: str, **options: object) -> AccessToken:
        """Return the token."""
        return AccessToken(self._token, int(time.time()) + 3_600)
