"""What all steps share: cases in, outcomes and counts out, and what tokens and time they take."""

from collections.abc import AsyncGenerator, Sequence
from typing import Final, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from dragoman.datasets.items import CaseItem
from dragoman.domain.errors import CaseInvalidError
from dragoman.domain.insight import NodeCost
from dragoman.domain.validation import first_problem
from dragoman.engines.ports import ChatModel, Guard
from dragoman.evaluation.cost import Prices, Usage
from dragoman.evaluation.figures import ratio
from dragoman.evaluation.metrics import completeness
from dragoman.evaluation.metrics.metric import Counts, Metric, percentiles
from dragoman.evaluation.run import Result
from dragoman.evaluation.scored import Part, Scored
from dragoman.insight.content import Content
from dragoman.insight.judging import Judge

T = TypeVar("T", bound=BaseModel)

_GROUP: Final = "Cost and speed"
COST_METRICS: Final = (
    Metric("usd_per_thousand", "US dollars for a thousand cases", _GROUP, "lower", "usd", "usd", ratio(1_000)),
    Metric("tokens", "Tokens a case, asked and answered", _GROUP, "lower", "number", "tokens", ratio()),
    *percentiles("step_ms", "From case to answer", _GROUP, (50, 95)),
    *percentiles("overhead_ms", "Of that, not waiting for the model", _GROUP, (50, 95)),
    *(each for each in completeness.METRICS if each.name == "failed"),
)


class CaseInput(BaseModel):
    """What a case must hold; a dataset may hold more."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Stage(Protocol):
    """A step over cases."""

    @property
    def name(self) -> str:
        """What it is called, ``"insight"``."""
        ...

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What is measured of it."""
        ...

    def identity(self) -> dict[str, JsonValue]:
        """Return what may change a figure: words, examples, engines."""
        ...

    async def run(self, case: CaseItem) -> BaseModel:
        """Return what the step makes of a case.

        Raises:
            CaseInvalidError: if the case is none for this step.
            DragomanError: if the step fails.
        """
        ...

    def part(self, case: CaseItem, line: str) -> Part:
        """Return what is counted of what ``run`` returned, as JSON."""
        ...


async def outcome(stage: Stage, case: CaseItem) -> AsyncGenerator[str, None]:
    """Yield what a step makes of a case, as a line."""
    yield (await stage.run(case)).model_dump_json()


def score(stage: Stage, case: CaseItem, result: Result) -> Scored:
    """Return the counts of one case."""
    parts = [stage.part(case, line) for line in result.lines]
    return Scored(case.id, tuple(parts), completeness.count((), has_failed=result.failure is not None), result.failure)


def given(kind: type[T], case: CaseItem) -> T:
    """Return what a case holds.

    Raises:
        CaseInvalidError: naming the case and what is missing in it.
    """
    try:
        return kind.model_validate(dict(case.given))
    except ValidationError as error:
        raise CaseInvalidError(f"'{case.id}' is no case for this step: {first_problem(error)}.") from error


class _Step(Protocol):
    """Any of the steps."""

    @property
    def chat(self) -> ChatModel: ...
    @property
    def guard(self) -> Guard: ...
    @property
    def content(self) -> Content: ...
    @property
    def shots(self) -> int: ...


def identity_of(step: _Step, judge: Judge | None = None) -> dict[str, JsonValue]:
    """Return what may change the figures of a step: its words, examples and engines, and who judges it."""
    made: dict[str, JsonValue] = {
        "engine": step.chat.name,
        "guard": step.guard.name,
        "prompt": step.content.version,
        "shots": step.shots,
    }
    return made | ({"judge": judge.chat.name, "judge_prompt": judge.content.version} if judge else {})


def cost_counts(costs: Sequence[NodeCost], asking: str, prices: Prices) -> Counts:
    """Return the counts of what the nodes of a step took; ``asking`` is the node that waits for the model."""
    used = Usage(
        prompt_tokens=sum(each.prompt_tokens for each in costs),
        completion_tokens=sum(each.completion_tokens for each in costs),
    )
    own_ms = sum(each.took_ms for each in costs if each.node != asking)
    return Counts(
        {
            "usd": (used.cost_usd(prices), 1.0),
            "tokens": (float(used.prompt_tokens + used.completion_tokens), 1.0),
        },
        {"step_ms": (sum(each.took_ms for each in costs),), "overhead_ms": (own_ms,)},
    )


def means(**scores: float | None) -> Counts:
    """Return the counts of scores whose mean is told; those that are not there do not count."""
    return Counts({name: (score, 1.0) for name, score in scores.items() if score is not None})
