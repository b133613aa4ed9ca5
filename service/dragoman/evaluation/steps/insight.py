"""What follows from conversations: borne out, about what matters, complete, harmless, and short of inventions."""

from dataclasses import dataclass
from typing import ClassVar, Final

from pydantic import BaseModel, ConfigDict, JsonValue

from dragoman.datasets.items import CaseItem
from dragoman.domain.insight import Insight
from dragoman.evaluation.cost import Prices
from dragoman.evaluation.metrics.metric import Counts, Metric, share
from dragoman.evaluation.metrics.summary import METRICS as SUMMARY_METRICS
from dragoman.evaluation.metrics.summary import rouge_counts
from dragoman.evaluation.scored import Part, joined
from dragoman.evaluation.steps.stage import COST_METRICS, CaseInput, cost_counts, given, identity_of, means
from dragoman.insight.conversation import Conversation
from dragoman.insight.judging import Judge, Scores
from dragoman.insight.step import InsightStep

GROUP: Final = "Insight"

METRICS: Final[tuple[Metric, ...]] = (
    share("groundedness", "Groundedness of the summary, judged", GROUP, "higher"),
    share("relevance", "Relevance of the summary, judged", GROUP, "higher"),
    share("coverage", "Expected action items that are there", GROUP, "higher"),
    share("invented", "Claims that nothing bears out, and were dropped", GROUP, "lower"),
    share("harm", "Harmful sentences that were let through", GROUP, "lower"),
    share("withheld", "Utterances that were kept from the model", GROUP, "lower"),
    share("said", "Conversations of which anything is said", GROUP, "higher"),
    *SUMMARY_METRICS,
    *COST_METRICS,
)


class InsightCase(CaseInput):
    """A conversation, the language to tell of it in, and what is expected.

    ``expected`` are utterances in which something to be done is said; ``summary`` is how a person would sum it up.
    """

    conversation: Conversation
    language: str = "en"
    expected: tuple[str, ...] = ()
    summary: str | None = None


class InsightOutcome(BaseModel):
    """What the step said, and its scores."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    insight: Insight
    scores: Scores


@dataclass(frozen=True, slots=True)
class InsightStage:
    """The insight step, and who judges it."""

    step: InsightStep
    judge: Judge
    prices: Prices
    name: ClassVar[str] = "insight"
    metrics: ClassVar[tuple[Metric, ...]] = METRICS

    def identity(self) -> dict[str, JsonValue]:
        """Return what may change a figure."""
        return identity_of(self.step, self.judge)

    async def run(self, case: CaseItem) -> InsightOutcome:
        """Return what follows from a conversation, judged."""
        about = given(InsightCase, case)
        insight = await self.step.run(about.conversation, about.language)
        scores = await self.judge.insight(insight, about.conversation, about.expected)
        return InsightOutcome(insight=insight, scores=scores)

    def part(self, case: CaseItem, line: str) -> Part:
        """Return what is counted."""
        about, outcome = given(InsightCase, case), InsightOutcome.model_validate_json(line)
        insight, scores = outcome.insight, outcome.scores
        kept = sum(
            map(len, (insight.summary, insight.topics, insight.action_items, insight.open_questions, insight.sentiment))
        )
        counts = joined(
            [
                means(
                    groundedness=scores.groundedness,
                    relevance=scores.relevance,
                    coverage=scores.coverage,
                    harm=scores.harm,
                    said=float(bool(insight.summary)),
                ),
                Counts(
                    {
                        "invented": (float(insight.dropped), float(insight.dropped + kept)),
                        "withheld": (float(len(insight.withheld)), float(len(about.conversation.lines))),
                    }
                ),
                rouge_counts(" ".join(claim.text for claim in insight.summary), about.summary),
                cost_counts(insight.costs, "draft", self.prices),
            ]
        )
        spoken = {line.locale for line in about.conversation.lines}
        slices = {"language": spoken.pop() if len(spoken) == 1 else "several", "reader": about.language}
        return Part(slices, counts)
