"""What became of all that was given: nothing may be lost, and nothing may fail unseen."""

from typing import Final

from dragoman.domain.events import LedgerTotals
from dragoman.evaluation.metrics.metric import Counts, share

GROUP: Final = "Completeness"

METRICS: Final = (
    share("failed", "Recordings or cases that failed", GROUP, "lower"),
    share("lost", "Accepted audio that was lost", GROUP, "lower"),
)


def count(ledgers: tuple[LedgerTotals, ...], *, has_failed: bool) -> Counts:
    """Return the counts of a recording."""
    accepted = sum(each.accepted_samples for each in ledgers)
    sums: dict[str, tuple[float, ...]] = {"failed": (float(has_failed), 1.0)}
    if accepted:
        sums["lost"] = (float(sum(each.lost_samples for each in ledgers)), float(accepted))
    return Counts(sums)
