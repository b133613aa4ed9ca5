"""How good what steps say is: by a judge, which is a chat model too, and by what was expected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from dragoman.domain.insight import Insight
from dragoman.engines.ports import ChatModel, Guard
from dragoman.insight.answering import Answer
from dragoman.insight.asking import ask, schema_of
from dragoman.insight.content import Content
from dragoman.insight.conversation import Conversation
from dragoman.insight.wording import sentence_chrf

Quality = Literal["groundedness", "relevance"]

_BEST: Final = 5


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Verdict(_Value):
    """What a judge says of one claim: 1 (not at all) to 5 (entirely), and why."""

    score: Literal[1, 2, 3, 4, 5]
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


class AnswerScores(_Value):
    """How good one answer is: whether it is ``correct``, and how much of it is borne out by what was said."""

    correct: float | None
    groundedness: float | None


class TranslationScores(_Value):
    """How good one translation is, and the texts, for figures of the whole corpus."""

    translation: str
    reference: str
    chrf: float | None
    adequacy: float | None


@dataclass(frozen=True, slots=True)
class Judge:
    """Scores what steps say, by a chat model, from 0 to 1."""

    chat: ChatModel
    guard: Guard
    content: Content

    async def insight(self, insight: Insight, conversation: Conversation, expected: Sequence[str] | None) -> Scores:
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

    async def answer(
        self, answer: Answer, conversation: Conversation, language: str, expected: Sequence[str]
    ) -> AnswerScores:
        """Return the scores of an answer; ``expected`` are the utterances that hold it, none if nothing does.

        Raises:
            DragomanError: as ``insight``.
        """
        said = {line.id: line.in_language(language) for line in conversation.lines}
        claims = [(claim.text, [said[each] for each in claim.utterance_ids]) for claim in answer.sentences]
        quoted = {quote.utterance_id for quote in answer.quotes}
        is_correct = bool(quoted & set(expected)) if expected else not answer.is_found
        return AnswerScores(correct=1.0 if is_correct else 0.0, groundedness=await self._judged("groundedness", claims))

    async def translation(self, source: str, translation: str, reference: str) -> TranslationScores:
        """Return the scores of a translation.

        Raises:
            DragomanError: as ``insight``.
        """
        return TranslationScores(
            translation=translation,
            reference=reference,
            chrf=sentence_chrf(translation, reference),
            adequacy=await self._judged("groundedness", [(translation, [source, reference])]),
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


def mean_scores(scores: Sequence[Mapping[str, JsonValue]]) -> dict[str, float]:
    """Return the mean of every score over those that have it."""
    found: dict[str, list[float]] = {}
    for each in scores:
        for name, value in each.items():
            if isinstance(value, float | int):
                found.setdefault(name, []).append(value)
    return {name: mean for name, values in found.items() if (mean := _mean(values)) is not None}


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None
