"""Errors as OpenAI's clients read them, so that each raises its own exception class."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Final

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from dragoman.api.problems import explained, headers_of, status_of
from dragoman.domain.errors import DragomanError, RequestInvalidError
from dragoman.domain.events import ErrorEvent
from dragoman.pipeline.transcript import Remark

_TYPES: Final = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
_PARAMS: Final = {
    "audio_empty": "file",
    "audio_limit": "file",
    "audio_unreadable": "file",
    "language_limit": "language",
    "language_unsupported": "language",
    "locale_invalid": "language",
}
"""Which field is to blame, where our code alone says so."""

Body = dict[str, dict[str, str | None]]


class FieldError(RequestInvalidError):
    """A field holds what cannot be done."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class SessionFailedError(DragomanError):
    """What ended a session, under the code that it was told with."""

    def __init__(self, why: ErrorEvent | Remark) -> None:
        super().__init__(why.message)
        self.code = why.code  # type: ignore[misc]  # the events of a session keep the code of an error, not its class
        self.retryable = isinstance(why, ErrorEvent) and why.retryable  # type: ignore[misc]  # as above


class OpenAiRoute(APIRoute):
    """A route whose errors are in OpenAI's shape."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[None, None, Response]]:
        """Return what answers a request."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except DragomanError as error:
                return refusal(error)
            except RequestValidationError as invalid:
                place = invalid.errors()[0]["loc"]
                return refusal(FieldError(str(place[-1]), f"The request cannot be read: {explained(invalid)}"))
            except HTTPException as error:  # a body that is no form
                return _answer(error.status_code, "request_invalid", str(error.detail), None, {})

        return answer


def refusal(error: DragomanError, headers: Mapping[str, str] | None = None) -> Response:
    """Return the answer for an error: with the status that makes a client raise the right class."""
    retry = {} if error.retryable else {"x-should-retry": "false"}
    param = error.field if isinstance(error, FieldError) else _PARAMS.get(error.code)
    return _answer(_status(error), error.code, str(error), param, {**headers_of(error), **retry, **(headers or {})})


def late_refusal(error: DragomanError) -> Body:
    """Return an error that comes too late for a status, because the answer has begun."""
    return _body(_status(error), error.code, str(error), None)


def unknown_route() -> Response:
    """Return the answer for a part of the API that is not here."""
    message = "This server answers POST /v1/audio/transcriptions and /v1/audio/translations."
    return _answer(404, "route_unknown", message, None, {})


def _body(status: int, code: str, message: str, param: str | None) -> Body:
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def _answer(status: int, code: str, message: str, param: str | None, headers: Mapping[str, str]) -> Response:
    return JSONResponse(_body(status, code, message, param), status, dict(headers))


def _status(error: DragomanError) -> int:
    """Return a status: OpenAI answers 400 where we say 422, and clients look for that."""
    status = status_of(error)
    return 400 if status == 422 else status
