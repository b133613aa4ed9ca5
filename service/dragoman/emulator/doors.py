"""What the HTTP doors share: who may come in, what goes wrong, and errors in Azure's words."""

import asyncio
from typing import Final, cast

from fastapi import Depends, FastAPI, Request, params
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import JsonValue

from dragoman.emulator.admission import refusal
from dragoman.emulator.faults import DoorName, Faults

_NAMES: Final = {
    400: "InvalidRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    429: "TooManyRequests",
    503: "ServiceUnavailable",
}


_FILTERED: Final[dict[str, JsonValue]] = {
    "error": {
        "message": "The response was filtered due to the prompt triggering the content management policy.",
        "type": None,
        "param": "prompt",
        "code": "content_filter",
        "status": 400,
        "innererror": {
            "code": "ResponsibleAIPolicyViolation",
            "content_filter_result": {"jailbreak": {"filtered": True, "detected": True}},
        },
    }
}
"""As it was quoted from the service; the specification has other names (docs/azure-fidelity.md)."""


class Refused(Exception):  # noqa: N818 - an answer, not a failure of ours
    """An answer with an error: HTTP status, Azure's code, a message, and when to try again."""

    def __init__(self, status: int, code: int | str, message: str, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.retry_after_s = retry_after_s


class Filtered(Exception):  # noqa: N818 - an answer, not a failure of ours
    """The answer of Azure OpenAI's content filter."""


def checked(door: DoorName) -> params.Depends:
    """Return a dependency that lets in who has credentials, unless something is to go wrong."""

    async def check(request: Request) -> None:
        faults = cast("Faults", request.app.state.faults)
        fault = faults.next(door)
        if fault and fault.delay_s:
            await asyncio.sleep(fault.delay_s)
        if fault and fault.filtered:
            raise Filtered
        if fault and fault.status:
            code = _NAMES.get(fault.status, "InternalServerError")
            raise Refused(fault.status, code, "The emulator was told to fail.", fault.retry_after_s)
        if status := refusal(request, request.app.state.keys):
            raise Refused(
                status, "Unauthorized", "The request is not authorized because credentials are missing or invalid."
            )

    dependency: params.Depends = Depends(check)
    return dependency


def add_errors(app: FastAPI) -> None:
    """Answer errors as Azure does."""

    @app.exception_handler(Refused)
    async def refuse(request: Request, error: Refused) -> JSONResponse:
        headers = {"Retry-After": str(error.retry_after_s)} if error.retry_after_s is not None else None
        return JSONResponse(_body(request, error.code, str(error)), error.status, headers)

    @app.exception_handler(Filtered)
    async def filtered(request: Request, error: Filtered) -> JSONResponse:
        return JSONResponse(_FILTERED, 400)

    @app.exception_handler(RequestValidationError)
    async def correct(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        return JSONResponse(_body(request, "InvalidRequest", f"{place}: {first['msg']}"), 400)


def _body(request: Request, code: int | str, message: str) -> dict[str, JsonValue]:
    """Return an error: the Speech service does not wrap its own."""
    error: dict[str, JsonValue] = {"code": str(code), "message": message}
    return error if request.url.path.startswith("/speechtotext/") else {"error": error}
