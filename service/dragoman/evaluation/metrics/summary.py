"""ROUGE of summaries beside those of a person, by rouge-score."""

from functools import cache
from typing import Final, Protocol, cast

from dragoman.evaluation.figures import ratio
from dragoman.evaluation.metrics.metric import Counts, Metric

GROUP: Final = "Summary"
_KINDS: Final = ("rouge1", "rouge2", "rougeL")

METRICS: Final = tuple(
    Metric(kind, f"ROUGE-{kind.removeprefix('rouge')} F1 of the summary", GROUP, "higher", "share", kind, ratio())
    for kind in _KINDS
)


class _Score(Protocol):
    fmeasure: float


class _Scorer(Protocol):
    def score(self, target: str, prediction: str) -> dict[str, _Score]: ...


def rouge_counts(text: str, reference: str | None) -> Counts:
    """Return the counts of a text beside its reference, if there is one; their means are told."""
    if not reference:
        return Counts()
    scores = _scorer().score(reference, text)
    return Counts({kind: (float(scores[kind].fmeasure), 1.0) for kind in _KINDS})


@cache
def _scorer() -> _Scorer:
    from rouge_score.rouge_scorer import RougeScorer  # takes seconds to load

    return cast("_Scorer", RougeScorer(list(_KINDS), use_stemmer=False))
