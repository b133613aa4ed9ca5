"""Settings become storage: how the database is reached, and where accepted audio rests."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from dragoman.domain.errors import DependencyMissingError, SettingsError, StoreFailedError
from dragoman.evaluation.cost import DEFAULT_PRICES, Prices, read_prices
from dragoman.settings import Settings
from dragoman.store.folder import private_folder

if TYPE_CHECKING:
    from azure.core.credentials import AzureNamedKeyCredential, TokenCredential
    from sqlalchemy import Engine

    from dragoman.monitoring.monitor import Monitor
    from dragoman.store.audit import AuditTrail
    from dragoman.store.budgets import BudgetStore
    from dragoman.store.job_files import JobFiles
    from dragoman.store.keys import KeyStore
    from dragoman.store.leases import Holder
    from dragoman.store.ports import Spool

_SYNC_MS: Final = 200
FETCHED: Final = "fetched"
"""Folder of files from the container while they are worked on."""


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


def holder_of(settings: Settings) -> "Holder | None":
    """Return who this server is among those that share its database; ``None`` if nobody else can.

    Where audio is kept in a folder, that is who has the folder: a server that starts again goes on with its sessions.
    """
    if settings.effective_database_url.startswith("sqlite"):
        return None
    from dragoman.store.leases import Holder

    if settings.spool is not None:
        return Holder(secrets.token_hex(16), is_shared=True)
    path = settings.data / "server.id"
    try:
        private_folder(settings.data)
        name = path.read_text() if path.exists() else ""
        if not name:  # or the process was killed while it wrote it
            name = secrets.token_hex(16)
            path.write_text(name)
        return Holder(name, is_shared=False)
    except OSError as error:
        raise StoreFailedError(f"The folder {settings.data} cannot be used ({error.strerror}).") from error


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
    account_url, container, prefix, credential = _container(settings, settings.spool)
    from dragoman.store.blobs import BlobSpool, open_container

    return BlobSpool(open_container(account_url, container, credential), prefix, _SYNC_MS)


def open_job_files(settings: Settings) -> "JobFiles":
    """Open where files of jobs lie: beside the spool. Close it; raises as ``open_spool``."""
    from dragoman.store.job_files import FolderFiles, JobFiles

    folder = FolderFiles(settings.data / "jobs")
    if settings.spool is None:
        return JobFiles(folder)
    account_url, container, prefix, credential = _container(settings, settings.spool)
    from dragoman.store.blob_files import open_files

    return JobFiles(folder, open_files(account_url, container, prefix, credential, settings.data / FETCHED))


def _container(settings: Settings, address: str) -> "tuple[str, str, str, AzureNamedKeyCredential | TokenCredential]":
    """Return account, container, prefix, and as whom it is reached."""
    try:
        from dragoman.datasets.blob import storage_credential
    except ImportError as error:
        raise DependencyMissingError("Blob Storage needs the extra 'blob': pip install 'dragoman[blob]'.") from error
    from dragoman.datasets.places import BlobAccess, parse_place
    from dragoman.engines.azure.access import Identity

    key = settings.blob_key.get_secret_value() if settings.blob_key else None
    access = BlobAccess(settings.blob_endpoint, key, Identity(settings.azure_identity), settings.azure_client_id)
    place = parse_place(address, access)
    if place is None:
        raise SettingsError(
            "DRAGOMAN_SPOOL is no address of a container; write https://ACCOUNT.blob.core.windows.net/CONTAINER."
        )
    return place.account_url, place.container, place.prefix, storage_credential(place, access)


@dataclass(frozen=True)
class Ledgers:
    """Who may use a server, what was done, and the database of both: for commands that run beside it."""

    keys: "KeyStore"
    audit: "AuditTrail"
    engine: "Engine"


def open_ledgers(settings: Settings) -> Ledgers:
    """Open the database that the settings name.

    Raises:
        StoreFailedError, SettingsError, DependencyMissingError: if it cannot be opened.
    """
    from dragoman.store.audit import AuditTrail
    from dragoman.store.database import open_database
    from dragoman.store.keys import KeyStore

    engine = open_database(settings.effective_database_url, database_password(settings))
    return Ledgers(KeyStore(engine), AuditTrail(engine), engine)


@dataclass(frozen=True)
class Figures:
    """What servers count and tenants may spend: for commands that run beside them."""

    monitor: "Monitor"
    budgets: "BudgetStore"


def open_figures(settings: Settings, engine: "Engine") -> Figures:
    """Return what is counted in a database, by the rules of the settings.

    Raises:
        SettingsError: if the rules or the prices cannot be used.
    """
    from dragoman.monitoring.costs import micro_usd
    from dragoman.monitoring.monitor import Monitor
    from dragoman.monitoring.rules import read_rules
    from dragoman.store.alerts import AlertStore
    from dragoman.store.budgets import BudgetStore
    from dragoman.store.windows import Windows

    rules, prices = read_rules(settings.monitoring), prices_of(settings)
    monitor = Monitor(
        Windows(engine),
        AlertStore(engine),
        rules,
        lambda consumed: micro_usd(consumed, prices),
        lambda event, line: None,  # whoever looks tells nobody
    )
    return Figures(monitor, BudgetStore(engine))


def prices_of(settings: Settings) -> Prices:
    """Return what things cost; what the chat model costs may stand in a setting of its own.

    Raises:
        SettingsError: if the list of prices cannot be read.
    """
    prices = read_prices(settings.prices or DEFAULT_PRICES)
    if settings.chat_prices is None:
        return prices
    prompt, completion = settings.chat_prices
    tokens = {"prompt_usd_per_million_tokens": prompt, "completion_usd_per_million_tokens": completion}
    return prices.model_copy(update=tokens)
