"""A chat model that is none: it selects and counts. The same request gives the same answer."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from dragoman.domain.chat import ChatReply, ChatRequest
from dragoman.domain.errors import ChatFailedError
from dragoman.domain.language import base_language
from dragoman.engines.chat.extractive.answer import answer as answer_question
from dragoman.engines.chat.extractive.insight import Said, extract
from dragoman.engines.chat.extractive.judgement import grounded, relevant
from dragoman.engines.chat.extractive.polish import polish

_SENTENCE: Final = re.compile(r"[^.!?\n]+[.!?]?")
_PIECE: Final = re.compile(r"\S+\s*")
_LONGEST_ECHO: Final = 200


class ExtractiveChat:
    """A ``ChatModel`` for what can be done without a language model. It says so: its engine is ``"extractive"``."""

    name = "extractive"

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Return what can be selected from the data of the last message.

        Raises:
            ChatFailedError: if it is asked for something else.
        """
        return ChatReply(text=await asyncio.to_thread(answer, request), engine=self.name)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[str | ChatReply, None]:
        """Yield the answer word by word, and then the whole of it; raises as ``complete``."""
        reply = await self.complete(request)
        for piece in _PIECE.findall(reply.text):
            yield piece
        yield reply


def answer(request: ChatRequest) -> str:
    """Return the answer to a request, as JSON; raises as ``ExtractiveChat.complete``."""
    if request.schema is None:
        return _text(request.messages[-1].content)
    kind = request.schema.name
    if kind not in _ANSWERS:
        raise ChatFailedError(f"The extractive engine cannot answer with '{kind}'; it knows {', '.join(_ANSWERS)}.")
    try:
        return _ANSWERS[kind](_data(request.messages[-1].content))
    except ValidationError as error:
        raise ChatFailedError(
            f"The data of a '{kind}' is not of the shape that the extractive engine reads."
        ) from error


class _Given(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Utterance(_Given):
    id: str
    text: str
    locale: str
    speaker: str | None = None
    translation: str | None = None


class _Conversation(_Given):
    language: str
    utterances: tuple[_Utterance, ...]


def _insight(data: Mapping[str, JsonValue]) -> str:
    given = _Conversation.model_validate(data)
    return extract(_said(given.utterances), base_language(given.language)).model_dump_json()


def _said(utterances: Sequence[_Utterance]) -> list[Said]:
    return [Said(each.id, each.text, each.translation or each.text, each.locale, each.speaker) for each in utterances]


class _Question(_Conversation):
    question: str


class _Claim(_Given):
    text: str
    evidence: tuple[str, ...]


class _Claims(_Given):
    quality: Literal["groundedness", "relevance"]
    claims: tuple[_Claim, ...]


def _judgement(data: Mapping[str, JsonValue]) -> str:
    given = _Claims.model_validate(data)
    compare = grounded if given.quality == "groundedness" else relevant
    shares = [compare(claim.text, claim.evidence) for claim in given.claims]
    return json.dumps(
        {"verdicts": [{"score": 1 + round(4 * share), "reason": f"{share:.0%} of its words"} for share in shares]}
    )


class _Translated(_Given):
    target: str
    text: str


class _Rough(_Given):
    text: str
    translations: tuple[_Translated, ...] = ()


class _Correction(_Given):
    glossary: tuple[str, ...]
    utterance: _Rough


def _polish(data: Mapping[str, JsonValue]) -> str:
    given = _Correction.model_validate(data)
    text, changes = polish(given.utterance.text, given.glossary)
    made = [
        {"target": each.target, "text": polish(each.text, given.glossary)[0]} for each in given.utterance.translations
    ]
    return json.dumps(
        {"text": text, "translations": made, "changes": [change.model_dump() for change in changes]},
        ensure_ascii=False,
    )


_ANSWERS: Final[Mapping[str, Callable[[Mapping[str, JsonValue]], str]]] = {
    "insight": _insight,
    "judgement": _judgement,
    "polish": _polish,
}


def _text(message: str) -> str:
    """Return the answer to a question, if there is one with its data; else the sentences of a text that say most."""
    try:
        given = _Question.model_validate(_data(message))
    except (ChatFailedError, ValidationError):
        pass
    else:
        return answer_question(given.question, _said(given.utterances), base_language(given.language))
    sentences = [sentence for sentence in _SENTENCE.findall(message) if sentence.strip()]
    said = [Said(str(at), text.strip(), text.strip(), "en-US", None) for at, text in enumerate(sentences)]
    chosen = extract(said, "en").summary if said else ()
    return " ".join(claim.text for claim in chosen) or message.strip()[:_LONGEST_ECHO]


def _data(message: str) -> Mapping[str, JsonValue]:
    """Return the data of a message: its first line that is a JSON object.

    Raises:
        ChatFailedError: if there is none.
    """
    for line in message.split("\n"):
        if line.startswith("{"):
            try:
                data = json.loads(line)
            except ValueError:
                continue
            if isinstance(data, dict):
                return data
    raise ChatFailedError("The message has no line of JSON for the extractive engine to read.")
