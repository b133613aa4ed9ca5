"""Answers to questions about conversations: right, borne out, and soon."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import ClassVar, Final

from pydantic import BaseModel, ConfigDict, JsonValue

from dragoman.datasets.items import CaseItem
from dragoman.domain.chat import ChatReply, ChatRequest
from dragoman.engines.ports import ChatModel
from dragoman.evaluation.cost import Prices
from dragoman.evaluation.metrics.metric import Counts, Metric, percentiles, share
from dragoman.evaluation.scored import Part, joined
from dragoman.evaluation.steps.stage import COST_METRICS, CaseInput, cost_counts, given, identity_of, means
from dragoman.insight.answering import Answer, AnswerStep
from dragoman.insight.conversation import Conversation
from dragoman.insight.judging import AnswerScores, Judge

GROUP: Final = "Answers"

METRICS: Final[tuple[Metric, ...]] = (
    share("correct", "Right answers, or rightly none", GROUP, "higher"),
    share("groundedness", "Groundedness of the answers, judged", GROUP, "higher"),
    share("invented", "Sentences that nothing bears out, and were dropped", GROUP, "lower"),
    *percentiles("first_token_ms", "Time to the first token", GROUP, (50, 95)),
    *percentiles("per_token_ms", "Time for each token after it", GROUP, (50, 95)),
    *COST_METRICS,
)


class AnswerCase(CaseInput):
    """A question and a conversation; ``expected`` are the utterances that answer it, none if nothing does."""

    question: str
    conversation: Conversation
    language: str = "en"
    expected: tuple[str, ...] = ()


class AnswerOutcome(BaseModel):
    """What the step said, its scores, and when the model said its first and its last."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    answer: Answer
    scores: AnswerScores
    first_token_ms: float | None
    per_token_ms: float | None


class TimedChat:
    """A chat model with a stopwatch at its stream."""

    def __init__(self, chat: ChatModel) -> None:
        self._chat = chat
        self.name = chat.name
        self.first_token_ms: float | None = None
        self.per_token_ms: float | None = None

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Return the whole answer."""
        return await self._chat.complete(request)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[str | ChatReply, None]:
        """Yield the answer as it comes; tokens are counted by the service, else by pieces."""
        began_s = time.perf_counter()
        first_s, pieces = None, 0
        async with aclosing(self._chat.stream(request)) as coming:
            async for piece in coming:
                now_s = time.perf_counter()
                if first_s is None:
                    first_s = now_s
                    self.first_token_ms = 1_000 * (first_s - began_s)
                if isinstance(piece, ChatReply):
                    tokens = piece.usage.completion_tokens or pieces
                    self.per_token_ms = 1_000 * (now_s - first_s) / (tokens - 1) if tokens > 1 else None
                pieces += 1
                yield piece


@dataclass(frozen=True, slots=True)
class AnswerStage:
    """The answer step, and who judges it."""

    step: AnswerStep
    judge: Judge
    prices: Prices
    name: ClassVar[str] = "answer"
    metrics: ClassVar[tuple[Metric, ...]] = METRICS

    def identity(self) -> dict[str, JsonValue]:
        """Return what may change a figure."""
        return identity_of(self.step, self.judge)

    async def run(self, case: CaseItem) -> AnswerOutcome:
        """Return the answer to a question, judged."""
        about = given(AnswerCase, case)
        chat = TimedChat(self.step.chat)
        answer: Answer | None = None
        asked = replace(self.step, chat=chat).stream(about.question, about.conversation, about.language)
        async with aclosing(asked) as coming:
            async for piece in coming:
                if isinstance(piece, Answer):
                    answer = piece
        assert answer is not None, "a stream ends with its answer, or raises"
        scores = await self.judge.answer(answer, about.conversation, about.language, about.expected)
        return AnswerOutcome(
            answer=answer, scores=scores, first_token_ms=chat.first_token_ms, per_token_ms=chat.per_token_ms
        )

    def part(self, case: CaseItem, line: str) -> Part:
        """Return what is counted."""
        about, outcome = given(AnswerCase, case), AnswerOutcome.model_validate_json(line)
        answer = outcome.answer
        said = len(answer.sentences) + answer.dropped
        times = {"first_token_ms": outcome.first_token_ms, "per_token_ms": outcome.per_token_ms}
        counts = joined(
            [
                means(correct=outcome.scores.correct, groundedness=outcome.scores.groundedness),
                Counts(
                    {"invented": (float(answer.dropped), float(said))} if said else {},
                    {name: (each,) for name, each in times.items() if each is not None},
                ),
                cost_counts(answer.costs, "reply", self.prices),
            ]
        )
        spoken = {line.locale for line in about.conversation.lines}
        slices = {
            "language": spoken.pop() if len(spoken) == 1 else "several",
            "reader": about.language,
            "kind": "answerable" if about.expected else "unanswerable",
        }
        return Part(slices, counts)
