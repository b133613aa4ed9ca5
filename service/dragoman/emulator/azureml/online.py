"""Online endpoints and their deployments, as Resource Manager shows them."""

from typing import TYPE_CHECKING, Annotated, Final, cast

from fastapi import APIRouter, Body, Request
from fastapi.responses import JSONResponse, Response

from dragoman.emulator.azureml.access import new_key
from dragoman.emulator.azureml.arm import (
    WORKSPACE,
    ArmError,
    WorkspaceId,
    accepted,
    check_online_name,
    created,
    name_of,
    not_found,
    properties_of,
    resource,
)
from dragoman.emulator.azureml.cloud import Cloud, managed
from dragoman.emulator.azureml.rollout import Limits, Rollout
from dragoman.emulator.azureml.state import Json
from dragoman.emulator.azureml.traffic import check_mirror, check_traffic, percentages

if TYPE_CHECKING:
    from pydantic import JsonValue

_ENDPOINTS: Final = f"{WORKSPACE}/onlineEndpoints"
_ENDPOINT: Final = f"{_ENDPOINTS}/{{endpoint}}"
_MOST_LINES: Final = 5_000
_DEFAULT_LINES: Final = 100


def add_online(router: APIRouter, cloud: Cloud, rollout: Rollout) -> None:
    """Add the routes."""
    _add_endpoints(router, cloud, rollout)
    _add_keys(router, cloud)
    _add_deployments(router, cloud, rollout)


def _add_endpoints(router: APIRouter, cloud: Cloud, rollout: Rollout) -> None:
    state = cloud.state

    @router.get(_ENDPOINTS, dependencies=[managed()])
    async def endpoints(id_: WorkspaceId, request: Request) -> JSONResponse:
        """List the endpoints."""
        found = [_shown(each, request) for each in state.children(f"{id_}/onlineEndpoints")]
        return JSONResponse({"value": cast("JsonValue", found)})

    @router.get(_ENDPOINT, dependencies=[managed()])
    async def endpoint_(id_: WorkspaceId, endpoint: str, request: Request) -> JSONResponse:
        """Return an endpoint."""
        return JSONResponse(_shown(_found(cloud, f"{id_}/onlineEndpoints/{endpoint}"), request))

    @router.put(_ENDPOINT, dependencies=[managed()])
    async def put(id_: WorkspaceId, endpoint: str, body: Json, request: Request) -> Response:
        """Make an endpoint, or change one."""
        made, operation, is_new = _put_endpoint(cloud, f"{id_}/onlineEndpoints/{endpoint}", body)
        return created(request, _shown(made, request), operation, is_new=is_new)

    @router.patch(_ENDPOINT, dependencies=[managed()])
    async def patch(id_: WorkspaceId, endpoint: str, body: Json, request: Request) -> Response:
        """Change some of an endpoint."""
        before = _found(cloud, f"{id_}/onlineEndpoints/{endpoint}")
        merged: Json = before | body | {"properties": properties_of(before) | properties_of(body)}
        _, operation, _ = _put_endpoint(cloud, str(before["id"]), merged)
        return accepted(request, operation)

    @router.delete(_ENDPOINT, dependencies=[managed()])
    async def delete(id_: WorkspaceId, endpoint: str, request: Request) -> Response:
        """Delete an endpoint with its deployments."""
        id_ = f"{id_}/onlineEndpoints/{endpoint}"
        found = state.get(id_)
        if found is None:
            return Response(status_code=204)
        _set(cloud, found, "Deleting")

        async def work() -> None:
            await _may_fail(cloud, found)
            for deployment in state.children(f"{id_}/deployments"):
                await rollout.stop(str(deployment["id"]))
            state.delete(id_)

        return accepted(request, cloud.operations.begin(work()))


def _put_endpoint(cloud: Cloud, id: str, body: Json) -> tuple[Json, str, bool]:  # noqa: A002 - ARM's word
    check_online_name(name_of(id))
    state = cloud.state
    before = state.get(id)
    wanted = properties_of(body)
    names = {str(each["name"]) for each in state.children(f"{id}/deployments")}
    check_traffic(percentages(wanted.get("traffic")), names)
    check_mirror(percentages(wanted.get("mirrorTraffic")), percentages(wanted.get("traffic")), names)
    old = properties_of(before) if before else {}
    mode = str(wanted.get("authMode") or old.get("authMode") or "Key")
    if before and mode.lower() != str(old["authMode"]).lower():
        raise ArmError(400, "UserError", "The auth mode of an endpoint cannot be changed.")
    properties: Json = {
        **old,
        **{name: value for name, value in wanted.items() if name != "keys"},
        "authMode": mode,
        "traffic": cast("JsonValue", percentages(wanted.get("traffic"))),
        "mirrorTraffic": cast("JsonValue", percentages(wanted.get("mirrorTraffic"))),
        "publicNetworkAccess": str(wanted.get("publicNetworkAccess") or "Enabled").capitalize(),
        "provisioningState": "Updating" if before else "Creating",
    }
    kept: Json = {
        "location": body.get("location", "local"),
        "tags": body.get("tags") or {},
        "kind": body.get("kind") or "Managed",
        "identity": body.get("identity") or {"type": "SystemAssigned"},
    }
    made = resource(id, "onlineEndpoints", properties, before, **kept)
    given = wanted.get("keys")
    state.put(id, made)
    if state.get(f"{id}/keys/keys") is None:
        state.put(
            f"{id}/keys/keys",
            given if isinstance(given, dict) else {"primaryKey": new_key(), "secondaryKey": new_key()},
        )

    async def work() -> None:
        await _may_fail(cloud, made)
        _set(cloud, made, "Succeeded")

    return made, cloud.operations.begin(work()), before is None


def _add_keys(router: APIRouter, cloud: Cloud) -> None:
    @router.post(f"{_ENDPOINT}/listKeys", dependencies=[managed()])
    async def list_keys(id_: WorkspaceId, endpoint: str) -> JSONResponse:
        """Return the keys of an endpoint."""
        found = _found(cloud, f"{id_}/onlineEndpoints/{endpoint}")
        if str(properties_of(found)["authMode"]).lower() != "key":
            raise ArmError(400, "UserError", "The endpoint has no keys: its auth mode is another one.")
        return JSONResponse(cloud.state.get(f"{found['id']}/keys/keys"))

    @router.post(f"{_ENDPOINT}/regenerateKeys", dependencies=[managed()])
    async def regenerate(id_: WorkspaceId, endpoint: str, body: Json, request: Request) -> Response:
        """Give an endpoint another key."""
        found = _found(cloud, f"{id_}/onlineEndpoints/{endpoint}")
        which = "primaryKey" if str(body.get("keyType")).lower() == "primary" else "secondaryKey"

        async def work() -> None:
            keys = cloud.state.get(f"{found['id']}/keys/keys") or {}
            # azure-ai-ml 1.35.2 sends the key that is there, and wants another.
            given = body.get("keyValue")
            made = new_key() if not given or given in keys.values() else given
            cloud.state.put(f"{found['id']}/keys/keys", keys | {which: made})

        return accepted(request, cloud.operations.begin(work()))

    @router.post(f"{_ENDPOINT}/token", dependencies=[managed()])
    async def token(id_: WorkspaceId, endpoint: str) -> JSONResponse:
        """Return a token of Azure ML for an endpoint."""
        found = _found(cloud, f"{id_}/onlineEndpoints/{endpoint}")
        if str(properties_of(found)["authMode"]).lower() != "amltoken":
            raise ArmError(400, "UserError", "The endpoint gives no tokens: its auth mode is another one.")
        made, expires = cloud.signatures.token(str(found["id"]))
        return JSONResponse(
            {
                "accessToken": made,
                "tokenType": "Bearer",
                "expiryTimeUtc": expires,
                "refreshAfterTimeUtc": expires - 3_600,
            }
        )


def _add_deployments(router: APIRouter, cloud: Cloud, rollout: Rollout) -> None:
    state, one = cloud.state, f"{_ENDPOINT}/deployments/{{deployment}}"

    @router.get(f"{_ENDPOINT}/deployments", dependencies=[managed()])
    async def deployments(id_: WorkspaceId, endpoint: str) -> JSONResponse:
        """List the deployments of an endpoint."""
        found = _found(cloud, f"{id_}/onlineEndpoints/{endpoint}")
        return JSONResponse({"value": cast("JsonValue", state.children(f"{found['id']}/deployments"))})

    @router.get(one, dependencies=[managed()])
    async def deployment_(id_: WorkspaceId, endpoint: str, deployment: str) -> JSONResponse:
        """Return a deployment."""
        return JSONResponse(_found(cloud, f"{id_}/onlineEndpoints/{endpoint}/deployments/{deployment}"))

    @router.put(one, dependencies=[managed()])
    async def put(id_: WorkspaceId, endpoint: str, deployment: str, body: Json, request: Request) -> Response:
        """Make a deployment, or replace one."""
        parent = _found(cloud, f"{id_}/onlineEndpoints/{endpoint}")
        made, operation, is_new = _put_deployment(cloud, rollout, f"{parent['id']}/deployments/{deployment}", body)
        return created(request, made, operation, is_new=is_new)

    @router.patch(one, dependencies=[managed()])
    async def patch(id_: WorkspaceId, endpoint: str, deployment: str, body: Json, request: Request) -> Response:
        """Change the number of instances, or the tags."""
        before = _found(cloud, f"{id_}/onlineEndpoints/{endpoint}/deployments/{deployment}")
        _, operation, _ = _put_deployment(cloud, rollout, str(before["id"]), before | body)
        return accepted(request, operation)

    @router.delete(one, dependencies=[managed()])
    async def delete(id_: WorkspaceId, endpoint: str, deployment: str, request: Request) -> Response:
        """Delete a deployment that gets no traffic."""
        parent = f"{id_}/onlineEndpoints/{endpoint}"
        found = state.get(f"{parent}/deployments/{deployment}")
        if found is None:
            return Response(status_code=204)
        told = properties_of(_found(cloud, parent))
        if percentages(told["traffic"]).get(deployment) or percentages(told["mirrorTraffic"]).get(deployment):
            raise ArmError(400, "UserError", f"The deployment '{deployment}' gets traffic; set it to 0 before.")
        _set(cloud, found, "Deleting")

        async def work() -> None:
            await _may_fail(cloud, found)
            await rollout.stop(str(found["id"]))
            state.delete(str(found["id"]))

        return accepted(request, cloud.operations.begin(work()))

    @router.post(f"{one}/getLogs", dependencies=[managed()])
    async def logs(
        id_: WorkspaceId, endpoint: str, deployment: str, body: Annotated[Json | None, Body()] = None
    ) -> JSONResponse:
        """Return what a deployment's containers wrote."""
        found = _found(cloud, f"{id_}/onlineEndpoints/{endpoint}/deployments/{deployment}")
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
    Limits.of(made)
    cloud.state.put(id, made)

    async def work() -> None:
        try:
            await _may_fail(cloud, made)
            await rollout.roll_out(made)
        except ArmError:
            _set(cloud, made, "Failed")
            raise
        _set(cloud, made, "Succeeded")

    return made, cloud.operations.begin(work()), before is None


def _spelled(collector: Json) -> Json:
    """Write modes as the specification does: the SDK sends "enabled", and reads "Enabled" only."""
    collections = {
        name: each | {"dataCollectionMode": str(each.get("dataCollectionMode", "Disabled")).capitalize()}
        for name, each in cast("dict[str, Json]", collector.get("collections") or {}).items()
    }
    return collector | {"collections": cast("JsonValue", collections)}


def _shown(endpoint: Json, request: Request) -> Json:
    uri = f"{request.base_url}endpoints/{endpoint['name']}/score"
    return endpoint | {"properties": properties_of(endpoint) | {"scoringUri": uri}}


def _found(cloud: Cloud, id: str) -> Json:  # noqa: A002
    if found := cloud.state.get(id):
        return found
    raise not_found(id)


def _set(cloud: Cloud, resource_: Json, provisioning: str) -> None:
    id_ = str(resource_["id"])
    if now := cloud.state.get(id_):
        cloud.state.put(id_, now | {"properties": properties_of(now) | {"provisioningState": provisioning}})


async def _may_fail(cloud: Cloud, resource_: Json) -> None:
    """Let an operation fail, if it is to."""
    fault = cloud.faults.next("provisioning", str(resource_["id"]))
    await cloud.faults.wait(fault)
    if fault and fault.code:
        _set(cloud, resource_, "Failed")
        raise ArmError(400, fault.code, f"The emulator was told to fail with {name_of(str(resource_['id']))}.")
