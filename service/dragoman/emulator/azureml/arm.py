"""What every door of Azure Resource Manager shares: ids, errors in its words, and operations that take a while."""

import asyncio
import logging
import re
import uuid
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from fastapi import Depends, FastAPI, Path, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import JsonValue
from starlette.types import ASGIApp, Receive, Scope, Send

from dragoman.emulator.azureml.state import Json

PROVIDER: Final = "Microsoft.MachineLearningServices"
LOCATION: Final = "local"
WORKSPACES: Final = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{PROVIDER}/workspaces"
WORKSPACE: Final = f"{WORKSPACES}/{{workspace}}"
OPERATIONS: Final = f"/subscriptions/{{subscription}}/providers/{PROVIDER}/locations/{LOCATION}"

_POLL_MS: Final = 100
"""Pause between two polls. In ``Retry-After`` it would be whole seconds, and azure-core waits 30 s for a 0."""

_OPERATION_TIMEOUT: Final = "PT90M"
_TERMS: Final = {
    term.lower(): term
    for term in (
        *("subscriptions", "resourceGroups", "providers", "workspaces", PROVIDER, "microsoft.insights"),
        *("onlineEndpoints", "deployments", "models", "environments", "codes", "data", "datastores", "versions"),
        *("listKeys", "regenerateKeys", "token", "getLogs", "listSecrets", "startPendingUpload", "metrics"),
    )
}
_WORKSPACE_NAME: Final = r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,32}"
_ONLINE_NAME: Final = r"[a-zA-Z][a-zA-Z0-9-]{1,30}[a-zA-Z0-9]"
_log = logging.getLogger(__name__)


class ArmError(Exception):
    """An answer with an error: HTTP status, Azure's code, and a message for people."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers

    @property
    def body(self) -> Json:
        """The error as ARM says it."""
        return {"error": {"code": self.code, "message": str(self)}}


def not_found(id: str) -> ArmError:  # noqa: A002 - ARM's word
    """Return the error for a resource that is not there."""
    return ArmError(404, "ResourceNotFound", f"The resource '{id}' was not found.")


def workspace_id(
    subscription: Annotated[str, Path()], group: Annotated[str, Path()], workspace: Annotated[str, Path()]
) -> str:
    """Return the id of the workspace in a path; a dependency of routes.

    Raises:
        ArmError: if no workspace can have that name.
    """
    if not re.fullmatch(_WORKSPACE_NAME, workspace):
        raise ArmError(
            400, "InvalidResourceName", f"The name '{workspace}' must be of 3 to 33 letters, digits, - and _."
        )
    return WORKSPACE.format(subscription=subscription, group=group, workspace=workspace)


WorkspaceId = Annotated[str, Depends(workspace_id)]


def check_online_name(name: str) -> None:
    """Check the name of an endpoint or a deployment.

    Raises:
        ArmError: if it can have no such name.
    """
    if not re.fullmatch(_ONLINE_NAME, name):
        raise ArmError(
            400,
            "InvalidResourceName",
            f"The name '{name}' must be of 3 to 32 letters, digits and -, the first a letter.",
        )


def name_of(id: str) -> str:  # noqa: A002
    """Return the last part of an id."""
    return id.rstrip("/").rpartition("/")[2]


def resource(id: str, type_: str, properties: Json, before: Json | None = None, **more: JsonValue) -> Json:  # noqa: A002
    """Return a resource as ARM shows it; ``before`` is what was there, and says who made it when."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    born = before.get("systemData") if before else None
    system: Json = dict(born) if isinstance(born, dict) else {}
    who: Json = {"createdBy": "dragoman", "createdByType": "User", "createdAt": now}
    changed: Json = {"lastModifiedBy": "dragoman", "lastModifiedByType": "User", "lastModifiedAt": now}
    return {
        "id": id,
        "name": name_of(id),
        "type": f"{PROVIDER}/workspaces/{type_}",
        "systemData": who | system | changed,
        "properties": properties,
        **more,
    }


def properties_of(body: Json) -> Json:
    """Return the properties of a resource; what is not an object is none."""
    found = body.get("properties")
    return found if isinstance(found, dict) else {}


@dataclass
class Operation:
    """Something that takes a while; ``error`` is set when it has failed."""

    status: Literal["InProgress", "Succeeded", "Failed"] = "InProgress"
    error: Json | None = None
    started: datetime = field(default_factory=lambda: datetime.now(UTC))


class Operations:
    """The operations that were begun, in memory; clients ask after them until they are done."""

    def __init__(self) -> None:
        self._operations: dict[str, Operation] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, work: Coroutine[None, None, None]) -> str:
        """Begin, and return the id to ask with; an ``ArmError`` of the work becomes the operation's."""
        id_ = str(uuid.uuid4())
        operation = self._operations[id_] = Operation()
        task = asyncio.create_task(_observed(operation, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return id_

    def get(self, id: str) -> Operation:  # noqa: A002
        """Return an operation.

        Raises:
            ArmError: if there is none.
        """
        if found := self._operations.get(id):
            return found
        raise not_found(id)

    async def close(self) -> None:
        """Stop what is going on."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _observed(operation: Operation, work: Coroutine[None, None, None]) -> None:
    try:
        await work
    except ArmError as error:
        operation.error = error.body
        operation.status = "Failed"
    except Exception:  # noqa: BLE001 - whatever it is, who polls must be told
        _log.exception("an operation failed in a way that it should not")
        operation.error = {"error": {"code": "InternalServerError", "message": "The emulator failed; see its output."}}
        operation.status = "Failed"
    else:
        operation.status = "Succeeded"


def created(request: Request, body: Json, operation: str, *, is_new: bool) -> JSONResponse:
    """Answer a PUT whose work goes on: 201 (200 for an update) with where to ask."""
    subscription = request.path_params["subscription"]
    asked = f"{OPERATIONS.format(subscription=subscription)}/mfeOperationsStatus/{operation}"
    headers = {
        "Azure-AsyncOperation": _absolute(request, asked),
        "x-ms-async-operation-timeout": _OPERATION_TIMEOUT,
        "x-ms-retry-after-ms": str(_POLL_MS),
    }
    return JSONResponse(body, 201 if is_new else 200, headers)


def accepted(request: Request, operation: str) -> Response:
    """Answer a DELETE, a PATCH or a POST whose work goes on: 202 with where its result will be."""
    subscription = request.path_params["subscription"]
    result = f"{OPERATIONS.format(subscription=subscription)}/mfeOperationResults/{operation}"
    status = f"{OPERATIONS.format(subscription=subscription)}/mfeOperationsStatus/{operation}"
    headers = {
        "Location": _absolute(request, result),
        "Azure-AsyncOperation": _absolute(request, status),
        "x-ms-async-operation-timeout": _OPERATION_TIMEOUT,
        "x-ms-retry-after-ms": str(_POLL_MS),
    }
    return Response(status_code=202, headers=headers)


def _absolute(request: Request, path: str) -> str:
    return f"{str(request.base_url).rstrip('/')}{path}?api-version={request.query_params.get('api-version', '')}"


def add_operations(app: FastAPI, operations: Operations) -> None:
    """Add the routes that tell how operations stand, and errors in ARM's words."""

    @app.get(f"{OPERATIONS}/mfeOperationsStatus/{{operation}}")
    async def status(operation: str, request: Request) -> JSONResponse:
        """Tell how an operation stands."""
        found = operations.get(operation)
        body: Json = {
            "id": request.url.path,
            "name": operation,
            "status": found.status,
            "startTime": found.started.isoformat(timespec="seconds").replace("+00:00", "Z"),
            **(found.error or {}),
        }
        return JSONResponse(body, headers={"x-ms-retry-after-ms": str(_POLL_MS)})

    @app.get(f"{OPERATIONS}/mfeOperationResults/{{operation}}")
    async def result(operation: str, request: Request) -> Response:
        """Answer 202 while it goes on, then 204, or the error."""
        match operations.get(operation):
            case Operation(status="InProgress"):
                return accepted(request, operation)
            case Operation(error=dict(error)):
                return JSONResponse(error, 400)
            case _:
                return Response(status_code=204)

    @app.exception_handler(ArmError)
    async def refuse(request: Request, error: ArmError) -> JSONResponse:
        return JSONResponse(error.body, error.status, error.headers)

    @app.exception_handler(RequestValidationError)
    async def correct(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        told = ArmError(400, "ValidationError", f"{'.'.join(map(str, first['loc']))}: {first['msg']}")
        return JSONResponse(told.body, told.status)


class AnyCase:
    """An ASGI middleware: ARM overlooks the letter case of its own words in a path, routes do not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, its path written as routes have it."""
        if scope["type"] == "http" and scope["path"].lower().startswith("/subscriptions/"):
            # Every other part is a word of ARM; what follows "providers" is one too.
            parts = scope["path"].split("/")
            for at in range(1, len(parts)):
                if at % 2 or parts[at - 1] == "providers":
                    parts[at] = _TERMS.get(parts[at].lower(), parts[at])
            scope = dict(scope) | {"path": "/".join(parts)}
        await self._app(scope, receive, send)
