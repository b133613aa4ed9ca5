"""The report of an evaluation: every figure, whole and by slice, what was measured on what, and the worst there was."""

import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from dragoman.datasets.dataset import Dataset
from dragoman.domain.errors import ReportInvalidError
from dragoman.domain.validation import first_problem
from dragoman.evaluation.figures import Better, Estimate, Floats, draw, estimate
from dragoman.evaluation.metrics.metric import Metric, Unit
from dragoman.evaluation.scored import Scored, Shown

SCHEMA: Final = 1
DIMENSIONS: Final = ("language", "reader", "kind", "noise", "channel", "speaker", "length", "recording")
"""What figures are also told by. A baseline keeps all but those by recording."""

_WORST: Final = 12


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DatasetSeen(_Value):
    """What it was measured on."""

    name: str
    version: str
    items: int
    audio_s: float | None


class MetricSeen(_Value):
    """What a figure is called, and which way is better."""

    title: str
    group: str
    better: Better
    unit: Unit


class Confusion(_Value):
    """How often a spoken language (a row) was identified as another (a column; the last is none at all)."""

    spoken: tuple[str, ...]
    identified: tuple[str, ...]
    utterances: tuple[tuple[int, ...], ...]


class AlignedStep(_Value):
    """How a stretch of what was said became what was heard."""

    change: Literal["equal", "substitute", "delete", "insert"]
    said: str
    heard: str


class Case(_Value):
    """One of the worst parts."""

    item: str
    channel: int
    start_ms: int
    end_ms: int
    locale: str | None
    heard_locale: str | None
    said: str
    heard: str
    errors: int
    steps: tuple[AlignedStep, ...]


class ItemCounts(_Value):
    """What was counted in an item: two reports over the same items are compared by these."""

    item: str
    failure: str | None
    sums: Mapping[str, tuple[float, ...]]
    samples: Mapping[str, tuple[float, ...]]


class Report(_Value):
    """How good a candidate is on a dataset. ``slices`` are figures by dimension, value and metric."""

    schema_version: Literal[1] = SCHEMA
    stage: str
    created: datetime
    dataset: DatasetSeen
    candidate: Mapping[str, JsonValue]
    machine: Mapping[str, str]
    catalog: Mapping[str, MetricSeen]
    metrics: Mapping[str, Estimate]
    slices: Mapping[str, Mapping[str, Mapping[str, Estimate]]]
    confusion: Confusion | None = None
    worst: tuple[Case, ...] = ()
    items: tuple[ItemCounts, ...]
    notes: Mapping[str, JsonValue] = {}

    @property
    def failures(self) -> dict[str, str]:
        """Items that are not complete, and why."""
        return {each.item: each.failure for each in self.items if each.failure}


def build(
    stage: str,
    dataset: Dataset,
    scored: Sequence[Scored],
    metrics: Sequence[Metric],
    candidate: Mapping[str, JsonValue],
    confusion: Confusion | None = None,
    notes: Mapping[str, JsonValue] | None = None,
) -> Report:
    """Return the report of scored items, which are those of the dataset or, if a run was stopped, some of them."""
    whole, slices = figures(scored, metrics)
    return Report(
        stage=stage,
        created=datetime.now(UTC).replace(microsecond=0),
        dataset=DatasetSeen(
            name=dataset.card.name,
            version=dataset.version,
            items=len(scored),
            audio_s=dataset.audio_ms / 1_000 if dataset.recordings else None,
        ),
        candidate=candidate,
        machine={
            "system": f"{platform.system()} {platform.machine()}",
            "cores": str(os.cpu_count()),
            "python": platform.python_version(),
        },
        catalog={
            each.name: MetricSeen(title=each.title, group=each.group, better=each.better, unit=each.unit)
            for each in metrics
            if each.name in whole
        },
        metrics=whole,
        slices=slices,
        confusion=confusion,
        worst=worst(scored),
        items=tuple(
            ItemCounts(item=one.item, failure=one.failure, sums=counts.sums, samples=counts.samples)
            for one in scored
            for counts in [one.counts()]
        ),
        notes=notes or {},
    )


def figures(
    scored: Sequence[Scored], metrics: Sequence[Metric]
) -> tuple[dict[str, Estimate], dict[str, dict[str, dict[str, Estimate]]]]:
    """Return the figures of all items, and of their slices; what was never counted has no figure."""
    draws = draw(len(scored))
    whole = _estimates(scored, metrics, draws)
    slices: dict[str, dict[str, dict[str, Estimate]]] = {}
    for dimension in DIMENSIONS:
        values = {part.slices[dimension] for one in scored for part in one.parts if dimension in part.slices}
        if len(values) > 1:
            slices[dimension] = {
                value: _estimates(scored, metrics, draws, dimension, value) for value in sorted(values)
            }
    return whole, slices


def worst(scored: Sequence[Scored]) -> tuple[Case, ...]:
    """Return the parts with most errors, of every recording the worst first."""
    shown = [(one.item, part.shown) for one in scored for part in one.parts if part.shown and part.shown.errors]
    ranked = sorted(shown, key=lambda each: -each[1].errors)
    first: dict[str, tuple[str, Shown]] = {}
    for item, part in ranked:
        first.setdefault(item, (item, part))
    return tuple(_case(item, part) for item, part in list(first.values())[:_WORST])


def read_report(file: Path) -> Report:
    """Return a report that was written.

    Raises:
        ReportInvalidError: if the file is not there, or holds none.
    """
    file = file / "report.json" if file.is_dir() else file
    try:
        return Report.model_validate_json(file.read_bytes())
    except OSError as error:
        raise ReportInvalidError(f"There is no report at '{file}'; make one with: dragoman evaluate.") from error
    except ValidationError as error:
        raise ReportInvalidError(f"'{file}' is no report of this version: {first_problem(error)}.") from error


def _estimates(
    scored: Sequence[Scored],
    metrics: Sequence[Metric],
    draws: Floats,
    dimension: str | None = None,
    value: str | None = None,
) -> dict[str, Estimate]:
    counted = [one.counts(dimension, value) for one in scored]
    found = {each.name: estimate(each.figure, [counts.of(each) for counts in counted], draws) for each in metrics}
    return {name: each for name, each in found.items() if each.n}


def _case(item: str, part: Shown) -> Case:
    return Case(
        item=item,
        channel=part.channel,
        start_ms=part.start_ms,
        end_ms=part.end_ms,
        locale=part.locale,
        heard_locale=part.heard_locale,
        said=part.said,
        heard=part.heard,
        errors=part.errors,
        steps=tuple(_steps(part)),
    )


def _steps(part: Shown) -> Iterator[AlignedStep]:
    for step in part.steps:
        yield AlignedStep(change=step.change, said=step.said, heard=step.heard)
