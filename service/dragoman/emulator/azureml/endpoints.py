"""Online endpoints, their traffic, keys and tokens, as Resource Manager shows them."""

from typing import TYPE_CHECKING, Final, cast

from fastapi import APIRouter, Request
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
    properties_of,
    resource,
)
from dragoman.emulator.azureml.cloud import Cloud, managed
from dragoman.emulator.azureml.rollout import Rollout
from dragoman.emulator.azureml.state import Json
from dragoman.emulator.azureml.traffic import check_mirror, check_traffic, percentages

if TYPE_CHECKING:
    from pydantic import JsonValue

ENDPOINTS: Final = f"{WORKSPACE}/onlineEndpoints"
ENDPOINT: Final = f"{ENDPOINTS}/{{endpoint}}"


def add_endpoints(router: APIRouter, cloud: Cloud, rollout: Rollout) -> None:
    """Add the routes."""
    _add_resources(router, cloud, rollout)
    _add_keys(router, cloud)


def _add_resources(router: APIRouter, cloud: Cloud, rollout: Rollout) -> None:
    state = cloud.state

    @router.get(ENDPOINTS, dependencies=[managed()])
    async def endpoints(id_: WorkspaceId, request: Request) -> JSONResponse:
        """List the endpoints."""
        found = [_shown(each, request) for each in state.children(f"{id_}/onlineEndpoints")]
        return JSONResponse({"value": cast("JsonValue", found)})

    @router.get(ENDPOINT, dependencies=[managed()])
    async def endpoint_(id_: WorkspaceId, endpoint: str, request: Request) -> JSONResponse:
        """Return an endpoint."""
        return JSONResponse(_shown(cloud.found(f"{id_}/onlineEndpoints/{endpoint}"), request))

    @router.put(ENDPOINT, dependencies=[managed()])
    async def put(id_: WorkspaceId, endpoint: str, body: Json, request: Request) -> Response:
        """Make an endpoint, or change one."""
        made, operation, is_new = _put_endpoint(cloud, f"{id_}/onlineEndpoints/{endpoint}", body)
        return created(request, _shown(made, request), operation, is_new=is_new)

    @router.patch(ENDPOINT, dependencies=[managed()])
    async def patch(id_: WorkspaceId, endpoint: str, body: Json, request: Request) -> Response:
        """Change the tags or the identity of an endpoint."""
        before = cloud.found(f"{id_}/onlineEndpoints/{endpoint}")
        merged = before | {name: body[name] for name in ("tags", "identity") if name in body}
        _, operation, _ = _put_endpoint(cloud, str(before["id"]), merged)
        return accepted(request, operation)

    @router.delete(ENDPOINT, dependencies=[managed()])
    async def delete(id_: WorkspaceId, endpoint: str, request: Request) -> Response:
        """Delete an endpoint with its deployments."""
        id_ = f"{id_}/onlineEndpoints/{endpoint}"
        found = state.get(id_)
        if found is None:
            return Response(status_code=204)
        cloud.set_state(found, "Deleting")

        async def work() -> None:
            await cloud.may_fail(found)
            for deployment in state.children(f"{id_}/deployments"):
                await rollout.stop(str(deployment["id"]))
            state.delete(id_)

        return accepted(request, cloud.operations.begin(work()))


def _put_endpoint(cloud: Cloud, id: str, body: Json) -> tuple[Json, str, bool]:  # noqa: A002 - ARM's word
    check_online_name(name_of(id))
    state = cloud.state
    before = state.get(id)
    same = state.find(f"/onlineEndpoints/{name_of(id)}")
    if same and same["id"] != (before or {}).get("id"):
        raise ArmError(409, "Conflict", f"There is an endpoint '{name_of(id)}' in another workspace of the region.")
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
        await cloud.may_fail(made)
        cloud.set_state(made, "Succeeded")

    return made, cloud.operations.begin(work()), before is None


def _add_keys(router: APIRouter, cloud: Cloud) -> None:
    @router.post(f"{ENDPOINT}/listKeys", dependencies=[managed()])
    async def list_keys(id_: WorkspaceId, endpoint: str) -> JSONResponse:
        """Return the keys of an endpoint."""
        found = cloud.found(f"{id_}/onlineEndpoints/{endpoint}")
        if str(properties_of(found)["authMode"]).lower() != "key":
            raise ArmError(400, "UserError", "The endpoint has no keys: its auth mode is another one.")
        return JSONResponse(cloud.state.get(f"{found['id']}/keys/keys"))

    @router.post(f"{ENDPOINT}/regenerateKeys", dependencies=[managed()])
    async def regenerate(id_: WorkspaceId, endpoint: str, body: Json, request: Request) -> Response:
        """Give an endpoint another key."""
        found = cloud.found(f"{id_}/onlineEndpoints/{endpoint}")
        which = "primaryKey" if str(body.get("keyType")).lower() == "primary" else "secondaryKey"

        async def work() -> None:
            keys = cloud.state.get(f"{found['id']}/keys/keys") or {}
            # azure-ai-ml 1.35.2 sends the key that is there, and wants another.
            given = body.get("keyValue")
            made = new_key() if not given or given in keys.values() else given
            cloud.state.put(f"{found['id']}/keys/keys", keys | {which: made})

        return accepted(request, cloud.operations.begin(work()))

    @router.post(f"{ENDPOINT}/token", dependencies=[managed()])
    async def token(id_: WorkspaceId, endpoint: str) -> JSONResponse:
        """Return a token of Azure ML for an endpoint."""
        found = cloud.found(f"{id_}/onlineEndpoints/{endpoint}")
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


def _shown(endpoint: Json, request: Request) -> Json:
    uri = f"{request.base_url}endpoints/{endpoint['name']}/score"
    return endpoint | {"properties": properties_of(endpoint) | {"scoringUri": uri}}
