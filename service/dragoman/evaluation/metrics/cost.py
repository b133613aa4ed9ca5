"""What an hour of audio, or a case, costs by the list of prices."""

from typing import Final

from dragoman.evaluation.cost import Prices, Usage
from dragoman.evaluation.figures import ratio
from dragoman.evaluation.metrics.metric import Counts, Metric

GROUP: Final = "Cost"

METRICS: Final = (
    Metric("usd_per_hour", "US dollars an hour of audio, on Azure", GROUP, "lower", "usd", "usd_seconds", ratio(3_600)),
)


def count(used: Usage, duration_ms: int, prices: Prices) -> Counts:
    """Return the counts of a recording."""
    if not used.speech_s:
        return Counts()
    return Counts({"usd_seconds": (used.cost_usd(prices), duration_ms / 1_000)})
