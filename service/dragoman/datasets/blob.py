"""Azure Blob Storage: folders of datasets in a container. The one module that knows its SDK."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlsplit

from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.storage.blob import ContainerClient, ExponentialRetry

from dragoman.datasets.limits import Allowance
from dragoman.datasets.paths import inside
from dragoman.datasets.places import HOSTS, BlobAccess, BlobPlace
from dragoman.domain.errors import SourceFailedError
from dragoman.engines.azure.access import AzureAccess, credential_of

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

T = TypeVar("T")

_SCOPE: Final = "https://storage.azure.com/.default"
"""Of tokens for storage, in every cloud. Source: learn.microsoft.com, "Authorize access to blobs", read 2026-11."""

_FORBIDDEN: Final = 403


@contextmanager
def open_place(place: BlobPlace, access: BlobAccess) -> Iterator["BlobFolder"]:
    """Open a connection; leaving the context closes it.

    Raises:
        SourceFailedError: if nobody gives us a token.
    """
    # By default the SDK waits for 15 s before it tries again.
    retries = ExponentialRetry(initial_backoff=1, increment_base=2, retry_total=4)
    credential = storage_credential(place, access)
    with ContainerClient(place.account_url, place.container, credential=credential, retry_policy=retries) as client:
        yield BlobFolder(client, place.prefix)


def storage_credential(place: BlobPlace, access: BlobAccess) -> "AzureNamedKeyCredential | TokenCredential":
    """Return what opens storage: the key, if there is one, or what gives tokens.

    Raises:
        SourceFailedError: if nobody gives us a token.
    """
    host = urlsplit(place.account_url).hostname or ""
    if access.key:
        name = host.partition(".")[0] if host.endswith(tuple(HOSTS)) else place.account_url.rpartition("/")[2]
        return AzureNamedKeyCredential(name, access.key)
    cloud = next((cloud for end, cloud in HOSTS.items() if host.endswith(end)), "azure.com")
    known = AzureAccess(f"https://storage.{cloud}", None, access.identity, access.client_id)
    credential = credential_of(known, _SCOPE)
    try:
        credential.get_token(_SCOPE)  # the SDK would try four times
    except ClientAuthenticationError as error:
        raise SourceFailedError(
            f"Nobody gives us a token for '{place.account_url}'; sign in, for example with: az login"
        ) from error
    return credential


class BlobFolder:
    """Blobs of a container whose names begin with ``prefix/``."""

    def __init__(self, client: ContainerClient, prefix: str) -> None:
        self._client = client
        self._prefix = f"{prefix}/" if prefix else ""

    def fetch(self, folder: Path, allowance: Allowance) -> None:
        """Write all blobs into a folder, under their names without the prefix; or the one that is called like it.

        Raises:
            SourceFailedError: if there are none, they are too large, or Azure does not give them.
        """
        alone = self._prefix.removesuffix("/")
        names = self._asked(lambda: list(self._client.list_blob_names(name_starts_with=alone)))
        files = [name for name in names if name.startswith(self._prefix) and not name.endswith("/")]
        files = files or [name for name in names if name == alone]
        if not files:
            raise SourceFailedError(f"There are no blobs under '{self._client.container_name}/{self._prefix}'.")
        for name in files:
            target = folder / inside(name.removeprefix(self._prefix) if name != alone else name.rpartition("/")[2])
            target.parent.mkdir(parents=True, exist_ok=True)
            self._asked(partial(self._fetch_one, name, target, allowance))

    def has(self, name: str) -> bool:
        """Return whether there is a blob of this name.

        Raises:
            SourceFailedError: if Azure does not say.
        """
        with self._client.get_blob_client(self._prefix + name) as blob:
            return self._asked(blob.exists)

    def write(self, name: str, file: Path) -> None:
        """Write a file as a blob of this name, in place of what was there.

        Raises:
            SourceFailedError: if Azure does not take it.
        """

        def upload() -> None:
            with file.open("rb") as content:
                self._client.upload_blob(self._prefix + name, content, overwrite=True).close()

        self._asked(upload)

    def names(self, folder: str) -> list[str]:
        """Return the names of all blobs that begin with ``folder/``.

        Raises:
            SourceFailedError: if Azure does not say.
        """
        whole = f"{self._prefix}{folder}/"
        found = self._asked(lambda: list(self._client.list_blob_names(name_starts_with=whole)))
        return [name.removeprefix(self._prefix) for name in found]

    def remove(self, name: str) -> None:
        """Remove the blob of a name.

        Raises:
            SourceFailedError: if Azure does not.
        """
        self._asked(lambda: self._client.delete_blob(self._prefix + name, delete_snapshots="include"))

    def _fetch_one(self, name: str, target: Path, allowance: Allowance) -> None:
        deadline_s = allowance.one_file()
        with self._client.get_blob_client(name) as blob, target.open("wb") as file:
            for block in blob.download_blob().chunks():
                allowance.spend(len(block), deadline_s)
                file.write(block)

    def _asked(self, ask: Callable[[], T]) -> T:
        where = f"'{self._client.url.partition('?')[0]}'"
        try:
            return ask()
        except ResourceNotFoundError as error:
            raise SourceFailedError(f"There is no such container or blob: {where}; check the address.") from error
        except ClientAuthenticationError as error:
            raise SourceFailedError(f"{where} does not know us; sign in, for example with: az login") from error
        except HttpResponseError as error:
            if error.status_code == _FORBIDDEN:
                raise SourceFailedError(
                    f"{where} does not let us in; we need the role 'Storage Blob Data Reader' (to push: Contributor)."
                ) from error
            raise SourceFailedError(f"{where} answers {error.status_code} ({error.reason}).") from error
        except AzureError as error:
            raise SourceFailedError(f"{where} cannot be reached: {str(error).splitlines()[0]}") from error
