"""What is said to a chat model, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class AnswerSchema:
    """The shape that an answer must have: a JSON schema (every property required, no others) and its name."""

    name: str
    json_schema: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What a model is asked. Without a ``schema`` the answer is text. It may be ``max_tokens`` long."""

    messages: tuple[Message, ...]
    schema: AnswerSchema | None = None
    max_tokens: int = 2_000


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one or several calls, as the service counts them, and what they cost, if prices are known."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None

    def __add__(self, other: "Usage") -> "Usage":
        costs = [cost for cost in (self.cost_usd, other.cost_usd) if cost is not None]
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            sum(costs) if costs else None,
        )


@dataclass(frozen=True, slots=True)
class ChatReply:
    """An answer, and who gave it: ``engine`` is ``"extractive"`` where no language model was asked."""

    text: str
    engine: str
    model: str | None = None
    usage: Usage = Usage()
