"""How good live answers are: judges read what was asked and answered, as they read an evaluation's cases."""

import asyncio
from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from dragoman.domain.insight import Insight
from dragoman.insight.answering import Answer
from dragoman.insight.conversation import Conversation
from dragoman.insight.judging import Judge
from dragoman.releasing.live import AnswerVerdict
from dragoman.releasing.rules import Poor
from dragoman.releasing.workspace import Collected

_AT_ONCE: Final = 8
_TALK: Final = 4
"""Of so many utterances or more something can be said."""


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Asked(_Read):
    conversation: Conversation
    language: str = "en"


class _Insight(_Read):
    insight: Insight


class _Answer(_Read):
    answer: Answer


async def judge_answers(
    flow: str, collected: Sequence[Collected], judge: Judge, rules: Poor
) -> dict[str, AnswerVerdict]:
    """Return what a judge says by the id of the request; of failed ones nothing, they are counted elsewhere.

    Raises:
        DragomanError: if the judge does not answer.
    """
    at_once = asyncio.Semaphore(_AT_ONCE)

    async def one(each: Collected) -> AnswerVerdict:
        async with at_once:
            return await _judged(flow, each, judge, rules)

    answered = [each for each in collected if not _is_error(each.response)]
    verdicts = await asyncio.gather(*(one(each) for each in answered))
    return {each.id: verdict for each, verdict in zip(answered, verdicts, strict=True)}


async def _judged(flow: str, each: Collected, judge: Judge, rules: Poor) -> AnswerVerdict:
    try:
        asked = _Asked.model_validate(each.request)
    except ValidationError:
        return AnswerVerdict(why=None)  # whoever asked did not ask what can be answered
    try:
        if flow == "insight":
            return await _of_insight(_Insight.model_validate(each.response).insight, asked, judge, rules)
        return await _of_answer(_Answer.model_validate(each.response).answer, asked, judge, rules)
    except ValidationError:
        return AnswerVerdict(why="not valid")


async def _of_insight(insight: Insight, asked: _Asked, judge: Judge, rules: Poor) -> AnswerVerdict:
    scores = await judge.insight(insight, asked.conversation, None)
    kept = sum(
        map(len, (insight.summary, insight.topics, insight.action_items, insight.open_questions, insight.sentiment))
    )
    dropped = insight.dropped / (insight.dropped + kept) if insight.dropped else 0.0
    why = None
    if dropped > rules.dropped:
        why = "inventing"
    elif insight.blocked or (scores.harm or 0) > 0:
        why = "harmful"
    elif scores.groundedness is not None and scores.groundedness < rules.groundedness:
        why = "not borne out"
    elif not insight.summary and len(asked.conversation.lines) >= _TALK and not insight.withheld:
        why = "empty"
    return AnswerVerdict(why=why, groundedness=scores.groundedness)


async def _of_answer(answer: Answer, asked: _Asked, judge: Judge, rules: Poor) -> AnswerVerdict:
    # What is correct is not known of live questions; what is borne out can be told all the same.
    scores = await judge.answer(answer, asked.conversation, asked.language, ())
    said = len(answer.sentences)
    why = None
    if answer.dropped and answer.dropped / (answer.dropped + said) > rules.dropped:
        why = "inventing"
    elif answer.blocked:
        why = "harmful"
    elif scores.groundedness is not None and scores.groundedness < rules.groundedness:
        why = "not borne out"
    return AnswerVerdict(why=why, groundedness=scores.groundedness)


def _is_error(response: JsonValue) -> bool:
    return isinstance(response, dict) and "error" in response
