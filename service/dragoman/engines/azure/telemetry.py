"""Where traces go in Azure: Application Insights, to which an identity is shown, for local authentication is off."""

from typing import TYPE_CHECKING, Final

from dragoman.domain.errors import DependencyMissingError, SettingsError
from dragoman.engines.azure.access import AzureAccess, Identity, credential_of

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

CONNECTION: Final = "APPLICATIONINSIGHTS_CONNECTION_STRING"
"""Azure Monitor's own variable, as all its SDKs read it."""

_SCOPE: Final = "https://monitor.azure.com//.default"
"""With two slashes. Source: azure-monitor-opentelemetry-exporter 1.0.0b58, ``_constants.py``."""


def span_exporter(connection: str, identity: Identity, client_id: str | None) -> "SpanExporter":
    """Return what sends spans to the resource of a connection string. Nothing rests on the disk meanwhile.

    Raises:
        DependencyMissingError: if the exporter is not installed.
        SettingsError: if the connection string is none, or this machine does not have the identity that is named.
    """
    try:
        from azure.monitor.opentelemetry.exporter import AzureMonitorTraceExporter
    except ImportError as error:
        raise DependencyMissingError(
            f"{CONNECTION} is set, but there is no exporter; install it with: pip install 'dragoman[monitor]'"
        ) from error
    credential = credential_of(AzureAccess("https://monitor.azure.com", None, identity, client_id), _SCOPE)
    try:
        return AzureMonitorTraceExporter(
            connection_string=connection, credential=credential, disable_offline_storage=True
        )
    except ValueError as error:
        raise SettingsError(f"{CONNECTION} is no connection string: {error}") from error
