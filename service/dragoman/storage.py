"""Settings become storage: how the database is reached, and where accepted audio rests."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from dragoman.domain.errors import DependencyMissingError, SettingsError
from dragoman.settings import Settings

if TYPE_CHECKING:
    from dragoman.store.ports import Spool

_SYNC_MS: Final = 200


def database_password(settings: Settings) -> Callable[[], str] | None:
    """Return what the database is shown as a password for each connection; ``None`` if its URL says it all.

    Raises:
        DependencyMissingError, SettingsError: if there is no identity to show a token of.
    """
    if not settings.database_token:
        return None
    try:
        from dragoman.engines.azure.passwords import entra_password
    except ImportError as error:
        raise DependencyMissingError("Tokens need the extra 'azure': pip install 'dragoman[azure]'.") from error
    from dragoman.engines.azure.access import Identity

    host = urlsplit(settings.effective_database_url).hostname or ""
    return entra_password(host, Identity(settings.azure_identity), settings.azure_client_id)


def open_spool(settings: Settings) -> "Spool":
    """Open the spool: the container that is set, or a folder in ``data``. Close it.

    Raises:
        SettingsError: if the container's address is none.
        DependencyMissingError: if Blob Storage's SDK is not installed.
        SourceFailedError: if nobody gives us a token.
        SpoolFullError, SpoolFailedError: if the folder cannot be made.
    """
    if settings.spool is None:
        from dragoman.store.spool import FileSpool

        return FileSpool(settings.data / "spool", _SYNC_MS)
    try:
        from dragoman.datasets.blob import storage_credential
        from dragoman.store.blobs import BlobSpool, open_container
    except ImportError as error:
        raise DependencyMissingError("Blob Storage needs the extra 'blob': pip install 'dragoman[blob]'.") from error
    from dragoman.datasets.places import BlobAccess, parse_place
    from dragoman.engines.azure.access import Identity

    key = settings.blob_key.get_secret_value() if settings.blob_key else None
    access = BlobAccess(settings.blob_endpoint, key, Identity(settings.azure_identity), settings.azure_client_id)
    place = parse_place(settings.spool, access)
    if place is None:
        raise SettingsError(
            "DRAGOMAN_SPOOL is no address of a container; write https://ACCOUNT.blob.core.windows.net/CONTAINER."
        )
    container = open_container(place.account_url, place.container, storage_credential(place, access))
    return BlobSpool(container, place.prefix, _SYNC_MS)
