"""The captions page and the operators': static files of the package, under a policy that lets nothing else in."""

from os import PathLike, stat_result
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

_FOLDER: Final = Path(__file__).resolve().parent.parent / "web"
_HEADERS: Final = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), display-capture=(self)",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class _Pages(StaticFiles):
    def file_response(
        self, full_path: str | PathLike[str], stat_result: stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers.update(_HEADERS)
        return response


def add_pages(app: FastAPI) -> None:
    """Add the routes: the pages at ``/`` and ``/operations``, their modules below ``/web``."""
    pages = _Pages(directory=_FOLDER)

    async def page(request: Request) -> Response:
        return await pages.get_response("index.html", request.scope)

    async def operations(request: Request) -> Response:
        return await pages.get_response("operations.html", request.scope)

    app.add_route("/", page, ["GET", "HEAD"], include_in_schema=False)
    app.add_route("/operations", operations, ["GET", "HEAD"], include_in_schema=False)
    app.mount("/web", pages)
