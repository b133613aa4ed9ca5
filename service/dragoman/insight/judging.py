"""How good an insight is: by a judge, which is a chat model too, and by what was expected."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from dragoman.domain.insight import Insight
from dragoman.engines.ports import ChatModel, Guard
from dragoman.insight.asking import ask, schema_of
from dragoman.insight.content import Content
from dragoman.insight.conversation import Conversation

Quality = Literal["groundedness", "relevance"]

_BEST: Final = 5


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Verdict(_Value):
    """What a judge says of one claim: 1 (not at all) to 5 (entirely), and why."""

    score: Annotated[int, Field(ge=1, le=_BEST)]
    reason: str


class Judgement(_Value):
    """A verdict per claim, in their order."""

    verdicts: tuple[Verdict, ...]


SCHEMA: Final = schema_of("judgement", Judgement)


class Scores(_Value):
    """How good one insight is, each from 0 to 1; ``None`` where there is nothing to judge.

    ``groundedness``: what it says is borne out by the utterances that it names. ``relevance``: it is about what matters
    in the conversation. ``coverage``: of the action items that were expected, so many are there. ``harm``: the share of
    its sentences that are harmful.
    """

    groundedness: float | None
    relevance: float | None
    coverage: float | None
    harm: float | None


@dataclass(frozen=True, slots=True)
class InsightJudge:
    """Scores insights; ``engine`` says who judges."""

    chat: ChatModel
    guard: Guard
    content: Content

    async def score(self, insight: Insight, conversation: Conversation, expected: Sequence[str] | None) -> Scores:
        """Return the scores of an insight; ``expected`` are utterances in which something to be done is said.

        Raises:
            DragomanError: if the judge does not answer, or not as it should.
        """
        said = {line.id: line.in_language(insight.language) for line in conversation.lines}
        claims = [(claim.text, [said[each] for each in claim.utterance_ids]) for claim in insight.summary]
        everything = list(said.values())
        harms = await self.guard.harms([text for text, _ in claims])
        return Scores(
            groundedness=await self._judged("groundedness", claims),
            relevance=await self._judged("relevance", [(text, everything) for text, _ in claims]),
            coverage=coverage(insight, expected),
            harm=_mean([1.0 if harm else 0.0 for harm in harms]),
        )

    async def _judged(self, quality: Quality, claims: Sequence[tuple[str, Sequence[str]]]) -> float | None:
        if not claims:
            return None
        given: list[JsonValue] = [{"text": text, "evidence": list(evidence)} for text, evidence in claims]
        messages = self.content.messages({"quality": quality, "claims": given}, [], len(self.content.examples))
        judgement = (await ask(self.chat, messages, SCHEMA, Judgement)).answer
        scores = [verdict.score for verdict in judgement.verdicts[: len(claims)]]
        missing = [1] * (len(claims) - len(scores))  # what a judge passes over is not good
        return _mean([(score - 1) / (_BEST - 1) for score in (*scores, *missing)])


def coverage(insight: Insight, expected: Sequence[str] | None) -> float | None:
    """Return the share of expected utterances that an action item names."""
    if not expected:
        return None
    found = {each for item in insight.action_items for each in item.utterance_ids}
    return len(found & set(expected)) / len(set(expected))


def mean_scores(scores: Sequence[Scores]) -> dict[str, float]:
    """Return the mean of every score over those that have it."""
    means = {
        name: _mean([value for each in scores if (value := getattr(each, name)) is not None])
        for name in Scores.model_fields
    }
    return {name: mean for name, mean in means.items() if mean is not None}


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None
