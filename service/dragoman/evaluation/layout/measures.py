"""Which figures matter most: one per idea, and one for what is told per target language."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from dragoman.evaluation.figures import Better, Estimate
from dragoman.evaluation.layout.numbers import THIN, count, interval, shown
from dragoman.evaluation.metrics.metric import Unit
from dragoman.evaluation.report import MetricSeen, Report

HEADLINES: Final = (
    ("wer",),
    ("lid_f1",),
    ("chrf", "bleu"),
    ("final_ms_p95", "decode_ms_p95", "step_ms_p95"),
    ("rtf",),
    ("usd_per_hour", "usd_per_thousand"),
    ("failed",),
)
"""What is told at the top; of each line the first that was measured."""

SLICED: Final = (("wer",), ("lid_accuracy",), ("chrf", "bleu"))
"""What is told by slice."""

_TILES: Final = 6
_SHORT: Final = {
    "lid_f1": "Language identified, F1",
    "lid_accuracy": "Language identified",
    "chrf": "Translation, chrF",
    "bleu": "Translation, BLEU",
    "final_ms_p95": "End of speech to text, p95",
    "rtf": "Real-time factor",
    "usd_per_hour": "Cost of an hour, Azure",
    "failed": "Failed",
}


@dataclass(frozen=True, slots=True)
class Measure:
    """A metric, or the mean of those that are told per target language: ``chrf/de``, ``chrf/fr``."""

    key: str
    title: str
    better: Better
    unit: Unit
    names: tuple[str, ...]

    def of(self, figures: Mapping[str, Estimate]) -> Estimate | None:
        """Return the figure; a mean of languages has no interval of its own."""
        if len(self.names) == 1:
            return figures.get(self.names[0])
        found = [(each.value, each) for name in self.names if (each := figures.get(name)) and each.value is not None]
        if not found:
            return None
        of_most = max(each.items for _, each in found)
        mean = fmean(value for value, _ in found)
        return Estimate(value=mean, low=None, high=None, n=sum(each.n for _, each in found), items=of_most)


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure that is told large, and what is said below it."""

    title: str
    value: str
    below: str
    better: Better


def family(name: str) -> str:
    """Return what the metrics of all target languages are called."""
    return name.partition("/")[0]


def chosen(catalog: Mapping[str, MetricSeen], wanted: Sequence[Sequence[str]], least: int) -> list[Measure]:
    """Return the measures that are wanted, in the order of the catalog; if they are few, its first others, too."""
    found = {each.names[0]: each for names in wanted if (each := _first(catalog, names))}
    known = {family(name) for name in found}
    for name, seen in catalog.items():
        if len(found) < least and family(name) not in known and seen.unit != "ms":  # times are told by one percentile
            known.add(family(name))
            found[name] = next(_named(catalog, family(name)))
    return [found[name] for name in catalog if name in found]


def tiles(report: Report, noun: str) -> list[Tile]:
    """Return the figures for the top of the page."""
    measures = chosen(report.catalog, HEADLINES, _TILES)
    return [_tile(each, report, noun) for each in measures]


def _first(catalog: Mapping[str, MetricSeen], keys: Sequence[str]) -> Measure | None:
    return next((measure for key in keys for measure in _named(catalog, key)), None)


def _named(catalog: Mapping[str, MetricSeen], key: str) -> Iterator[Measure]:
    names = tuple(name for name in catalog if name == key or family(name) == key)
    if names:
        seen = catalog[names[0]]
        title = seen.title if len(names) == 1 else f"{seen.title.partition(' into ')[0]}, mean"
        yield Measure(key, _SHORT.get(key, title), seen.better, seen.unit, names)


def _tile(measure: Measure, report: Report, noun: str) -> Tile:
    figure = measure.of(report.metrics)
    if figure is None or figure.value is None:
        return Tile(measure.title, shown(None, measure.unit), "not measured", measure.better)
    if measure.key == "failed":
        return Tile(measure.title, str(round(figure.value * figure.n)), f"of {count(figure.n)} {noun}s", measure.better)
    return Tile(measure.title, shown(figure.value, measure.unit), _below(measure, figure, report), measure.better)


def _below(measure: Measure, figure: Estimate, report: Report) -> str:
    if len(measure.names) == 1:
        return interval(figure, measure.unit) or "one observation"
    known = [each.value for name in measure.names if (each := report.metrics[name]).value is not None]
    low, high = shown(min(known), measure.unit), shown(max(known), measure.unit)
    return f"{low}{THIN}–{THIN}{high} by language"
