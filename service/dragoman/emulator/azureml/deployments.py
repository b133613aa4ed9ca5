"""Deployments of online endpoints, as Resource Manager shows them."""

from typing import TYPE_CHECKING, Annotated, Final, cast

from fastapi import APIRouter, Body, Request
from fastapi.responses import JSONResponse, Response

from dragoman.emulator.azureml.arm import (
    ArmError,
    WorkspaceId,
    accepted,
    check_online_name,
    created,
    name_of,
    properties_of,
    resource,
)
from dragoman.emulator.azureml.cloud import Cloud, managed
from dragoman.emulator.azureml.endpoints import ENDPOINT
from dragoman.emulator.azureml.rollout import Limits, Rollout, capacity
from dragoman.emulator.azureml.state import Json
from dragoman.emulator.azureml.traffic import percentages

if TYPE_CHECKING:
    from pydantic import JsonValue

_MOST_LINES: Final = 5_000
_DEFAULT_LINES: Final = 100


def add_deployments(router: APIRouter, cloud: Cloud, rollout: Rollout) -> None:
    """Add the routes."""
    state, one = cloud.state, f"{ENDPOINT}/deployments/{{deployment}}"

    @router.get(f"{ENDPOINT}/deployments", dependencies=[managed()])
    async def deployments(id_: WorkspaceId, endpoint: str) -> JSONResponse:
        """List the deployments of an endpoint."""
        found = cloud.found(f"{id_}/onlineEndpoints/{endpoint}")
        return JSONResponse({"value": cast("JsonValue", state.children(f"{found['id']}/deployments"))})

    @router.get(one, dependencies=[managed()])
    async def deployment_(id_: WorkspaceId, endpoint: str, deployment: str) -> JSONResponse:
        """Return a deployment."""
        return JSONResponse(cloud.found(f"{id_}/onlineEndpoints/{endpoint}/deployments/{deployment}"))

    @router.put(one, dependencies=[managed()])
    async def put(id_: WorkspaceId, endpoint: str, deployment: str, body: Json, request: Request) -> Response:
        """Make a deployment, or replace one."""
        parent = cloud.found(f"{id_}/onlineEndpoints/{endpoint}")
        made, operation, is_new = _put_deployment(cloud, rollout, f"{parent['id']}/deployments/{deployment}", body)
        return created(request, made, operation, is_new=is_new)

    @router.patch(one, dependencies=[managed()])
    async def patch(id_: WorkspaceId, endpoint: str, deployment: str, body: Json, request: Request) -> Response:
        """Change the number of instances, or the tags."""
        before = cloud.found(f"{id_}/onlineEndpoints/{endpoint}/deployments/{deployment}")
        _, operation, _ = _put_deployment(cloud, rollout, str(before["id"]), before | body)
        return accepted(request, operation)

    @router.delete(one, dependencies=[managed()])
    async def delete(id_: WorkspaceId, endpoint: str, deployment: str, request: Request) -> Response:
        """Delete a deployment that gets no traffic."""
        parent = f"{id_}/onlineEndpoints/{endpoint}"
        found = state.get(f"{parent}/deployments/{deployment}")
        if found is None:
            return Response(status_code=204)
        told = properties_of(cloud.found(parent))
        if str(found["name"]) in percentages(told["traffic"]) | percentages(told["mirrorTraffic"]):
            raise ArmError(400, "UserError", f"The deployment '{deployment}' gets traffic; set it to 0 before.")
        cloud.set_state(found, "Deleting")

        async def work() -> None:
            await cloud.may_fail(found)
            await rollout.stop(str(found["id"]))
            state.delete(str(found["id"]))

        return accepted(request, cloud.operations.begin(work()))

    @router.post(f"{one}/getLogs", dependencies=[managed()])
    async def logs(
        id_: WorkspaceId, endpoint: str, deployment: str, body: Annotated[Json | None, Body()] = None
    ) -> JSONResponse:
        """Return what a deployment's containers wrote."""
        found = cloud.found(f"{id_}/onlineEndpoints/{endpoint}/deployments/{deployment}")
        asked = (body or {}).get("tail") or _DEFAULT_LINES
        return JSONResponse({"content": rollout.logs(str(found["id"]), min(int(cast("int", asked)), _MOST_LINES))})


def _put_deployment(cloud: Cloud, rollout: Rollout, id: str, body: Json) -> tuple[Json, str, bool]:  # noqa: A002
    check_online_name(name_of(id))
    before, wanted = cloud.state.get(id), properties_of(body)
    properties: Json = {
        # azure-ai-ml 1.35.2 fails on a deployment without them, though the specification lets them be absent.
        "scaleSettings": {"scaleType": "Default"},
        "endpointComputeType": "Managed",
        **{name: value for name, value in wanted.items() if value is not None},
        "provisioningState": "Updating" if before else "Creating",
    }
    if isinstance(collector := properties.get("dataCollector"), dict):
        properties["dataCollector"] = _spelled(collector)
    kept: Json = {
        "location": body.get("location", "local"),
        "tags": body.get("tags") or {},
        "kind": body.get("kind") or "Managed",
        "sku": body.get("sku") or {"name": "Default", "capacity": 1},
    }
    made = resource(id, "onlineEndpoints/deployments", properties, before, **kept)
    Limits.of(made), capacity(made)
    cloud.state.put(id, made)

    async def work() -> None:
        try:
            await cloud.may_fail(made)
            await rollout.roll_out(made)
        except Exception:
            cloud.set_state(made, "Failed")
            raise
        cloud.set_state(made, "Succeeded")

    return made, cloud.operations.begin(work()), before is None


def _spelled(collector: Json) -> Json:
    """Write modes as the specification does: the SDK sends "enabled", and reads "Enabled" only."""
    collections = {
        name: each | {"dataCollectionMode": str(each.get("dataCollectionMode", "Disabled")).capitalize()}
        for name, each in cast("dict[str, Json]", collector.get("collections") or {}).items()
    }
    return collector | {"collections": cast("JsonValue", collections)}
