import asyncio
import json
from collections.abc import Sequence

import pytest

from dragoman.engines.chat.extractive.engine import ExtractiveChat
from dragoman.engines.ports import ChatModel
from dragoman.engines.safety.rules import RuleGuard
from dragoman.evaluation.metrics.corpus import corpus_figures
from dragoman.insight.answering import Answer
from dragoman.insight.content import read_content
from dragoman.insight.judging import Judge, coverage, mean_scores
from dragoman.insight.wording import sentence_chrf
from dragoman.resources import flows_folder
from tests.insight.talk import ScriptedChat, answering, conversation, draft, sample, step

DELAY = conversation("My order 775375 is late.", "The order is lost.", "I will call you on Monday.")


def judge(chat: ChatModel | None = None) -> Judge:
    return Judge(chat or ExtractiveChat(), RuleGuard(), read_content(flows_folder() / "eval_insight", "judge"))


def claim(text: str, *ids: str) -> dict[str, object]:
    return {"text": text, "utterance_ids": list(ids)}


def answered(question: str, about: str) -> Answer:
    return asyncio.run(answering().run(question, sample(about), "en"))


def test_what_was_said_is_grounded_and_what_matters_is_relevant() -> None:
    chat = ScriptedChat(draft(summary=[claim("Order 775375 is late.", "u_1"), claim("I call.", "u_3")]))
    insight = asyncio.run(step(chat).run(DELAY, "en"))
    scores = asyncio.run(judge().insight(insight, DELAY, ["u_3"]))
    assert scores.groundedness == 1.0
    assert scores.relevance is not None
    assert 0 < scores.relevance < 1
    assert (scores.coverage, scores.harm) == (0.0, 0.0)


def test_nothing_has_no_scores() -> None:
    insight = asyncio.run(step(ScriptedChat(draft())).run(DELAY, "en"))
    scores = asyncio.run(judge().insight(insight, DELAY, None))
    assert scores.model_dump() == {"groundedness": None, "relevance": None, "coverage": None, "harm": None}


def test_what_a_judge_passes_over_is_not_good() -> None:
    one = json.dumps({"verdicts": [{"score": 5, "reason": "said"}]})
    chat = ScriptedChat(draft(summary=[claim("Order 775375 is late.", "u_1"), claim("The order is lost.", "u_2")]))
    insight = asyncio.run(step(chat).run(DELAY, "en"))
    scores = asyncio.run(judge(ScriptedChat(one, one)).insight(insight, DELAY, None))
    assert scores.groundedness == 0.5


@pytest.mark.parametrize(
    ("question", "expected", "correct"),
    [
        ("How much would the repair cost?", ["u_10"], 1.0),
        ("How much would the repair cost?", ["u_3"], 0.0),
        ("How much would the repair cost?", [], 0.0),
        ("Who won the football match?", [], 1.0),
        ("Who won the football match?", ["u_1"], 0.0),
    ],
)
def test_an_answer_is_correct_if_it_is_where_it_should_be(
    question: str, expected: Sequence[str], correct: float
) -> None:
    scores = asyncio.run(judge().answer(answered(question, "de"), sample("de"), "en", expected))
    assert scores.correct == correct


def test_translations_are_compared_with_their_reference() -> None:
    good = asyncio.run(
        judge().translation("Die Reparatur kostet 5 Euro.", "The repair costs 5 euros.", "The repair costs 5 euros.")
    )
    bad = asyncio.run(
        judge().translation("Die Reparatur kostet 5 Euro.", "The kettle costs 6 euros.", "The repair costs 5 euros.")
    )
    assert (good.chrf, good.adequacy) == (1.0, 1.0)
    assert bad.chrf is not None
    assert bad.chrf < 0.8
    assert bad.adequacy == 0.0


@pytest.mark.slow
def test_a_corpus_has_the_figures_of_the_libraries_that_are_here() -> None:
    texts = ["The repair costs 5 euros.", "It snowed in Marseille."]
    assert corpus_figures(texts, texts) == {"bleu": 100.0, "corpus_chrf": 100.0, "ter": 0.0, "rouge_l": 1.0}
    assert sentence_chrf("a", "a") == 1.0


def test_means_are_of_those_that_have_a_score() -> None:
    assert mean_scores([{"a": 1.0, "b": None}, {"a": 0.0, "b": 0.5, "text": "x"}]) == {"a": 0.5, "b": 0.5}
    insight = asyncio.run(step().run(sample("en"), "en"))
    assert coverage(insight, ["u_9", "u_1"]) == 0.5
    assert coverage(insight, []) is None
