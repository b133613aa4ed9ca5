"""The chat door: Azure OpenAI's chat completions, answered by the extractive engine, which is no language model."""

import json
import time
import uuid
from collections.abc import Iterator
from typing import Annotated, Final, Literal

from fastapi import FastAPI, Query, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from dragoman.domain.chat import AnswerSchema, ChatRequest, Message
from dragoman.domain.errors import ChatFailedError
from dragoman.emulator.doors import Refused, checked
from dragoman.engines.chat.extractive.engine import ExtractiveChat

VERSIONS: Final = frozenset({"2024-10-21", "preview", "latest"})
_CHARACTERS_PER_TOKEN: Final = 4
_CHUNK: Final = 20

_SAFE: Final[dict[str, JsonValue]] = {
    kind: {"filtered": False, "severity": "safe"} for kind in ("hate", "self_harm", "sexual", "violence")
}


class _Asked(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Part(_Asked):
    type: str
    text: str = ""


class _Message(_Asked):
    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[_Part] | None = ""

    @property
    def text(self) -> str:
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content)
        return self.content or ""


class _Schema(_Asked):
    name: str
    json_schema: dict[str, JsonValue] = Field(default={}, alias="schema")


class _Format(_Asked):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: _Schema | None = None


class _StreamOptions(_Asked):
    include_usage: bool = False


class _Completion(_Asked):
    messages: list[_Message] = Field(min_length=1)
    model: str | None = None
    response_format: _Format | None = None
    stream: bool = False
    stream_options: _StreamOptions = _StreamOptions()

    def request(self) -> ChatRequest:
        """Return what the engine is asked."""
        schema = self.response_format.json_schema if self.response_format else None
        return ChatRequest(
            tuple(Message("system" if each.role == "developer" else each.role, each.text) for each in self.messages),
            AnswerSchema(schema.name, schema.json_schema) if schema else None,
        )


def add_chat(app: FastAPI) -> None:
    """Add the routes."""
    engine, door = ExtractiveChat(), checked("chat")

    async def answered(asked: _Completion, model: str) -> Response:
        request = asked.request()
        try:
            text = (await engine.complete(request)).text
        except ChatFailedError as error:
            raise Refused(400, "invalid_request_error", str(error)) from error
        reply = _Reply(model, text, _usage(request, text))
        if asked.stream:
            lines = reply.chunks(with_usage=asked.stream_options.include_usage)
            return StreamingResponse(lines, media_type="text/event-stream")
        return JSONResponse(reply.whole())

    @app.post("/openai/deployments/{deployment}/chat/completions", dependencies=[door])
    async def deployed(
        deployment: str, asked: _Completion, version: Annotated[str, Query(alias="api-version")]
    ) -> Response:
        """Complete a chat with a deployment."""
        if version not in VERSIONS:
            raise Refused(404, "404", "Resource not found")
        return await answered(asked, deployment)

    @app.post("/openai/v1/chat/completions", dependencies=[door])
    async def named(asked: _Completion) -> Response:
        """Complete a chat with a model."""
        if not asked.model:
            raise Refused(400, "invalid_request_error", "you must provide a model parameter")
        return await answered(asked, asked.model)


class _Reply:
    """An answer in the service's own words, whole or in pieces."""

    def __init__(self, model: str, text: str, usage: dict[str, JsonValue]) -> None:
        self._text = text
        self._usage = usage
        self._head: dict[str, JsonValue] = {
            "id": f"chatcmpl-{uuid.uuid4().hex}",
            "created": int(time.time()),
            "model": model,
        }

    def whole(self) -> dict[str, JsonValue]:
        """Return a completion."""
        choice: dict[str, JsonValue] = {
            "index": 0,
            "finish_reason": "stop",
            "logprobs": None,
            "message": {"role": "assistant", "content": self._text, "refusal": None},
            "content_filter_results": dict(_SAFE),
        }
        prompt: dict[str, JsonValue] = {"prompt_index": 0, "content_filter_results": dict(_SAFE)}
        return {
            **self._head,
            "object": "chat.completion",
            "choices": [choice],
            "usage": self._usage,
            "prompt_filter_results": [prompt],
        }

    def chunks(self, *, with_usage: bool) -> Iterator[str]:
        """Yield server-sent events."""
        yield self._event([{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}])
        for at in range(0, len(self._text), _CHUNK):
            delta: JsonValue = {"content": self._text[at : at + _CHUNK]}
            yield self._event([{"index": 0, "delta": delta, "finish_reason": None}])
        yield self._event([{"index": 0, "delta": {}, "finish_reason": "stop"}])
        if with_usage:
            yield self._event([], usage=self._usage)
        yield "data: [DONE]\n\n"

    def _event(self, choices: list[JsonValue], usage: JsonValue = None) -> str:
        body = {**self._head, "object": "chat.completion.chunk", "choices": choices, "usage": usage}
        return f"data: {json.dumps(body, ensure_ascii=False)}\n\n"


def _usage(request: ChatRequest, text: str) -> dict[str, JsonValue]:
    """Return tokens, guessed from characters: the tokenizers of the models are not here."""
    asked = sum(len(message.content) for message in request.messages) // _CHARACTERS_PER_TOKEN
    said = max(1, len(text) // _CHARACTERS_PER_TOKEN)
    return {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}
