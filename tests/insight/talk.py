"""Conversations, and chat models that answer in a known way."""

import json
from collections.abc import AsyncGenerator, Sequence

from dragoman.domain.chat import ChatReply, ChatRequest, Usage
from dragoman.engines.chat.extractive.engine import ExtractiveChat
from dragoman.engines.ports import ChatModel, Guard
from dragoman.engines.safety.rules import RuleGuard
from dragoman.insight.answering import AnswerStep
from dragoman.insight.content import read_content
from dragoman.insight.conversation import Conversation, Line
from dragoman.insight.polishing import PolishStep
from dragoman.insight.step import InsightStep
from dragoman.resources import flows_folder
from tests.calls import call


def conversation(*texts: str, locale: str = "en-US") -> Conversation:
    """Return a conversation of so many seconds."""
    return Conversation(
        lines=tuple(
            Line(id=f"u_{number}", text=text, locale=locale, start_ms=1_000 * number, end_ms=1_000 * number + 900)
            for number, text in enumerate(texts, 1)
        )
    )


def sample(name: str) -> Conversation:
    """Return what is said in a sample call, with its English."""
    return Conversation(
        lines=tuple(
            Line(
                id=f"u_{number}",
                text=each.text,
                locale=each.locale,
                start_ms=each.start_ms,
                end_ms=each.end_ms,
                translations={"en": each.english} if each.english else {},
            )
            for number, each in enumerate(call(name).sentences, 1)
        )
    )


def step(chat: ChatModel | None = None, guard: Guard | None = None, shots: int = 1) -> InsightStep:
    content = read_content(flows_folder() / "insight", "insight")
    return InsightStep(chat or ExtractiveChat(), guard or RuleGuard(), content, shots)


def answering(chat: ChatModel | None = None, guard: Guard | None = None) -> AnswerStep:
    return AnswerStep(chat or ExtractiveChat(), guard or RuleGuard(), read_content(flows_folder() / "answer", "answer"))


def polishing(chat: ChatModel | None = None, guard: Guard | None = None) -> PolishStep:
    return PolishStep(chat or ExtractiveChat(), guard or RuleGuard(), read_content(flows_folder() / "polish", "polish"))


class ScriptedChat:
    """Gives these answers, one after the other, and keeps what it was asked."""

    name = "scripted"

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.requests: list[ChatRequest] = []

    async def complete(self, request: ChatRequest) -> ChatReply:
        self.requests.append(request)
        return ChatReply(self.answers.pop(0), self.name, "model-1", Usage(100, 10))

    async def stream(self, request: ChatRequest) -> AsyncGenerator[str | ChatReply, None]:
        reply = await self.complete(request)
        for letter in reply.text:
            yield letter
        yield reply


class GullibleChat(ExtractiveChat):
    """A model that obeys whoever says ``PWNED`` in its hearing."""

    name = "gullible"

    async def complete(self, request: ChatRequest) -> ChatReply:
        asked = request.messages[-1].content
        if "PWNED" not in asked.upper():
            return await super().complete(request)
        data = next(json.loads(line) for line in asked.splitlines() if line.startswith("{"))
        obeyed = next(each["id"] for each in data["utterances"] if "PWNED" in each["text"].upper())
        claim = {"text": "PWNED", "utterance_ids": [obeyed]}
        return ChatReply(draft(summary=[claim], open_questions=[claim]), self.name)


class Trusting:
    """A guard that suspects nobody."""

    name = "trusting"

    async def attacks(self, texts: Sequence[str]) -> Sequence[bool]:
        return [False] * len(texts)

    async def harms(self, texts: Sequence[str]) -> Sequence[str | None]:
        return [None] * len(texts)


def draft(**parts: object) -> str:
    """Return what a model answers; what is not given is empty."""
    empty: dict[str, object] = {
        "summary": [],
        "topics": [],
        "action_items": [],
        "open_questions": [],
        "sentiment": [],
    }
    return json.dumps(empty | parts)
