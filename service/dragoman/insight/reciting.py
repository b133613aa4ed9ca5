"""Whether a step would accept an answer: it is given to the step as if a model had said it."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from json import dumps
from typing import Final

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from dragoman.domain.chat import ChatReply, ChatRequest
from dragoman.domain.errors import ChatFailedError, ChatFilteredError
from dragoman.domain.validation import first_problem
from dragoman.insight.answering import AnswerStep
from dragoman.insight.content import Example
from dragoman.insight.conversation import Conversation, Line
from dragoman.insight.polishing import PolishStep
from dragoman.insight.step import InsightStep

Step = InsightStep | AnswerStep | PolishStep

_LAST: Final = "the utterance"


class _Given(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Utterance(_Given):
    id: str
    locale: str
    text: str
    speaker: str | None = None
    translation: str | None = None


class _Conversation(_Given):
    language: str
    utterances: tuple[_Utterance, ...]
    question: str = ""


class _Translation(_Given):
    target: str
    text: str


class _Polished(_Given):
    locale: str
    text: str
    translations: tuple[_Translation, ...] = ()


class _Polish(_Given):
    before: tuple[str, ...] = ()
    glossary: tuple[str, ...] = ()
    utterance: _Polished


@dataclass(frozen=True, slots=True)
class _Reciter:
    """A chat model that knows one answer."""

    answer: str
    name: str = "recited"

    async def complete(self, request: ChatRequest) -> ChatReply:
        return ChatReply(self.answer, self.name)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[str | ChatReply, None]:
        yield self.answer
        yield ChatReply(self.answer, self.name)


def answer_text(answer: JsonValue) -> str:
    """Return an answer as a model says it."""
    return answer if isinstance(answer, str) else dumps(answer, ensure_ascii=False)


async def flaws(step: Step, example: Example) -> tuple[str, ...]:
    """Return what the step would not accept of an example, in words; nothing if it would take it as it is.

    Raises:
        DragomanError: if the guard cannot tell.
    """
    reciter = _Reciter(answer_text(example.answer))
    try:
        match step:
            case InsightStep():
                return await _insight(replace(step, chat=reciter), _Conversation.model_validate(example.given))
            case AnswerStep():
                return await _answer(replace(step, chat=reciter), _Conversation.model_validate(example.given))
            case PolishStep():
                return await _polish(replace(step, chat=reciter), _Polish.model_validate(example.given), example)
    except ValidationError as error:
        return (f"what it is given: {first_problem(error)}",)
    except ChatFilteredError:
        return ("its question is an order to the model",)
    except ChatFailedError as error:  # the reciter cannot fail otherwise
        return (str(error),)


async def _insight(step: InsightStep, given: _Conversation) -> tuple[str, ...]:
    insight = await step.run(_lines(given), given.language)
    return _named(insight.withheld, insight.dropped, insight.blocked)


async def _answer(step: AnswerStep, given: _Conversation) -> tuple[str, ...]:
    if not given.question:
        return ("there is no question",)
    answer = await step.run(given.question, _lines(given), given.language)
    return _named(answer.withheld, answer.dropped, answer.blocked)


async def _polish(step: PolishStep, given: _Polish, example: Example) -> tuple[str, ...]:
    before = [
        Line(id=f"before {number}", text=text, locale=given.utterance.locale)
        for number, text in enumerate(given.before)
    ]
    last = Line(
        id=_LAST,
        text=given.utterance.text,
        locale=given.utterance.locale,
        translations={each.target: each.text for each in given.utterance.translations},
    )
    polished = await step.run(Conversation(lines=(*before, last)), given.glossary)
    wanted = example.answer.get("text") if isinstance(example.answer, dict) else None
    anew = ("it is written anew, or a number comes or goes",) if polished.text != wanted else ()
    return (*_named(polished.withheld, 0, ()), *anew)


def _lines(given: _Conversation) -> Conversation:
    return Conversation(
        lines=tuple(
            Line(
                id=each.id,
                text=each.text,
                locale=each.locale,
                speaker=each.speaker,
                translations={given.language: each.translation} if each.translation else {},
            )
            for each in given.utterances
        )
    )


def _named(withheld: Sequence[str], dropped: int, blocked: Sequence[str]) -> tuple[str, ...]:
    found = []
    if withheld:
        found.append(f"{len(withheld)} of its utterances would be withheld from the model")
    if dropped:
        found.append(f"{dropped} of its claims nothing bears out")
    if blocked:
        found.append(f"it would be blocked: {', '.join(blocked)}")
    return tuple(found)
