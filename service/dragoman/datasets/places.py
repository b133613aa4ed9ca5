"""Addresses in Azure: of Blob Storage and of workspaces, what they mean, and as whom storage is reached."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from dragoman.domain.errors import SettingsError, SourceFailedError
from dragoman.engines.azure.access import Identity

HOSTS: Final = {
    ".blob.core.windows.net": "azure.com",
    ".blob.storage.azure.net": "azure.com",
    ".blob.core.usgovcloudapi.net": "azure.us",
    ".blob.core.chinacloudapi.cn": "azure.cn",
}
"""Ends of hosts, and the cloud that each is in."""


@dataclass(frozen=True, slots=True)
class BlobAccess:
    """As whom storage is reached. ``endpoint`` is of an account at an address of its own, such as an emulator's.

    Without a ``key`` a token is shown; keys are for emulators.
    """

    endpoint: str | None = None
    key: str | None = None
    identity: Identity = Identity.DEFAULT
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class BlobPlace:
    """A URL, taken apart: of an account, a container in it, and the beginning that names of blobs have in common."""

    account_url: str
    container: str
    prefix: str


def parse_place(url: str, access: BlobAccess) -> BlobPlace | None:
    """Return the folder of blobs that a URL means; ``None`` if it is no URL of Blob Storage.

    Raises:
        SourceFailedError: if it names no container.
    """
    if access.endpoint and url.startswith(access.endpoint.rstrip("/") + "/"):
        account_url = access.endpoint.rstrip("/")
        path = url[len(account_url) + 1 :]
    else:
        parts = urlsplit(url)
        if parts.scheme != "https" or not (parts.hostname or "").endswith(tuple(HOSTS)) or parts.query:
            return None
        account_url, path = f"https://{parts.hostname}", parts.path.lstrip("/")
    container, _, prefix = unquote(path).partition("/")
    if not container:
        raise SourceFailedError(f"'{url}' names no container; write https://ACCOUNT.blob.core.windows.net/CONTAINER.")
    return BlobPlace(account_url, container, prefix.strip("/"))


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace of Azure Machine Learning, and where it is."""

    subscription: str
    resource_group: str
    name: str


def parse_workspace(text: str | None) -> Workspace:
    """Return the workspace that ``SUBSCRIPTION/RESOURCE_GROUP/WORKSPACE`` means.

    Raises:
        SettingsError: if it is not set, or not written like this.
    """
    match (text or "").split("/"):
        case [subscription, group, name] if subscription and group and name:
            return Workspace(subscription, group, name)
        case _:
            raise SettingsError(
                "To push to Azure Machine Learning set DRAGOMAN_AZUREML_WORKSPACE to "
                "SUBSCRIPTION/RESOURCE_GROUP/WORKSPACE."
            )
