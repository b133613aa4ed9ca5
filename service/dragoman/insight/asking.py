"""A question to a chat model, and an answer that its schema accepts."""

from dataclasses import dataclass, replace
from typing import Generic, TypeVar, cast

from pydantic import BaseModel, JsonValue, ValidationError

from dragoman.domain.chat import AnswerSchema, ChatRequest, Message, Usage
from dragoman.domain.errors import ChatFailedError
from dragoman.engines.ports import ChatModel

T = TypeVar("T", bound=BaseModel)

_MOST_COMPLAINTS = 5


@dataclass(frozen=True, slots=True)
class Asked(Generic[T]):
    """An answer, who gave it, and the tokens of all attempts."""

    answer: T
    engine: str
    model: str | None
    usage: Usage


def schema_of(name: str, kind: type[BaseModel]) -> AnswerSchema:
    """Return the schema of an answer."""
    return AnswerSchema(name, cast("dict[str, JsonValue]", kind.model_json_schema()))


async def ask(chat: ChatModel, messages: tuple[Message, ...], schema: AnswerSchema, kind: type[T]) -> Asked[T]:
    """Return an answer of a kind; one that is not of it is asked for once more, with what is wrong about it.

    Raises:
        ChatFailedError: if the second is none either.
        DragomanError: if the model does not answer.
    """
    request, usage = ChatRequest(messages, schema), Usage()
    reply = await chat.complete(request)
    usage += reply.usage
    try:
        return Asked(kind.model_validate_json(reply.text), reply.engine, reply.model, usage)
    except ValidationError as error:
        wrong = _complaints(error)
    again = Message("user", f"That is not what was asked for. {wrong} Answer again, with JSON that the schema accepts.")
    reply = await chat.complete(replace(request, messages=(*messages, Message("assistant", reply.text), again)))
    usage += reply.usage
    try:
        return Asked(kind.model_validate_json(reply.text), reply.engine, reply.model, usage)
    except ValidationError as error:
        raise ChatFailedError(
            f"The model's answer is not of the shape '{schema.name}': {_complaints(error)}"
        ) from error


def _complaints(error: ValidationError) -> str:
    """Return what is wrong, and nothing of what was said."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    return " ".join(
        f"{'.'.join(map(str, each['loc'])) or 'The answer'}: {each['msg']}." for each in found[:_MOST_COMPLAINTS]
    )
