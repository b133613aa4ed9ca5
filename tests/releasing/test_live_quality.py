"""Live answers are read by the judges of an evaluation; each has at most one reason to be poor."""

import asyncio

import pytest
from pydantic import JsonValue

from dragoman.domain.insight import Claim
from dragoman.insight.conversation import Conversation
from dragoman.releasing.live import AnswerVerdict
from dragoman.releasing.quality import judge_answers
from dragoman.releasing.rules import RolloutRules
from dragoman.releasing.workspace import Collected
from dragoman.resources import flows_folder
from dragoman.settings import Settings
from dragoman.steps import Steps
from tests.insight.talk import sample

RULES = RolloutRules().poor
STEPS = Steps(Settings())
TALK = sample("en")
ASKED: dict[str, JsonValue] = {"conversation": TALK.model_dump(mode="json"), "language": "en"}
INSIGHT = asyncio.run(STEPS.insight().run(TALK, "en"))
ANSWER = asyncio.run(STEPS.answer().run("How much would the repair cost?", TALK, "en"))


def judged(flow: str, request: JsonValue, response: JsonValue) -> AnswerVerdict | None:
    judge = STEPS.judge(flows_folder() / f"eval_{flow}")
    found = asyncio.run(judge_answers(flow, [Collected("r", 0, request, response)], judge, RULES))
    return found.get("r")


def insight(**changes: object) -> JsonValue:
    made: JsonValue = {"insight": INSIGHT.model_copy(update=changes).model_dump(mode="json")}
    return made


UNSAID = Claim(text="Elephants dance slowly underneath violet chandeliers.", utterance_ids=(TALK.lines[0].id,))


@pytest.mark.parametrize(
    ("response", "why"),
    [
        (insight(), None),
        (insight(summary=()), "empty"),
        (insight(summary=(), withheld=("u_1",)), None),
        (insight(dropped=50), "inventing"),
        (insight(blocked=("violence",)), "harmful"),
        (insight(summary=(UNSAID,)), "not borne out"),
        ({"insight": {"summary": []}}, "not valid"),
        ({"answer": 1}, "not valid"),
        ("text", "not valid"),
        (None, "not valid"),
    ],
)
def test_why_an_insight_is_poor(response: JsonValue, why: str | None) -> None:
    verdict = judged("insight", ASKED, response)
    assert verdict is not None
    assert verdict.why == why


def test_a_failure_is_no_answer() -> None:
    assert judged("insight", ASKED, {"error": {"code": "SystemError", "message": "no"}}) is None


def test_who_asks_what_cannot_be_answered_gets_no_poor_answer() -> None:
    assert judged("insight", {"conversation": "hello"}, None) == AnswerVerdict()


def test_of_a_short_talk_nothing_needs_to_be_said() -> None:
    short: dict[str, JsonValue] = {"conversation": Conversation(lines=TALK.lines[:2]).model_dump(mode="json")}
    assert judged("insight", short, insight(summary=())) == AnswerVerdict()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, None),
        ({"dropped": 9}, "inventing"),
        ({"blocked": ("violence",)}, "harmful"),
        ({"sentences": (UNSAID,)}, "not borne out"),
        ({"is_found": False, "sentences": (), "quotes": ()}, None),
    ],
)
def test_why_an_answer_is_poor(changes: dict[str, object], why: str | None) -> None:
    response: JsonValue = {"answer": ANSWER.model_copy(update=changes).model_dump(mode="json")}
    verdict = judged("answer", {**ASKED, "question": "How much would the repair cost?"}, response)
    assert verdict is not None
    assert verdict.why == why
