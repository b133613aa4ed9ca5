"""Figures that were measured and committed: quoted as they are, and only as this configuration's if they are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from dragoman.cards.card import Section, Table, section
from dragoman.evaluation.gate import Baseline
from dragoman.evaluation.layout.numbers import count, interval, shown
from dragoman.evaluation.metrics.metric import Unit
from dragoman.evaluation.verdicts import BASELINE, read_baseline
from dragoman.resources import flows_folder, samples_folder

STAGES: Final = ("speech", "translation", "insight", "answer", "polish", "orders")

_TITLES: Final[Mapping[str, tuple[str, Unit]]] = {
    "wer": ("words wrong", "share"),
    "cer": ("characters wrong", "share"),
    "false_words_per_minute": ("words a minute where nobody speaks", "number"),
    "lid_accuracy": ("utterances in the right language", "share"),
    "groundedness": ("claims that are borne out", "share"),
    "relevance": ("relevance", "share"),
    "coverage": ("action items that are found", "share"),
    "invented": ("claims that nothing bears out, before they are dropped", "share"),
    "correct": ("answers that are right", "share"),
    "harm": ("harmful sentences let through", "share"),
    "obeyed": ("orders of callers that were obeyed", "share"),
    "noticed": ("orders of callers that were noticed", "share"),
    "false_alarms": ("everyday sentences taken for orders", "share"),
    "wer_before": ("words wrong, before reading again", "share"),
    "repaired": ("words repaired", "share"),
    "spoiled": ("words spoiled", "share"),
    "failed": ("items that failed", "share"),
    "lost": ("accepted audio without an outcome", "share"),
}
_UNMEANT: Final = frozenset({"dragoman", "code", "judge", "judge_prompt", "engine", "guard", "shots"})
"""What of a candidate says nothing about how this service is set."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures of a stage, and in what they were measured otherwise than this service is set, if in anything."""

    baseline: Baseline
    differs: tuple[str, ...]


def measured(stage: str, candidate: Mapping[str, JsonValue]) -> Measured | None:
    """Return what was measured of a stage, and whether of this candidate; ``None`` if nothing was.

    Raises:
        GateInvalidError: if the file holds something else.
    """
    baseline = read_baseline(file_of(stage))
    if baseline is None:
        return None
    ours = {key: value for key, value in candidate.items() if key not in _UNMEANT}
    theirs = {key: value for key, value in baseline.candidate.items() if key not in _UNMEANT}
    differs = tuple(sorted(key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)))
    return Measured(baseline, differs)


def file_of(stage: str) -> Path:
    """Return where the figures of a stage lie, if there are any."""
    folder = flows_folder() / stage
    return (folder if folder.is_dir() else samples_folder() / stage) / BASELINE


def figures(candidates: Mapping[str, Mapping[str, JsonValue]]) -> tuple[Section, ...]:
    """Return what was measured of the candidate of every stage."""
    rows: list[tuple[str, ...]] = []
    slices: list[tuple[str, ...]] = []
    others = []
    for stage in STAGES:
        found = measured(stage, candidates.get(stage, {}))
        if found is None:
            continue
        if found.differs:
            others.append(f"{stage}: what is committed was measured with another {', '.join(found.differs)}.")
            continue
        rows += _rows(stage, found.baseline)
        slices += _slices(found.baseline)
    return tuple(_sections(rows, slices, others))


def _sections(rows: list[tuple[str, ...]], slices: list[tuple[str, ...]], others: list[str]) -> Iterator[Section]:
    if rows:
        head = ("stage", "figure", "value", "95 % between", "n", "measured", "on")
        yield section(
            "What was measured",
            "These are the accepted baselines, measured with the models, prompts and settings of this service.",
            points=others,
            table=Table(head=head, rows=tuple(rows)),
        )
    else:
        yield section("What was measured", "Nothing was measured with these models and settings.", points=others)
    if slices:
        yield section(
            "Differences between people and languages",
            "Words wrong, by language and for the worst speaker. The speakers of the samples are synthetic voices.",
            table=Table(head=("group", "words wrong", "95 % between", "words"), rows=tuple(slices)),
        )


def _rows(stage: str, baseline: Baseline) -> Iterator[tuple[str, ...]]:
    for name, figure in sorted(baseline.metrics.items(), key=lambda entry: _order(entry[0])):
        titled = _title(name)
        if titled is not None and figure.value is not None:
            title, unit = titled
            day = baseline.measured or "unknown"
            yield (
                stage, title, shown(figure.value, unit), interval(figure, unit), count(figure.n), day, baseline.dataset
            )  # fmt: skip


def _slices(baseline: Baseline) -> Iterator[tuple[str, ...]]:
    if baseline.stage != "speech":
        return
    languages = baseline.slices.get("language", {})
    speakers = {
        name: each["wer"] for name, each in baseline.slices.get("speaker", {}).items() if each["wer"].value is not None
    }
    found = [(name, each["wer"]) for name, each in sorted(languages.items()) if "wer" in each]
    if speakers:
        worst = max(speakers, key=lambda name: speakers[name].value or 0.0)
        found.append((f"worst speaker: {worst}", speakers[worst]))
    for name, figure in found:
        yield name, shown(figure.value, "share"), interval(figure, "share"), count(figure.n)


def _title(name: str) -> tuple[str, Unit] | None:
    kind, _, target = name.partition("/")
    if kind in ("bleu", "chrf") and target:
        return f"{'BLEU' if kind == 'bleu' else 'chrF'} into {target}", "score"
    return _TITLES.get(name)


def _order(name: str) -> tuple[int, str]:
    names = list(_TITLES)
    return (names.index(name) if name in names else len(names), name)
