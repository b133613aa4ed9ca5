"""A flow on an Azure ML managed online endpoint: ``POST /score``, by identity or by key."""

import asyncio
import json
from collections.abc import AsyncGenerator, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, closing
from dataclasses import dataclass
from typing import Final

from azure.core import PipelineClient
from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError, HttpResponseError
from azure.core.pipeline.policies import BearerTokenCredentialPolicy, HeadersPolicy
from azure.core.rest import HttpRequest, HttpResponse
from pydantic import JsonValue

from dragoman.domain.errors import DragomanError, EngineFailedError, EngineRefusedError, engine_failure
from dragoman.engines.azure.retries import Retries, failure
from dragoman.streams import PoolClosedError, from_thread

SCOPE: Final = "https://ml.azure.com/.default"
"""Of tokens for endpoints of Azure ML."""

_SERVICE: Final = "The flow's endpoint"

Event = tuple[str, str]
"""A server-sent event: its name and its data."""


@dataclass(frozen=True, slots=True)
class EndpointAccess:
    """Where a flow is: the whole URL, ``https://NAME.REGION.inference.ml.azure.com/score``, and who we are.

    ``deployment`` asks for one of the endpoint's deployments; without it its traffic rules choose.
    """

    url: str
    key: str | None = None
    credential: TokenCredential | None = None
    deployment: str | None = None


class FlowEndpoint:
    """Calls a flow; ``retries`` say how often and how long, for all calls of this process together."""

    def __init__(
        self, access: EndpointAccess, retries: Retries | None = None, timeout_s: float = 30.0, calls: int = 16
    ) -> None:
        self._access = access
        self._retries = retries or Retries(deadline_s=60.0)
        self._timeout_s = timeout_s
        self._client: PipelineClient[HttpRequest, HttpResponse] = PipelineClient(access.url, policies=_policies(access))
        self._workers = ThreadPoolExecutor(calls, thread_name_prefix="flow")

    async def call(self, given: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
        """Return the outputs of the flow.

        Raises:
            EngineRefusedError: if the endpoint does not let us in, or the flow refuses what it is given.
            EngineFailedError: if it fails, or does not answer in time.
        """
        loop = asyncio.get_running_loop()
        try:
            return await self._retries.call(lambda: loop.run_in_executor(self._workers, self._score, given))
        except AzureError as error:
            raise _explained(error) from error
        except DragomanError:
            raise
        except Exception as error:  # an answer that is none
            raise engine_failure(error) from error

    async def stream(self, given: Mapping[str, JsonValue]) -> AsyncGenerator[Event, None]:
        """Yield the events of a flow that streams; raises as ``call``. What has begun is not tried again."""
        try:
            async with aclosing(from_thread(self._workers, lambda: self._told(given))) as told:
                async for event in told:
                    yield event
        except PoolClosedError as error:
            raise EngineFailedError(f"{_SERVICE} was closed before it was called.") from error
        except AzureError as error:
            raise _explained(error) from error
        except DragomanError:
            raise
        except Exception as error:  # a connection that breaks in the middle is not wrapped
            raise engine_failure(error) from error

    def close(self) -> None:
        """Let go of connections and threads."""
        self._workers.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    def _request(self, given: Mapping[str, JsonValue], accept: str) -> HttpRequest:
        headers = {"Accept": accept}
        if self._access.deployment:
            headers["azureml-model-deployment"] = self._access.deployment
        return HttpRequest("POST", self._access.url, json=dict(given), headers=headers)

    def _sent(self, given: Mapping[str, JsonValue], accept: str, *, streams: bool) -> HttpResponse:
        response = self._client.send_request(
            self._request(given, accept),
            stream=streams,
            connection_timeout=self._timeout_s,
            read_timeout=self._timeout_s,
        )
        if response.status_code != 200:
            response.read()
            raise HttpResponseError(response=response)
        return response

    def _score(self, given: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
        outputs = self._sent(given, "application/json", streams=False).json()
        if not isinstance(outputs, dict):
            raise EngineFailedError(f"{_SERVICE} answered with something else than outputs.")
        return outputs

    def _told(self, given: Mapping[str, JsonValue]) -> Generator[Event, None, None]:
        with closing(self._sent(given, "text/event-stream", streams=True)) as response:
            yield from _events(response.iter_bytes())


def _policies(access: EndpointAccess) -> list[object]:
    if access.key:
        return [HeadersPolicy({"Authorization": f"Bearer {access.key}"})]
    assert access.credential
    return [BearerTokenCredentialPolicy(access.credential, SCOPE)]


def _events(chunks: Iterator[bytes]) -> Iterator[Event]:
    """Yield server-sent events of one line of data each."""
    rest = b""
    for chunk in chunks:
        *parts, rest = (rest + chunk).replace(b"\r\n", b"\n").split(b"\n\n")
        for part in parts:
            lines = dict(line.split(": ", 1) for line in part.decode().split("\n") if ": " in line)
            yield lines.get("event", "message"), lines.get("data", "")


def _explained(error: AzureError) -> DragomanError:
    """Return an error that says what the flow says of what it was given, if that is what was wrong."""
    if isinstance(error, HttpResponseError) and error.status_code == 400 and error.response is not None:
        try:
            said = json.loads(error.response.text())["error"]["message"]
        except (ValueError, KeyError, TypeError):
            return failure(error, _SERVICE)
        return EngineRefusedError(f"{_SERVICE} refuses: {said}")
    return failure(error, _SERVICE)
