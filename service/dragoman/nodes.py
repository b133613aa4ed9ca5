"""The nodes of the flows: JSON in, JSON out, for whatever calls them (Prompt Flow, Agent Framework, a test).

Each is given the file that calls it: the words of a step lie beside it. Engines are those of the settings.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import cast

from pydantic import BaseModel, JsonValue, TypeAdapter

from dragoman.domain.chat import Message
from dragoman.domain.insight import Insight
from dragoman.evaluation.metrics.corpus import corpus_figures
from dragoman.insight.answering import Answer, AnswerStep, Replied
from dragoman.insight.conversation import Conversation
from dragoman.insight.judging import Judge, TranslationScores, mean_scores
from dragoman.insight.polishing import PolishStep, Redrafted
from dragoman.insight.shielding import Shielded
from dragoman.insight.step import Drafted, InsightStep
from dragoman.settings import read_settings
from dragoman.steps import Steps

Json = dict[str, JsonValue]

_MESSAGES: TypeAdapter[tuple[Message, ...]] = TypeAdapter(tuple[Message, ...])


async def insight_shield(file: str, conversation: Mapping[str, JsonValue], language: str) -> Json:
    """Withhold what reads like an order to the model."""
    return _json(await _insight(file).shield(Conversation.model_validate(conversation), language))


def insight_prompt(file: str, shielded: Mapping[str, JsonValue], language: str, shots: int) -> list[Json]:
    """Return what the model is asked, after so many examples."""
    messages = _insight(file).with_shots(shots).prompt(Shielded.model_validate(shielded), language)
    return cast("list[Json]", _MESSAGES.dump_python(messages, mode="json"))


async def insight_draft(file: str, messages: Sequence[JsonValue], shielded: Mapping[str, JsonValue]) -> Json:
    """Ask the model."""
    asked = _MESSAGES.validate_python(messages)
    return _json(await _insight(file).draft(asked, Shielded.model_validate(shielded)))


async def insight_conclude(
    file: str,
    drafted: Mapping[str, JsonValue],
    shielded: Mapping[str, JsonValue],
    conversation: Mapping[str, JsonValue],
    language: str,
) -> Json:
    """Keep what is borne out by what was said."""
    concluded = await _insight(file).conclude(
        Drafted.model_validate(drafted),
        Shielded.model_validate(shielded),
        Conversation.model_validate(conversation),
        language,
    )
    return _json(concluded)


async def answer_shield(file: str, question: str, conversation: Mapping[str, JsonValue], language: str) -> Json:
    """Withhold what reads like an order to the model; refuse a question that does."""
    shielded = await _answer(file).shield(question, Conversation.model_validate(conversation), language)
    return _json(shielded)


def answer_prompt(file: str, question: str, shielded: Mapping[str, JsonValue], language: str, shots: int) -> list[Json]:
    """Return what the model is asked, after so many examples."""
    messages = _answer(file).with_shots(shots).prompt(question, Shielded.model_validate(shielded), language)
    return cast("list[Json]", _MESSAGES.dump_python(messages, mode="json"))


async def answer_reply(file: str, messages: Sequence[JsonValue]) -> Json:
    """Ask the model."""
    return _json(await _answer(file).reply(_MESSAGES.validate_python(messages)))


async def answer_conclude(
    file: str, replied: Mapping[str, JsonValue], question: str, shielded: Mapping[str, JsonValue], language: str
) -> Json:
    """Keep the sentences that are borne out and harm nobody."""
    said, may_read = Replied.model_validate(replied), Shielded.model_validate(shielded)
    return _json(await _answer(file).conclude(said, question, may_read, language))


async def polish_shield(file: str, conversation: Mapping[str, JsonValue]) -> Json:
    """Withhold what reads like an order to the model."""
    return _json(await _polish(file).shield(Conversation.model_validate(conversation)))


def polish_prompt(
    file: str,
    conversation: Mapping[str, JsonValue],
    shielded: Mapping[str, JsonValue],
    glossary: Sequence[str],
    shots: int,
) -> list[Json]:
    """Return what the model is asked, after so many examples."""
    line, may_read = Conversation.model_validate(conversation).lines[-1], Shielded.model_validate(shielded)
    messages = _polish(file).with_shots(shots).prompt(line, may_read, glossary)
    return cast("list[Json]", _MESSAGES.dump_python(messages, mode="json"))


async def polish_redraft(
    file: str, messages: Sequence[JsonValue], conversation: Mapping[str, JsonValue], shielded: Mapping[str, JsonValue]
) -> Json:
    """Ask the model."""
    line, may_read = Conversation.model_validate(conversation).lines[-1], Shielded.model_validate(shielded)
    return _json(await _polish(file).redraft(_MESSAGES.validate_python(messages), line, may_read))


async def polish_conclude(
    file: str,
    redrafted: Mapping[str, JsonValue],
    conversation: Mapping[str, JsonValue],
    shielded: Mapping[str, JsonValue],
    glossary: Sequence[str],
) -> Json:
    """Keep the original if the new text is another one."""
    line, may_read = Conversation.model_validate(conversation).lines[-1], Shielded.model_validate(shielded)
    return _json(await _polish(file).conclude(Redrafted.model_validate(redrafted), line, may_read, glossary))


async def eval_insight_score(
    file: str, insight: Mapping[str, JsonValue], conversation: Mapping[str, JsonValue], expected: Sequence[str] | None
) -> Json:
    """Score one insight."""
    made, about = Insight.model_validate(insight), Conversation.model_validate(conversation)
    return _json(await _judge(file).insight(made, about, expected))


async def eval_answer_score(
    file: str,
    answer: Mapping[str, JsonValue],
    conversation: Mapping[str, JsonValue],
    language: str,
    expected: Sequence[str],
) -> Json:
    """Score one answer."""
    made, about = Answer.model_validate(answer), Conversation.model_validate(conversation)
    return _json(await _judge(file).answer(made, about, language, expected))


async def eval_translation_score(file: str, source: str, translation: str, reference: str) -> Json:
    """Score one translation."""
    return _json(await _judge(file).translation(source, translation, reference))


def eval_mean(scores: Sequence[Json], log_metric: Callable[[str, float], object]) -> dict[str, float]:
    """Return the means over all lines, and log each."""
    return _logged(mean_scores(scores), log_metric)


def eval_translation_mean(scores: Sequence[Json], log_metric: Callable[[str, float], object]) -> dict[str, float]:
    """Return the means over all lines and the figures of the whole corpus, and log each."""
    read = [TranslationScores.model_validate(each) for each in scores]
    texts, references = [each.translation for each in read], [each.reference for each in read]
    corpus = corpus_figures(texts, references, read_settings().bertscore_model)
    return _logged(mean_scores(scores) | corpus, log_metric)


def _logged(figures: dict[str, float], log_metric: Callable[[str, float], object]) -> dict[str, float]:
    for name, value in figures.items():
        log_metric(name, value)
    return figures


@cache
def _steps() -> Steps:
    return Steps(read_settings())


def _insight(file: str) -> InsightStep:
    return _steps().insight(Path(file).parent)


def _answer(file: str) -> AnswerStep:
    return _steps().answer(Path(file).parent)


def _polish(file: str) -> PolishStep:
    return _steps().polish(Path(file).parent)


def _judge(file: str) -> Judge:
    return _steps().judge(Path(file).parent)


def _json(value: BaseModel) -> Json:
    return cast("Json", value.model_dump(mode="json"))
