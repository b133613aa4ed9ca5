"""The front door of endpoints: who may score, which deployment answers, how long it may take, what is told of it."""

import asyncio
import contextlib
import hmac
import time
import uuid
from collections import defaultdict
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Final

import httpx2
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from dragoman.emulator.azureml.access import ENDPOINTS, bearer, is_open_to
from dragoman.emulator.azureml.arm import properties_of
from dragoman.emulator.azureml.cloud import Cloud
from dragoman.emulator.azureml.collecting import Collector, Exchange
from dragoman.emulator.azureml.instances import Instance
from dragoman.emulator.azureml.rollout import Rollout, Running
from dragoman.emulator.azureml.state import Json, Sample
from dragoman.emulator.azureml.traffic import Split, percentages

CHOOSES: Final = "azureml-model-deployment"
"""The header that chooses a deployment, and tells which one has answered."""

_NOT_PASSED_ON: Final = frozenset(
    {"host", "authorization", "content-length", "connection", "transfer-encoding", "accept-encoding", CHOOSES}
)
_NOT_RETURNED: Final = frozenset({"content-length", "connection", "transfer-encoding", "date", "server"})

_BREAKS_OFF: Final = (TimeoutError, httpx2.HTTPError)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    request_id: str


@dataclass
class Front:
    """Answers for all endpoints of an emulator."""

    cloud: Cloud
    rollout: Rollout
    collector: Collector
    _splits: defaultdict[str, Split] = field(default_factory=lambda: defaultdict(Split))
    _copies: set[asyncio.Task[None]] = field(default_factory=set)

    async def score(self, name: str, path: str, request: Request) -> Response:
        """Answer a request to an endpoint."""
        fault = self.cloud.faults.next("endpoint", request.url.path)
        await self.cloud.faults.wait(fault)
        endpoint = self.cloud.state.find(f"/onlineEndpoints/{name}")
        if endpoint is None:
            return _refused(404, "NotFound", f"There is no endpoint '{name}'.")
        if not self._may_score(endpoint, bearer(request)):
            return _refused(401, "Unauthorized", "The key or token is missing, wrong, or has expired.")
        if fault and fault.status:
            return _refused(fault.status, fault.code or "Fault", "The emulator was told to fail.", fault.retry_after_s)
        headers = {key.lower(): value for key, value in request.headers.items()}
        id_ = headers.get("x-request-id") or str(uuid.uuid4())
        asked = Asked(request.method, path, request.url.query, headers, await request.body(), id_)
        chosen = headers.get(CHOOSES)
        live = chosen or self._splits[f"{endpoint['id']} live"].next(percentages(properties_of(endpoint)["traffic"]))
        if live is None:
            return _refused(404, "NotFound", "The endpoint has no deployment with traffic.")
        if not chosen:
            self._mirror(endpoint, asked)
        return await self._answer(endpoint, live, asked, is_copy=False)

    async def close(self) -> None:
        """Stop what is still copied."""
        for copy in list(self._copies):
            copy.cancel()
        await asyncio.gather(*self._copies, return_exceptions=True)

    def _may_score(self, endpoint: Json, token: str | None) -> bool:
        if token is None:
            return False
        match str(properties_of(endpoint)["authMode"]).lower():
            case "key":
                keys = self.cloud.state.get(f"{endpoint['id']}/keys/keys") or {}
                return any(hmac.compare_digest(token.encode(), str(key).encode()) for key in keys.values())
            case "amltoken":
                return self.cloud.signatures.opens(token, str(endpoint["id"]))
            case _:
                return is_open_to(token, ENDPOINTS)

    def _mirror(self, endpoint: Json, asked: Asked) -> None:
        """Send a copy to the deployment that is to have one; nobody waits for its answer."""
        parts = percentages(properties_of(endpoint)["mirrorTraffic"])
        name = self._splits[f"{endpoint['id']} mirror"].next(parts) if parts else None
        if name is None:
            return
        copy = asyncio.create_task(self._discard(endpoint, name, asked))
        self._copies.add(copy)
        copy.add_done_callback(self._copies.discard)

    async def _discard(self, endpoint: Json, name: str, asked: Asked) -> None:
        answer = await self._answer(endpoint, name, asked, is_copy=True)
        if isinstance(answer, StreamingResponse):
            with contextlib.suppress(*_BREAKS_OFF):
                async for _ in answer.body_iterator:
                    pass

    async def _answer(self, endpoint: Json, name: str, asked: Asked, *, is_copy: bool) -> Response:
        """Ask a deployment; count, and collect what it is to collect."""
        running = self.rollout.get(f"{endpoint['id']}/deployments/{name}")
        if running is None:
            return _refused(404, "NotFound", f"The endpoint has no deployment '{name}' that runs.")
        told = Told(self, endpoint, running, asked, is_copy)
        if running.in_flight >= running.most:
            return told.refused(429, "TooManyRequests", "The deployment has too many pending requests.")
        running.enter()
        stack = AsyncExitStack()
        stack.callback(running.leave)
        try:
            async with asyncio.timeout(running.limits.timeout_s) as limit:
                await running.slots.acquire()
                stack.callback(running.slots.release)
                instance = running.instance()
                if instance is None:
                    return told.failed("the container is not ready", b"", "text/plain", 503)
                path = instance.launch.score_path
                if asked.path not in ("score", path.lstrip("/")):
                    return told.refused(404, "NotFound", f"The deployment has no route '/{asked.path}'.")
                instance.in_flight += 1
                stack.callback(_less, instance)
                request = self.rollout.client.build_request(
                    asked.method,
                    f"{instance.url}{path}{f'?{asked.query}' if asked.query else ''}",
                    content=asked.body,
                    headers={key: value for key, value in asked.headers.items() if key not in _NOT_PASSED_ON}
                    | {"x-request-id": asked.request_id, "accept-encoding": "identity"},
                )
                told.instance = instance.id
                answer = await self.rollout.client.send(request, stream=True)
                stack.push_async_callback(answer.aclose)
                kind = answer.headers.get("content-type", "")
                if answer.is_success and kind.startswith("text/event-stream"):
                    passed = told.streamed(answer, limit.when() or 0.0, stack.pop_all())
                    await anext(passed)  # once begun, it lets go of everything even if nobody reads on
                    return _Stream(passed, answer.status_code, told.headers(answer))
                body = await answer.aread()
            if answer.is_success:
                return told.passed(answer, body)
            return told.failed(answer.reason_phrase, body, kind, answer.status_code)
        except TimeoutError:
            return told.refused(408, "RequestTimeout", f"The model took longer than {running.limits.timeout_s:g} s.")
        except httpx2.HTTPError as error:
            return told.failed(type(error).__name__, b"", "text/plain", 502)
        finally:
            await stack.aclose()


@dataclass
class Told:
    """What becomes of one request at one deployment."""

    front: Front
    endpoint: Json
    running: Running
    asked: Asked
    is_copy: bool
    instance: str = ""
    _started: float = field(default_factory=time.monotonic)

    def headers(self, answer: httpx2.Response | None = None) -> dict[str, str]:
        """Return the headers of an answer: the container's, which deployment it was, and the request's id."""
        kept = answer.headers.items() if answer else ()
        return {
            **{key: value for key, value in kept if key.lower() not in _NOT_RETURNED},
            CHOOSES: self.running.name,
            "x-request-id": self.asked.request_id,
        }

    def passed(self, answer: httpx2.Response, body: bytes) -> Response:
        """Pass on what the container answered."""
        self._record(answer.status_code, answer.status_code, body, answer.headers)
        return Response(body, answer.status_code, self.headers(answer))

    def failed(self, reason: str, body: bytes, kind: str, status: int) -> Response:
        """Answer 424: the model did not answer with success."""
        self._record(424, status, body, {"content-type": kind})
        told = {
            "ms-azureml-model-error-statuscode": str(status),
            "ms-azureml-model-error-reason": reason or "model_error",
        }
        return Response(body, 424, self.headers() | told, kind or None)

    def refused(self, status: int, code: str, message: str) -> Response:
        """Answer without the model."""
        self._record(status, 0, b"", {})
        answer = _refused(status, code, message)
        answer.headers.update(self.headers())
        return answer

    async def streamed(
        self, answer: httpx2.Response, deadline: float, stack: AsyncExitStack
    ) -> AsyncGenerator[bytes, None]:
        """Pass on events as they come; the request's time is that of the whole stream."""
        pieces, status = list[bytes](), answer.status_code  # which whoever leaves early was told too
        async with stack:
            yield b""
            try:
                async with asyncio.timeout_at(deadline):
                    async for piece in answer.aiter_raw():
                        pieces.append(piece)
                        yield piece
            except TimeoutError:
                status = 408
                raise
            finally:
                self._record(status, answer.status_code, b"".join(pieces), answer.headers)

    def _record(self, status: int, model_status: int, body: bytes, headers: Mapping[str, str]) -> None:
        cloud, latency_ms = self.front.cloud, (time.monotonic() - self._started) * 1000
        endpoint = str(self.endpoint["id"]).lower()
        cloud.state.record(
            Sample(time.time(), endpoint, self.running.name, status, model_status, latency_ms, self.is_copy)
        )
        if self.instance and (deployment := cloud.state.get(self.running.id)):
            exchange = Exchange(
                self.asked.request_id, self.asked.path, self.asked.method, self.asked.headers, self.asked.body
            )
            self.front.collector.collect(deployment, self.instance, exchange, body, headers if model_status else None)


class _Stream(StreamingResponse):
    """A stream that breaks off, without an end, when its time is over or its container has ended."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; the server closes the connection of what is not complete."""
        with contextlib.suppress(*_BREAKS_OFF):
            await super().__call__(scope, receive, send)


def add_front(router: APIRouter, front: Front) -> None:
    """Add the route."""

    @router.api_route("/endpoints/{name}/{path:path}", methods=["GET", "POST", "PUT", "DELETE"])
    async def score(name: str, path: str, request: Request) -> Response:
        """Score."""
        return await front.score(name, path, request)


def _less(instance: Instance) -> None:
    instance.in_flight -= 1


def _refused(status: int, code: str, message: str, retry_after_s: int | None = None) -> JSONResponse:
    headers = {"Retry-After": str(retry_after_s)} if retry_after_s is not None else None
    return JSONResponse({"error": {"code": code, "message": message}}, status, headers)
