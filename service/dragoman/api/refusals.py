"""How requests are refused that no route answers, or that a route refuses: always with a problem."""

from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match, Mount

from dragoman.api.problems import explained, headers_of, problem, status_of
from dragoman.domain.errors import DragomanError, MethodUnknownError, RequestInvalidError, RouteUnknownError

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def add_refusals(app: FastAPI) -> None:
    """Add the handlers of errors."""

    @app.exception_handler(DragomanError)
    async def refuse(request: Request, error: DragomanError) -> JSONResponse:
        return _answer(error)

    @app.exception_handler(RequestValidationError)
    async def correct(request: Request, error: RequestValidationError) -> JSONResponse:
        return _answer(RequestInvalidError(f"The request cannot be read: {explained(error)}"))

    @app.exception_handler(HTTPException)
    async def turn_away(request: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == 404:
            return _answer(RouteUnknownError("There is nothing at this address; /docs shows what there is."))
        if error.status_code == 405:
            # The framework names the methods of one route only, and an address may have several.
            methods = ", ".join(_methods(app, request)) or "GET, HEAD"
            answer = _answer(MethodUnknownError(f"This address is not for {request.method}, but for {methods}."))
            answer.headers["Allow"] = methods
            return answer
        return _answer(RequestInvalidError("The body of the request cannot be read; it is not what its type says."))

    @app.exception_handler(Exception)
    async def fail(request: Request, error: Exception) -> JSONResponse:
        # The server logs where it was. What is wrong may hold what somebody said, so it is not told.
        kind = type(error).__name__
        return JSONResponse(problem(DragomanError(f"The server failed unexpectedly ({kind}).")), 500)


def _answer(error: DragomanError) -> JSONResponse:
    return JSONResponse(problem(error), status_of(error), headers_of(error))


def _methods(app: FastAPI, request: Request) -> list[str]:
    plain = {name: request.scope[name] for name in ("type", "path", "root_path", "headers", "query_string")}
    routes = [route for route in app.routes if not isinstance(route, Mount)]
    return [
        method
        for method in _METHODS
        if any(route.matches({**plain, "method": method})[0] is Match.FULL for route in routes)
    ]
