"""Figures → bars: edges that are the same in every report, so that two reports can be laid side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Final


@dataclass(frozen=True, slots=True)
class Bar:
    """How many values lie in a range; ``share`` is its height, of the highest bar's. ``tick`` may be empty."""

    label: str
    tick: str
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class Scale:
    """Edges of bars. ``texts`` name the edges, and values beyond the last ones are in the outermost bars."""

    edges: tuple[float, ...]
    texts: tuple[str, ...]
    unit: str


def _even(first: int, last: int, step: int, unit: str, every: int, after: str = "") -> Scale:
    edges = tuple(range(first, last + 1, step))
    texts = tuple(f"{edge}{after}".replace("-", "−") if not at % every else "" for at, edge in enumerate(edges))
    return Scale(tuple(map(float, edges)), texts, unit)


DURATIONS_S: Final = Scale(
    (0, 1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 1_800, 3_600),
    ("0", "1 s", "", "5 s", "", "15 s", "", "30 s", "", "2 min", "", "10 min", "", "1 h"),
    "",
)
UTTERANCES_S: Final = Scale(
    (0, 0.5, 1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30),
    ("0", "", "1 s", "2", "3", "4", "5 s", "", "", "10 s", "", "20 s", "30 s"),
    "",
)
LEVELS_DBFS: Final = _even(-60, 0, 3, "dBFS", 4)
SNR_DB: Final = _even(0, 60, 5, "dB", 2)
PERCENT: Final = _even(0, 100, 10, "%", 2, " %")
WORDS_PER_MIN: Final = _even(40, 280, 20, "words/min", 2)
CLIPPED: Final = Scale((0, 1e-6, 1e-4, 1e-3, 1e-2), ("none", "<0.01 %", "<0.1 %", "<1 %", "≥1 %"), "")


def histogram(values: Sequence[float], scale: Scale) -> tuple[Bar, ...]:
    """Return one bar per range, and one more for what lies beyond the last edge if anything does.

    What lies below the first edge is in the first bar. An empty sequence gives bars without height.
    """
    edges = [*scale.edges, inf]
    counts = [0] * len(scale.edges)
    for value in values:
        counts[max(sum(edge <= value for edge in scale.edges) - 1, 0)] += 1
    # The last edge is where a scale ends; the classes of CLIPPED are named by their beginnings and all stay.
    shown = len(counts) if counts[-1] or scale is CLIPPED else len(counts) - 1
    highest = max(max(counts), 1)
    return tuple(
        Bar(_range(scale, number, edges), scale.texts[number], counts[number], counts[number] / highest)
        for number in range(shown)
    )


def _range(scale: Scale, number: int, edges: Sequence[float]) -> str:
    if scale is CLIPPED:
        return scale.texts[number]
    unit = f" {scale.unit or 's'}"
    start, end = edges[number], edges[number + 1]
    return f"{start:g}{unit} and more" if end == inf else f"{start:g} to {end:g}{unit}"
