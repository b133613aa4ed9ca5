"""Finals that are read again: fewer errors than before, and none that was not there."""

from dataclasses import dataclass
from typing import ClassVar, Final

import jiwer
from pydantic import JsonValue

from dragoman.datasets.items import CaseItem
from dragoman.evaluation.cost import Prices
from dragoman.evaluation.metrics.metric import Counts, Metric, share
from dragoman.evaluation.normalise import words
from dragoman.evaluation.scored import Part, joined
from dragoman.evaluation.steps.stage import COST_METRICS, CaseInput, cost_counts, given, identity_of
from dragoman.insight.conversation import Conversation
from dragoman.insight.polishing import Polished, PolishStep

GROUP: Final = "Polish"

METRICS: Final[tuple[Metric, ...]] = (
    share("wer_before", "Word error rate before", GROUP, "lower", "before"),
    share("wer", "Word error rate after", GROUP, "lower", "after"),
    share("repaired", "Utterances with fewer errors than before", GROUP, "higher"),
    share("spoiled", "Utterances with more errors than before", GROUP, "lower"),
    *COST_METRICS,
)


class PolishCase(CaseInput):
    """What was said before an utterance, and the utterance; words to expect; and how it should read."""

    conversation: Conversation
    glossary: tuple[str, ...] = ()
    expected: str


@dataclass(frozen=True, slots=True)
class PolishStage:
    """The polish step."""

    step: PolishStep
    prices: Prices
    name: ClassVar[str] = "polish"
    metrics: ClassVar[tuple[Metric, ...]] = METRICS

    def identity(self) -> dict[str, JsonValue]:
        """Return what may change a figure."""
        return identity_of(self.step)

    async def run(self, case: CaseItem) -> Polished:
        """Return an utterance as it should read."""
        about = given(PolishCase, case)
        return await self.step.run(about.conversation, about.glossary)

    def part(self, case: CaseItem, line: str) -> Part:
        """Return what is counted."""
        about, polished = given(PolishCase, case), Polished.model_validate_json(line)
        last = about.conversation.lines[-1]
        before, total = _errors(about.expected, last.text, last.locale)
        after, _ = _errors(about.expected, polished.text, last.locale)
        counts = Counts(
            {
                "before": (before, total),
                "after": (after, total),
                "repaired": (float(after < before), float(before > 0)),
                "spoiled": (float(after > before), 1.0),
            }
        )
        return Part({"language": last.locale}, joined([counts, cost_counts(polished.costs, "redraft", self.prices)]))


def _errors(said: str, heard: str, locale: str) -> tuple[float, float]:
    truth = words(said, locale)
    found = jiwer.process_words(" ".join(truth), " ".join(words(heard, locale)))
    return float(found.substitutions + found.deletions + found.insertions), float(len(truth))
