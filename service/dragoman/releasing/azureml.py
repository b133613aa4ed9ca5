"""Azure Machine Learning plays the workspace of a release. The one module of this room that knows its SDK."""

import io
import json
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from azure.ai.ml import MLClient
from azure.ai.ml.constants import AssetTypes
from azure.ai.ml.entities import (
    BuildContext,
    DataCollector,
    DeploymentCollection,
    Environment,
    ManagedOnlineDeployment,
    ManagedOnlineEndpoint,
    Model,
    OnlineRequestSettings,
    ProbeSettings,
)
from azure.core import PipelineClient
from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.core.pipeline.policies import BearerTokenCredentialPolicy, HeadersPolicy
from azure.core.rest import HttpRequest, HttpResponse
from pydantic import JsonValue

from dragoman.domain.errors import WorkspaceFailedError
from dragoman.releasing.access import ENDPOINTS, WorkspaceAccess
from dragoman.releasing.context import stage
from dragoman.releasing.spec import Release
from dragoman.releasing.subjects import words_of
from dragoman.releasing.workspace import Called, Deployed, Found, Wanted

T = TypeVar("T")

EVIDENCE: Final = "evidence.dsse.json"
"""What the evidence is called in the folder of a registered model."""

_ROUTES: Final = {"liveness": "/health", "readiness": "/health", "scoring": "/score"}
_PORT: Final = 8080
_CHOOSES: Final = "azureml-model-deployment"
_CODE: Final = "x-dragoman-code"
_COLLECTED: Final = ("request", "response")
_PROBED_S: Final = 10
_DATASTORE: Final = "workspaceblobstore"


class AzureMLWorkspace:
    """A workspace, through ``MLClient``. Long operations are waited for."""

    def __init__(self, access: WorkspaceAccess) -> None:
        place = access.place
        clouded: dict[str, Any] = _cloud(access.manager) if access.is_emulated else {}
        self._access = access
        # What it says of classes that may change some day, and of what it looks at, is not for whoever releases.
        for noisy in ("_utils._experimental", "operations._online_deployment_operations"):
            logging.getLogger(f"azure.ai.ml.{noisy}").setLevel(logging.ERROR)
        self._client = MLClient(
            access.credential,
            place.subscription,
            place.resource_group,
            place.name,
            show_progress=False,
            enable_telemetry=False,
            **clouded,
        )

    def look(self, endpoint: str, wanted: Wanted | None = None) -> Found:
        """Return what is there; of assets, whether those of a release are."""
        client = self._client
        with _told("show what is there"):
            there = _found(lambda: client.online_endpoints.get(endpoint))
            listed = client.online_deployments.list(endpoint) if there is not None else ()
            return Found(
                has_model=wanted is not None and _found(lambda: client.models.get(*wanted.model)) is not None,
                has_environment=wanted is not None
                and _found(lambda: client.environments.get(*wanted.environment)) is not None,
                endpoint=_state(there.provisioning_state) if there is not None else None,
                deployments={each.name: _deployed(each) for each in listed},
                traffic=_percentages(there.traffic) if there is not None else {},
                mirror=_percentages(there.mirror_traffic) if there is not None else {},
            )

    def register_environment(self, wanted: Wanted) -> None:
        """Register the environment: an image by its digest, or what one is built from."""
        name, version = wanted.environment
        told = wanted.release.environment
        with tempfile.TemporaryDirectory() as temporary, _told(f"register the environment {name}:{version}"):
            build = None
            if told.context:
                stage(told.context, Path(temporary))
                build = BuildContext(path=temporary, dockerfile_path=told.dockerfile)
            made = Environment(
                name=name,
                version=version,
                image=told.image,
                build=build,
                inference_config={f"{route}_route": {"port": _PORT, "path": path} for route, path in _ROUTES.items()},
                tags=_tags(wanted),
            )
            self._client.environments.create_or_update(made)

    def register_model(self, wanted: Wanted) -> None:
        """Register the words that a deployment reads, and the evidence beside them."""
        name, version = wanted.model
        with tempfile.TemporaryDirectory() as temporary, _told(f"register the model {name}:{version}"):
            folder = Path(temporary) / wanted.release.flow
            folder.mkdir()
            for file in words_of(wanted.release):
                shutil.copy(file, folder)
            (folder / EVIDENCE).write_bytes(wanted.evidence.envelope)
            self._client.models.create_or_update(
                Model(
                    name=name,
                    version=version,
                    type=AssetTypes.CUSTOM_MODEL,
                    path=str(folder),
                    description=f"The words of Dragoman's step '{wanted.release.flow}'.",
                    tags=_tags(wanted),
                )
            )

    def create_endpoint(self, release: Release) -> None:
        """Create the endpoint; who calls it shows a token of Entra, for keys can be lost."""
        made = ManagedOnlineEndpoint(name=release.endpoint, auth_mode="aad_token", tags={"dragoman.flow": release.flow})
        with _told(f"create the endpoint {release.endpoint}"):
            self._client.online_endpoints.begin_create_or_update(made).result()

    def deploy(self, wanted: Wanted, slot: str) -> None:
        """Create a deployment or replace it, with everything it is asked and answers collected."""
        release, size = wanted.release, wanted.release.instances
        probe = ProbeSettings(
            initial_delay=_PROBED_S, period=_PROBED_S, timeout=_PROBED_S, failure_threshold=30, success_threshold=1
        )
        made = ManagedOnlineDeployment(
            name=slot,
            endpoint_name=release.endpoint,
            model="azureml:" + ":".join(wanted.model),
            environment="azureml:" + ":".join(wanted.environment),
            environment_variables=release.variables,
            instance_type=size.type,
            instance_count=size.count,
            request_settings=OnlineRequestSettings(
                max_concurrent_requests_per_instance=size.concurrency, request_timeout_ms=round(size.timeout_s * 1_000)
            ),
            liveness_probe=probe,
            readiness_probe=probe,
            app_insights_enabled=True,
            data_collector=DataCollector(
                {name: DeploymentCollection(enabled="true") for name in _COLLECTED}, sampling_rate=1.0
            ),
            tags=_tags(wanted),
        )
        with _told(f"deploy {slot}"):
            self._client.online_deployments.begin_create_or_update(made).result()

    def delete(self, endpoint: str, slot: str) -> None:
        """Delete a deployment."""
        with _told(f"delete {slot}"):
            self._client.online_deployments.begin_delete(name=slot, endpoint_name=endpoint).result()

    def call(self, endpoint: str, slot: str, body: JsonValue) -> Called:
        """Call one deployment, whatever its traffic."""
        with _told(f"call {slot}"):
            uri = str(self._client.online_endpoints.get(endpoint).scoring_uri)
            policies = [
                HeadersPolicy({_CHOOSES: slot, "Content-Type": "application/json"}),
                BearerTokenCredentialPolicy(self._access.credential, ENDPOINTS),
            ]
            caller: PipelineClient[HttpRequest, HttpResponse] = PipelineClient(base_url=uri, policies=policies)
            with caller as client:
                answer = client.send_request(HttpRequest("POST", uri, content=json.dumps(body)))
                status = int(answer.status_code)
                return Called(status, json.loads(answer.text()) if status == 200 else None, answer.headers.get(_CODE))

    def route(self, endpoint: str, traffic: Mapping[str, int], mirror: Mapping[str, int]) -> None:
        """Give traffic to slots, and copies of it to others."""
        with _told(f"route {endpoint}"):
            there = self._client.online_endpoints.get(endpoint)
            there.traffic = dict(traffic)
            there.mirror_traffic = dict(mirror)
            self._client.online_endpoints.begin_create_or_update(there).result()

    def collection(self) -> tuple[str, str]:
        """Return the URL of the account, and the container, that collected data is written to."""
        with _told("find its datastore"):
            store = self._client.datastores.get(_DATASTORE)
            return f"{store.protocol}://{store.account_name}.blob.{store.endpoint}", str(store.container_name)


def _deployed(deployment: ManagedOnlineDeployment) -> Deployed:
    tags = deployment.tags or {}
    collector = deployment.data_collector
    collections = collector.collections if collector else {}
    return Deployed(
        release=tags.get("dragoman.release"),
        evidence=tags.get("dragoman.evidence"),
        state=_state(deployment.provisioning_state),
        is_collecting=all(name in collections and _is_on(collections[name].enabled) for name in _COLLECTED),
    )


def _state(told: object) -> str:
    """Return a state; the SDK has enumerations for them, and text for those that it does not know."""
    return str(getattr(told, "value", told))


def _is_on(enabled: object) -> bool:
    return str(enabled).lower() in ("true", "enabled")


def _percentages(told: Mapping[str, int] | None) -> dict[str, int]:
    return {name: int(percent) for name, percent in (told or {}).items() if percent}


def _tags(wanted: Wanted) -> dict[str, str]:
    """Return the tags; Azure takes values of at most 256 characters."""
    return {name: value[:256] for name, value in wanted.tags.items()}


def _found(get: Callable[[], T]) -> T | None:
    try:
        return get()
    except ResourceNotFoundError:
        return None


def _cloud(manager: str) -> dict[str, Any]:
    """Return how ``MLClient`` is told of a cloud that is none of Azure's."""
    host = urlsplit(manager).netloc
    return {
        "cloud": f"emulator {host}",
        "cloud_metadata": {
            "azure_portal": f"{manager}/",
            "resource_manager": f"{manager}/",
            "active_directory": f"{manager}/",
            "aml_resource_id": "https://ml.azure.com/",
            "storage_endpoint": "emulator",
            "registry_discovery_endpoint": f"{manager}/",
        },
    }


@contextmanager
def _told(doing: str) -> Iterator[None]:
    """Say what could not be done, in a line; the SDK's own dots are not shown."""
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            yield
    except HttpResponseError as error:
        told = (error.message or str(error)).strip().splitlines() or [""]
        raise WorkspaceFailedError(
            f"The workspace did not {doing}: it answers {error.status_code}: {told[0]}"
        ) from error
    except (AzureError, OSError) as error:
        told = str(error).strip().splitlines() or [type(error).__name__]
        raise WorkspaceFailedError(f"The workspace did not {doing}: {told[0]}") from error
