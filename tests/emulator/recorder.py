"""Looks at every exchange of the emulator's HTTP doors, and checks it against the published specification."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.specs import validate

_check: Callable[..., list[Any]] = validate.check
_find: Callable[..., Any] = validate.find
_APIS = (
    ("/contentsafety/", "content-safety"),
    ("/openai/", "openai-chat"),
    ("/speechtotext/", "speech-to-text"),
    ("/translat", "translator"),
    ("/languages", "translator"),
    ("/subscriptions/", "azureml"),
)


@dataclass
class Recorder:
    """An ASGI middleware; ``violations`` hold what the specification forbids, ``exchanges`` what was exchanged.

    ``warnings`` hold what it permits, and yet does not name.
    """

    app: ASGIApp
    exchanges: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        api = next((name for prefix, name in _APIS if scope.get("path", "").startswith(prefix)), None)
        if scope["type"] != "http" or api is None:
            await self.app(scope, receive, send)
            return
        asked, answered, status, told = b"", b"", 0, dict[str, str]()

        async def hear() -> Message:
            nonlocal asked
            message = await receive()
            asked += message.get("body", b"")
            return message

        async def say(message: Message) -> None:
            nonlocal answered, status, told
            answered += message.get("body", b"")
            status = message.get("status", status)
            told |= {name.decode(): value.decode() for name, value in message.get("headers", ())}
            if message["type"] == "http.response.body" and not message.get("more_body"):
                self._check(api, scope, asked, answered, status, told)  # before the client goes on
            await send(message)

        await self.app(scope, hear, say)

    def _check(self, api: str, scope: Scope, asked: bytes, answered: bytes, status: int, told: dict[str, str]) -> None:
        method, path = scope["method"], scope["path"]
        if api == "azureml" and _find(api, method, path) is None:
            return  # not among what was transcribed
        query = dict(pair.split("=", 1) for pair in scope["query_string"].decode().split("&") if "=" in pair)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.exchanges.append(f"{api} {method} {path} {status}")
        request = _request(asked, headers)
        found: list[Any] = [] if status >= 400 else _check(api, method, path, request, query=query, headers=headers)
        if not answered.startswith(b"data: "):  # streams are not in the specification
            found += _check(api, method, path, json.loads(answered or "null"), status=status, headers=told)
        self.violations += [
            f"{method} {path} {status}: {each}" for each in found if each.severity == "error" and not _is_known(each)
        ]
        self.warnings += [f"{api} {method} {status}: {each}" for each in found if each.severity == "warning"]


def _is_known(violation: Any) -> bool:
    """Return whether the specification is wrong here, or the service otherwise (docs/azure-fidelity.md)."""
    text = str(violation)
    return ".response_format.json_schema" in text or "content_filter" in text or ".error.type" in text


def _request(body: bytes, headers: dict[str, str]) -> Any:
    kind = headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        return json.loads(body) if body else None
    boundary = b"--" + kind.partition("boundary=")[2].strip('"').encode()
    parts: dict[str, Any] = {}
    for part in body.split(boundary)[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        name = head.partition(b'name="')[2].partition(b'"')[0].decode()
        parts[name] = content[:-2].decode() if name == "definition" else "(binary)"
    return parts
