"""What the container is told: all of it is read, all that is needed is there, and addresses are those of resources."""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qs, urlsplit

from dragoman.domain.errors import SettingsError
from dragoman.engines.azure.telemetry import CONNECTION
from dragoman.settings import Settings, settings_elsewhere
from infra.check.container import Container, container
from infra.check.problem import Deployment, Problem, at

_PREFIX: Final = "DRAGOMAN_"
_OTHERS: Final = frozenset({CONNECTION, "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL"})
_STAND_IN: Final = "traefik/whoami"
_STAND_INS: Final = frozenset({"WHOAMI_PORT_NUMBER"})
_NEEDED: Final = {
    CONNECTION,
    *(
        f"DRAGOMAN_{name}"
        for name in (
            *("AZURE_CLIENT_ID", "AZURE_ENDPOINTS", "AZURE_IDENTITY", "CHAT_ENDPOINT", "CHAT_MODEL", "DATA"),
            *("DATABASE_TOKEN", "DATABASE_URL", "ENTRA_AUDIENCE", "ENTRA_TENANTS", "MAX_SESSIONS", "RETENTION_DAYS"),
            *("OPERATOR_TENANT", "SPOOL"),
        )
    ),
}
_KEYS: Final = frozenset({"DRAGOMAN_AZURE_KEY", "DRAGOMAN_BLOB_KEY", "DRAGOMAN_CHAT_KEY", "DRAGOMAN_INSIGHT_KEY"})
_SUBDOMAIN: Final = re.compile(r"https://[a-z0-9-]+\.cognitiveservices\.azure\.com/?")


def told(deployment: Deployment) -> Iterator[Problem]:
    """Find what the service would not understand, or not reach."""
    made = container(deployment.template)
    given = made.variables.keys() | made.secrets.keys()
    read = {f"{_PREFIX}{name.upper()}" for name in Settings.model_fields} | _OTHERS
    if made.image.startswith(_STAND_IN):
        read |= _STAND_INS
    for name in sorted(given - read):
        yield at(made.app, "env-unread", f"nobody reads {name}")
    for name in sorted(_NEEDED - given):
        yield at(made.app, "env-missing", f"{name} is not set")
    for name in sorted(given & _KEYS):
        yield at(made.app, "env-key", f"{name} is a key; show a token")
    ours = {
        name.removeprefix(_PREFIX).lower(): value for name, value in made.variables.items() if name.startswith(_PREFIX)
    }
    try:
        settings = settings_elsewhere({name: value for name, value in ours.items() if name in Settings.model_fields})
    except SettingsError as error:
        yield at(made.app, "env-value", str(error))
        return
    yield from _identity(deployment, made, settings)
    yield from _addresses(deployment, made, settings)
    yield from _database(deployment, made, settings)


def _identity(deployment: Deployment, made: Container, settings: Settings) -> Iterator[Problem]:
    if settings.azure_identity != "managed-identity":
        yield at(made.app, "env-identity", "in Container Apps it has a managed identity, and nothing else is tried")
    attached = made.app.get("identity", "userAssignedIdentities")
    for identity in deployment.of_type("Microsoft.ManagedIdentity/userAssignedIdentities"):
        properties = identity.member("properties")
        assert isinstance(properties, dict)
        if properties["clientId"] == settings.azure_client_id:
            if not isinstance(attached, dict) or identity.id not in attached:
                yield at(made.app, "env-identity", "its client id is of an identity that it does not have")
            return
    yield at(made.app, "env-identity", "DRAGOMAN_AZURE_CLIENT_ID is the client id of no identity here")


def _addresses(deployment: Deployment, made: Container, settings: Settings) -> Iterator[Problem]:
    for address in (*settings.azure_endpoints, settings.chat_endpoint or ""):
        if not _SUBDOMAIN.fullmatch(address):
            yield at(made.app, "env-endpoint", f"'{address}' takes no tokens; write https://NAME.cognitiveservices…")
    models = {
        each.name.rpartition("/")[2] for each in deployment.of_type("Microsoft.CognitiveServices/accounts/deployments")
    }
    if settings.chat_model not in models:
        yield at(made.app, "env-model", f"no language model '{settings.chat_model}' is deployed")
    containers = {
        f"https://{account}.blob.core.windows.net/{name}"
        for each in deployment.of_type("Microsoft.Storage/storageAccounts/blobServices/containers")
        for account, _, name in [each.name.split("/")]
    }
    if settings.spool not in containers:
        yield at(made.app, "env-spool", f"there is no container {settings.spool}")
    elif "/st" not in (settings.spool or ""):
        yield at(made.app, "env-spool", "accepted audio belongs to an account of its own")
    if settings.insight_endpoint is not None:
        endpoints = deployment.of_type("Microsoft.MachineLearningServices/workspaces/onlineEndpoints")
        hosts = {f"{each.name.rpartition('/')[2]}.{each.get('location')}.inference.ml.azure.com" for each in endpoints}
        if urlsplit(settings.insight_endpoint).hostname not in hosts:
            yield at(made.app, "env-endpoint", f"{settings.insight_endpoint} is no endpoint of ours")


def _database(deployment: Deployment, made: Container, settings: Settings) -> Iterator[Problem]:
    url = urlsplit(settings.effective_database_url)
    options = {name: values[0] for name, values in parse_qs(url.query).items()}
    hosts = {
        f"{each.name}.postgres.database.azure.com"
        for each in deployment.of_type("Microsoft.DBforPostgreSQL/flexibleServers")
    }
    databases = {
        each.name.rpartition("/")[2]
        for each in deployment.of_type("Microsoft.DBforPostgreSQL/flexibleServers/databases")
    }
    owners = {
        each.get("properties", "principalName")
        for each in deployment.of_type("Microsoft.DBforPostgreSQL/flexibleServers/administrators")
    }
    wrong = {
        "its driver is not psycopg": url.scheme != "postgresql+psycopg",
        "it holds a password": url.password is not None,
        "no token is shown": not settings.database_token,
        "nobody makes sure of the server's name": options.get("sslmode") != "verify-full",
        "the certificates of the system are not named": options.get("sslrootcert") != "system",
        "there is no such server": url.hostname not in hosts,
        "there is no such database": url.path.lstrip("/") not in databases,
        "its user is nobody whom the server knows": url.username not in owners,
    }
    for message, is_wrong in wrong.items():
        if is_wrong:
            yield at(made.app, "env-database", f"DRAGOMAN_DATABASE_URL: {message}")
