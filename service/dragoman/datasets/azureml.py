"""Azure Machine Learning: a version as a data asset of a workspace. The one module that knows its SDK."""

from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from azure.ai.ml import MLClient
from azure.ai.ml.constants import AssetTypes
from azure.ai.ml.entities import Data
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError, ResourceNotFoundError

from dragoman.datasets.dataset import Dataset
from dragoman.datasets.places import Workspace
from dragoman.datasets.pushing import check_papers
from dragoman.domain.errors import SourceFailedError
from dragoman.engines.azure.access import AzureAccess, Identity, credential_of

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken

_MOST_TAG_CHARACTERS: Final = 256


class DataAssets(Protocol):
    """What we ask of a workspace: ``MLClient.data`` plays it."""

    def get(self, name: str, version: str) -> Data:
        """Return an asset, or raise ``ResourceNotFoundError``."""
        ...

    def create_or_update(self, data: Data) -> Data:
        """Upload the folder at its path to the workspace's default store, and register it."""
        ...


def open_workspace(workspace: Workspace, identity: Identity, client_id: str | None) -> DataAssets:
    """Return the data assets of a workspace; nothing is asked of it yet."""
    credential = _AnyScope(identity, client_id)
    client = MLClient(credential, workspace.subscription, workspace.resource_group, workspace.name)
    assets: DataAssets = client.data
    return assets


def register(dataset: Dataset, folder: Path, assets: DataAssets) -> tuple[str, bool]:
    """Upload a folder that holds a version, and nothing else, as a data asset; its tags are the card.

    Returns ``azureml:NAME:VERSION``, which jobs take as an input, and whether it is new.

    Raises:
        DatasetRefusedError: if it is not said by what right it is used.
        SourceFailedError: if the workspace does not take it.
    """
    check_papers(dataset)
    # Names of assets have no dots.
    name, version = dataset.card.name.replace(".", "-"), dataset.version
    try:
        if _has(assets, name, version):
            return f"azureml:{name}:{version}", False
        asset = Data(
            name=name,
            version=version,
            type=AssetTypes.URI_FOLDER,
            path=str(folder),
            description=dataset.card.title or None,
            tags=_tags(dataset),
        )
        assets.create_or_update(asset)
    except ClientAuthenticationError as error:
        raise SourceFailedError("The workspace does not know us; sign in, for example with: az login") from error
    except HttpResponseError as error:
        raise SourceFailedError(f"The workspace answers {error.status_code} ({error.reason}).") from error
    except AzureError as error:
        raise SourceFailedError(f"The workspace cannot be reached, or refuses: {str(error).splitlines()[0]}") from error
    return f"azureml:{name}:{version}", True


def _has(assets: DataAssets, name: str, version: str) -> bool:
    try:
        assets.get(name=name, version=version)
    except ResourceNotFoundError:
        return False
    return True


def _tags(dataset: Dataset) -> dict[str, str]:
    card = dataset.card.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"name", "title"})
    counts = {
        "recordings": len(dataset.recordings),
        "cases": len(dataset.cases),
        "audio_s": dataset.audio_ms // 1_000,
        "locales": " ".join(sorted({locale for item in dataset.recordings for locale in item.locales})),
    }
    return {key: str(value)[:_MOST_TAG_CHARACTERS] for key, value in {**card, **counts}.items() if value}


class _AnyScope:
    """Gives tokens for whatever scope is asked for: the SDK needs some for management, and others for storage."""

    def __init__(self, identity: Identity, client_id: str | None) -> None:
        self._access = AzureAccess("https://management.azure.com", None, identity, client_id)

    def get_token(self, *scopes: str, **options: object) -> "AccessToken":
        """Return a token for the first of these scopes."""
        return credential_of(self._access, scopes[0]).get_token(scopes[0])
