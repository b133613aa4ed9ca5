"""Versioned assets: models, environments, code and data, in containers that number their versions."""

import uuid
from typing import TYPE_CHECKING, Annotated, Final, Literal, cast

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from dragoman.emulator.azureml.arm import WORKSPACE, ArmError, WorkspaceId, properties_of, resource
from dragoman.emulator.azureml.blob_door import ROOT
from dragoman.emulator.azureml.cloud import Cloud, container_of, managed
from dragoman.emulator.azureml.state import Json, State

if TYPE_CHECKING:
    from pydantic import JsonValue

Kind = Literal["models", "environments", "codes", "data"]

_CONTENT: Final[dict[str, str]] = {"models": "modelUri", "codes": "codeUri", "data": "dataUri"}
"""What cannot change once a version is there."""

_ADDED: Final[dict[str, Json]] = {
    # azure-ai-ml 1.35.2 fails on a model without flavors, though the specification lets them be absent.
    "models": {"flavors": {}},
    "environments": {"environmentType": "UserCreated", "osType": "Linux"},
}


def add_assets(router: APIRouter, cloud: Cloud) -> None:
    """Add the routes."""
    state, kinds = cloud.state, f"{WORKSPACE}/{{kind}}"

    @router.get(kinds, dependencies=[managed()])
    async def containers(id_: WorkspaceId, kind: Kind) -> JSONResponse:
        """List the containers of a kind."""
        return JSONResponse({"value": cast("JsonValue", state.children(f"{id_}/{kind}"))})

    @router.get(f"{kinds}/{{name}}", dependencies=[managed()])
    async def container(id_: WorkspaceId, kind: Kind, name: str) -> JSONResponse:
        """Return a container."""
        return JSONResponse(cloud.found(f"{id_}/{kind}/{name}"))

    @router.put(f"{kinds}/{{name}}", dependencies=[managed()])
    async def change_container(id_: WorkspaceId, kind: Kind, name: str, body: Json) -> JSONResponse:
        """Change what is said about all versions of an asset."""
        id_ = f"{id_}/{kind}/{name}"
        before = state.get(id_)
        changed = resource(id_, kind, (properties_of(before) if before else {}) | properties_of(body), before)
        state.put(id_, changed)
        return JSONResponse(changed, 200 if before else 201)

    @router.get(f"{kinds}/{{name}}/versions", dependencies=[managed()])
    async def versions(
        id_: WorkspaceId,
        kind: Kind,
        name: str,
        view: Annotated[str, Query(alias="listViewType")] = "ActiveOnly",
        order: Annotated[str, Query(alias="$orderBy")] = "",
        most: Annotated[int | None, Query(alias="$top")] = None,
        hash_: Annotated[str | None, Query(alias="hash")] = None,
    ) -> JSONResponse:
        """List the versions of an asset, the newest first."""
        found = [
            each
            for each in state.children(f"{id_}/{kind}/{name}/versions")
            if view == "All" or bool(properties_of(each).get("isArchived")) == (view == "ArchivedOnly")
        ]
        if hash_ is not None:
            found = [
                each
                for each in found
                if cast("Json", properties_of(each).get("properties") or {}).get("hash_sha256") == hash_
            ]
        ordered = found if order.endswith("asc") else found[::-1]
        return JSONResponse({"value": cast("JsonValue", ordered[:most])})

    @router.get(f"{kinds}/{{name}}/versions/{{version}}", dependencies=[managed()])
    async def version_(id_: WorkspaceId, kind: Kind, name: str, version: str) -> JSONResponse:
        """Return a version."""
        return JSONResponse(cloud.found(f"{id_}/{kind}/{name}/versions/{version}"))

    @router.put(f"{kinds}/{{name}}/versions/{{version}}", dependencies=[managed()])
    async def register(id_: WorkspaceId, kind: Kind, name: str, version: str, body: Json) -> JSONResponse:
        """Register a version, or change what may change of one."""
        asset = f"{id_}/{kind}/{name}"
        before = state.get(f"{asset}/versions/{version}")
        properties = _ADDED.get(kind, {}) | properties_of(body) | {"provisioningState": "Succeeded"}
        content = _CONTENT.get(kind)
        if before and content and properties_of(before).get(content) != properties.get(content):
            raise ArmError(400, "UserError", "Asset paths cannot be updated.")
        made = resource(f"{asset}/versions/{version}", f"{kind}/versions", properties, before)
        state.put(f"{asset}/versions/{version}", made)
        _count(state, asset, kind, version)
        return JSONResponse(made, 200 if before else 201)

    @router.delete(f"{kinds}/{{name}}/versions/{{version}}", dependencies=[managed()])
    async def forget(id_: WorkspaceId, kind: Kind, name: str, version: str) -> Response:
        """Forget a version."""
        known = state.get(f"{id_}/{kind}/{name}/versions/{version}")
        state.delete(f"{id_}/{kind}/{name}/versions/{version}")
        return Response(status_code=200 if known else 204)

    @router.post(f"{kinds}/{{name}}/versions/{{version}}/startPendingUpload", dependencies=[managed()])
    async def start_upload(id_: WorkspaceId, kind: Kind, name: str, version: str, request: Request) -> JSONResponse:
        """Return a container for the files of a version, and a signature that opens it."""
        store = f"{id_.lower()}/{kind}/{name}/{version}"
        container_ = f"{kind}-{uuid.uuid5(uuid.NAMESPACE_URL, store)}"
        cloud.blobs.create_container(container_)
        uri = f"{str(request.base_url).rstrip('/')}{ROOT}/{container_}"
        signed = f"{uri}?{cloud.signatures.sas(container_, 'racwl')}"
        reference: Json = {
            "blobUri": uri,
            "storageAccountArmId": container_of(id_),
            "credential": {"credentialType": "SAS", "sasUri": signed},
        }
        upload: Json = {"pendingUploadType": "TemporaryBlobReference", "pendingUploadId": None}
        return JSONResponse(upload | {"blobReferenceForConsumption": reference})


def _count(state: State, asset: str, kind: Kind, version: str) -> None:
    """Keep in the container which version is the latest, and what the next one is called."""
    before = state.get(asset)
    numbers = [int(str(each["name"])) for each in state.children(f"{asset}/versions") if str(each["name"]).isdecimal()]
    counted: Json = {"isArchived": False, "latestVersion": version, "nextVersion": str(max(numbers, default=0) + 1)}
    state.put(asset, resource(asset, kind, (properties_of(before) if before else {}) | counted, before))
