"""The files of jobs in Azure Blob Storage, where every server that shares the container finds them."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.storage.blob import ContainerClient

from dragoman.domain.errors import SpoolFailedError
from dragoman.store.folder import private_folder
from dragoman.store.job_files import file_error, gone_error

if TYPE_CHECKING:
    from azure.core.credentials import AzureNamedKeyCredential, TokenCredential

_CONNECT_S, _READ_S = 5, 30
_RETRIES: Final = 3
_FORBIDDEN: Final = 403
_BLOCK_BYTES: Final = 8 << 20


class BlobFiles:
    """A ``FileShelf``: a block blob per job, which appears whole or not at all. Closing it closes the client.

    ``scratch`` is a folder of this server alone, in which a file lies while it is worked on.
    """

    def __init__(self, container: ContainerClient, prefix: str, scratch: Path) -> None:
        self._container = container
        self._prefix = f"{prefix}/jobs/" if prefix else "jobs/"
        self._scratch = scratch
        self.place = f"{container.url}/{self._prefix}"

    def keep(self, job_id: str, source: BinaryIO) -> None:
        """Upload a file; see ``FileShelf``."""
        source.seek(0)
        try:
            with self._container.get_blob_client(self._prefix + job_id) as blob:
                blob.upload_blob(source, overwrite=True)
        except AzureError as error:
            raise _file_error(error) from error

    @contextmanager
    def fetched(self, job_id: str) -> Iterator[Path]:
        """Download a file, and delete it afterwards."""
        with tempfile.NamedTemporaryFile(dir=self._folder(), prefix=f"{job_id}-") as file:
            try:
                self._container.download_blob(self._prefix + job_id).readinto(file)
                file.flush()
            except ResourceNotFoundError as error:
                raise gone_error() from error
            except AzureError as error:
                raise _file_error(error) from error
            except OSError as error:
                raise file_error(error) from error
            yield Path(file.name)

    def drop(self, job_id: str) -> None:
        """Delete the blob, and what a worker that died has left of it here."""
        try:
            self._container.delete_blob(self._prefix + job_id, delete_snapshots="include")
        except ResourceNotFoundError:
            pass
        except AzureError as error:
            raise _file_error(error) from error
        for left in self._folder().glob(f"{job_id}-*"):
            left.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the client."""
        self._container.close()

    def _folder(self) -> Path:
        try:
            private_folder(self._scratch)
        except OSError as error:
            raise file_error(error) from error
        return self._scratch


def open_files(
    account_url: str,
    container: str,
    prefix: str,
    credential: "AzureNamedKeyCredential | TokenCredential",
    scratch: Path,
) -> BlobFiles:
    """Return the files in a container. What is uploaded twice is the same, so the client tries again by itself."""
    client = ContainerClient(
        account_url,
        container,
        credential=credential,
        retry_total=_RETRIES,
        connection_timeout=_CONNECT_S,
        read_timeout=_READ_S,
        max_block_size=_BLOCK_BYTES,
        max_single_put_size=_BLOCK_BYTES,
    )
    return BlobFiles(client, prefix, scratch)


def _file_error(error: AzureError) -> SpoolFailedError:
    if isinstance(error, ResourceNotFoundError):
        return SpoolFailedError("Blob Storage has no such container; check DRAGOMAN_SPOOL.")
    if isinstance(error, ClientAuthenticationError):
        return SpoolFailedError("Blob Storage does not know us; check the identity of this server.")
    if isinstance(error, HttpResponseError):
        if error.status_code == _FORBIDDEN:
            return SpoolFailedError("Blob Storage does not let us in; we need the role Storage Blob Data Contributor.")
        return SpoolFailedError(f"Blob Storage answers {error.status_code} ({error.reason}); try again later.")
    return SpoolFailedError(f"Blob Storage cannot be reached ({type(error).__name__}); try again later.")
