"""Language models behind OpenAI's protocol: Azure OpenAI, and servers that are compatible (Ollama, vLLM, llama.cpp)."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, NotRequired, TypedDict, cast

import openai
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion, ChatCompletionMessageParam
from openai.types.shared_params import ResponseFormatJSONSchema

from dragoman.domain.chat import AnswerSchema, ChatReply, ChatRequest, Usage
from dragoman.domain.errors import (
    ChatFailedError,
    ChatFilteredError,
    DragomanError,
    EngineFailedError,
    EngineRefusedError,
    engine_failure,
)
from dragoman.streams import PoolClosedError, from_thread

_PER_PRICE: Final = 1_000_000
API_VERSION: Final = "2024-10-21"
_REFUSALS: Final = frozenset({400, 401, 403, 404, 413, 422})


@dataclass(frozen=True, slots=True)
class ChatAccess:
    """Where a model is. ``endpoint`` is that of an Azure OpenAI resource, if it ``is_azure``, else the base URL.

    Azure takes a ``key`` or a ``token`` (a function that returns one), other servers a key or nothing. ``model`` is the
    name of the deployment, or of the model.
    """

    endpoint: str
    model: str
    is_azure: bool = False
    key: str | None = None
    token: Callable[[], str] | None = None


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars for a million tokens."""

    prompt: float
    completion: float


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """How a model is asked: within ``timeout_s`` an attempt, ``retries`` times more if that fails, ``calls`` at once.

    Some models take no ``temperature``: without one they use their own. With ``prices`` usage says what it cost.
    """

    timeout_s: float = 30.0
    retries: int = 2
    temperature: float | None = None
    calls: int = 16
    prices: Prices | None = None


class OpenAIChat:
    """A ``ChatModel`` on the openai SDK, whose retries are the only ones: it waits as long as ``Retry-After`` says."""

    def __init__(self, access: ChatAccess, options: ChatOptions | None = None) -> None:
        self._access = access
        self._options = options or ChatOptions()
        # An asynchronous client would belong to the event loop that it was used in first.
        self._client = self._connected()
        self._workers = ThreadPoolExecutor(self._options.calls, thread_name_prefix="chat")

    @property
    def name(self) -> str:
        """Whose protocol it is."""
        return "azure-openai" if self._access.is_azure else "openai"

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Return the whole answer.

        Raises:
            ChatFilteredError: if the service's content filter stands in the way.
            ChatFailedError: if the answer has no end, or there is none.
            EngineRefusedError: if we are not let in, or ask for what it does not do.
            EngineFailedError: if it fails in another way, or does not answer in time.
        """
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._workers, self._completed, request)
        except openai.OpenAIError as error:
            raise _failure(error) from error
        except DragomanError:
            raise
        except Exception as error:  # an answer that is none, or an identity that gives no token
            raise engine_failure(error) from error

    async def stream(self, request: ChatRequest) -> AsyncGenerator[str | ChatReply, None]:
        """Yield the answer as it comes, and then the whole of it; raises as ``complete``."""
        try:
            async with aclosing(from_thread(self._workers, lambda: self._pieces(request))) as pieces:
                async for piece in pieces:
                    yield piece
        except PoolClosedError as error:
            raise EngineFailedError("The chat model was closed before it was asked.") from error
        except openai.OpenAIError as error:
            raise _failure(error) from error
        except DragomanError:
            raise
        except Exception as error:  # a connection that breaks in the middle is not wrapped
            raise engine_failure(error) from error

    def _pieces(self, request: ChatRequest) -> Generator[str | ChatReply, None, None]:
        text, model, usage, finish = "", self._access.model, Usage(), None
        with self._client.chat.completions.create(
            **self._arguments(request), stream=True, stream_options={"include_usage": True}
        ) as chunks:
            for chunk in chunks:
                model = chunk.model or model
                if chunk.usage:
                    usage = self._usage(chunk.usage)
                for choice in chunk.choices:
                    finish = choice.finish_reason or finish
                    if choice.delta.content:
                        text += choice.delta.content
                        yield choice.delta.content
        yield self._reply(request, text, finish, model, usage)

    def close(self) -> None:
        """Let go of connections and threads."""
        self._workers.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    def _usage(self, used: CompletionUsage | None) -> Usage:
        if used is None:
            return Usage()
        prices, cost_usd = self._options.prices, None
        if prices:
            cost_usd = (used.prompt_tokens * prices.prompt + used.completion_tokens * prices.completion) / _PER_PRICE
        return Usage(used.prompt_tokens, used.completion_tokens, cost_usd)

    def _reply(self, request: ChatRequest, text: str, finish: str | None, model: str, usage: Usage) -> ChatReply:
        if finish == "content_filter":
            raise ChatFilteredError("The service's content filter stopped the model's answer.")
        if finish == "length":
            raise ChatFailedError(f"The model's answer is longer than {request.max_tokens} tokens.")
        if not text:
            raise ChatFailedError("The model gave no answer.")
        return ChatReply(text, self.name, model or self._access.model, usage)

    def _completed(self, request: ChatRequest) -> ChatReply:
        completion: ChatCompletion = self._client.chat.completions.create(**self._arguments(request))
        choice, usage = completion.choices[0], self._usage(completion.usage)
        return self._reply(request, choice.message.content or "", choice.finish_reason, completion.model, usage)

    def _arguments(self, request: ChatRequest) -> "_Arguments":
        arguments: _Arguments = {
            "model": self._access.model,
            "messages": cast(
                "list[ChatCompletionMessageParam]",
                [{"role": message.role, "content": message.content} for message in request.messages],
            ),
        }
        if request.schema:
            arguments["response_format"] = _format(request.schema)
        if self._options.temperature is not None:
            arguments["temperature"] = self._options.temperature
        # Newer models take the first only, and servers that are compatible the second.
        if self._access.is_azure:
            arguments["max_completion_tokens"] = request.max_tokens
        else:
            arguments["max_tokens"] = request.max_tokens
        return arguments

    def _connected(self) -> openai.OpenAI:
        access, options = self._access, self._options
        if not access.is_azure:
            return openai.OpenAI(
                base_url=access.endpoint,
                api_key=access.key or "none",  # the SDK insists on one
                timeout=options.timeout_s,
                max_retries=options.retries,
            )
        return openai.AzureOpenAI(
            azure_endpoint=access.endpoint,
            api_version=API_VERSION,
            api_key=access.key,
            azure_ad_token_provider=access.token,
            timeout=options.timeout_s,
            max_retries=options.retries,
        )


class _Arguments(TypedDict):
    model: str
    messages: list[ChatCompletionMessageParam]
    response_format: NotRequired[ResponseFormatJSONSchema]
    temperature: NotRequired[float]
    max_completion_tokens: NotRequired[int]
    max_tokens: NotRequired[int]


def _format(schema: AnswerSchema) -> ResponseFormatJSONSchema:
    return {
        "type": "json_schema",
        "json_schema": {"name": schema.name, "schema": cast("dict[str, object]", schema.json_schema), "strict": True},
    }


def _failure(error: openai.OpenAIError) -> DragomanError:
    """Return an error of ours that says what went wrong, and nothing of what was said."""
    if isinstance(error, openai.APIStatusError):
        if error.code == "content_filter":
            return ChatFilteredError("The service's content filter does not let the model read this.")
        message = f"The chat model answered with HTTP {error.status_code}."
        return EngineRefusedError(message) if error.status_code in _REFUSALS else EngineFailedError(message)
    return EngineFailedError(f"The chat model does not answer ({type(error).__name__}).")
