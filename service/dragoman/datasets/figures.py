"""What a dataset is in figures, and what is said of each recording: the content of a profile."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np
from pydantic import BaseModel, ConfigDict

from dragoman.datasets.cleaning import Rules, decide
from dragoman.datasets.dataset import Dataset
from dragoman.datasets.items import Card, RecordingItem, Reference
from dragoman.datasets.leakage import find_leaks
from dragoman.datasets.measuring import Measured, Unheard
from dragoman.datasets.texts import count_words

_MS_PER_MIN: Final = 60_000
_UNBALANCED: Final = 3.0


class _Figures(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Spread(_Figures):
    """Where values lie: the least, the largest, and what 5, 50 and 95 of a hundred stay below."""

    least: float
    p5: float
    median: float
    p95: float
    largest: float


class RecordingFigures(_Figures):
    """One recording. Levels in dBFS, shares of its length; ``concerns`` is why ``clean`` would leave it out."""

    file: str
    split: str | None
    locales: tuple[str, ...]
    duration_ms: int
    utterances: int
    rms_dbfs: float
    peak_dbfs: float
    speech_dbfs: float | None
    snr_db: float | None
    clipped_share: float
    silence_share: float
    speech_share: float
    words_per_min: float | None
    concerns: tuple[str, ...]


class Group(_Figures):
    """What is said by a speaker, or in a language. Rate is of the time in which somebody speaks."""

    name: str
    recordings: int
    utterances: int
    speech_ms: int
    words_per_min: float | None


class SplitFigures(_Figures):
    """One part of a dataset, and how long each language is spoken in it."""

    name: str
    recordings: int
    audio_ms: int
    speech_ms: Mapping[str, int]


class Profile(_Figures):
    """Everything that ``dragoman data profile`` says. ``notes`` are sentences about what to look at."""

    dataset: str
    version: str
    card: Card
    audio_ms: int
    utterances: int
    words: int
    recordings: tuple[RecordingFigures, ...]
    unheard: Mapping[str, str]
    utterances_ms: tuple[int, ...]
    spreads: Mapping[str, Spread]
    languages: tuple[Group, ...]
    speakers: tuple[Group, ...]
    splits: tuple[SplitFigures, ...]
    notes: tuple[str, ...]


def make_profile(dataset: Dataset, heard: Mapping[str, Measured | Unheard]) -> Profile:
    """Return the figures of a dataset of recordings. Groups come largest first, recordings as in the manifest."""
    concerns: defaultdict[str, list[str]] = defaultdict(list)
    for out in decide(dataset.recordings, heard, Rules()):
        concerns[out.id].append(f"{out.why}: {out.detail}")
    rows = tuple(
        _row(item, found, tuple(concerns[item.id]))
        for item in dataset.recordings
        if isinstance(found := heard[item.id], Measured)
    )
    said = [(item, each) for item in dataset.recordings for each in item.utterances]
    languages = _groups((each.locale, item, each) for item, each in said)
    unheard = {id_: found.why for id_, found in heard.items() if isinstance(found, Unheard)}
    return Profile(
        dataset=dataset.card.name,
        version=dataset.version,
        card=dataset.card,
        audio_ms=sum(row.duration_ms for row in rows),
        utterances=len(said),
        words=sum(count_words(each.text) for _, each in said),
        recordings=rows,
        unheard=unheard,
        utterances_ms=tuple(each.end_ms - each.start_ms for _, each in said),
        spreads=_spreads(rows, [each.end_ms - each.start_ms for _, each in said]),
        languages=languages,
        speakers=_groups((each.speaker, item, each) for item, each in said if each.speaker),
        splits=_splits(dataset.recordings),
        notes=tuple(_notes(dataset, rows, languages, unheard)),
    )


def _row(item: RecordingItem, found: Measured, concerns: tuple[str, ...]) -> RecordingFigures:
    quality = found.quality
    return RecordingFigures(
        file=item.file,
        split=item.split,
        locales=item.locales,
        duration_ms=found.duration_ms,
        utterances=len(item.utterances),
        rms_dbfs=round(quality.rms_dbfs, 2),
        peak_dbfs=round(quality.peak_dbfs, 2),
        speech_dbfs=None if quality.speech_dbfs is None else round(quality.speech_dbfs, 2),
        snr_db=None if quality.snr_db is None else round(quality.snr_db, 2),
        clipped_share=round(quality.clipped_share, 6),
        silence_share=round(quality.silence_share, 4),
        speech_share=round(quality.speech_share, 4),
        words_per_min=_rate(item.utterances),
        concerns=concerns,
    )


def _rate(utterances: Sequence[Reference]) -> float | None:
    spoken_ms = sum(each.end_ms - each.start_ms for each in utterances)
    words = sum(count_words(each.text) for each in utterances)
    return round(words * _MS_PER_MIN / spoken_ms, 1) if spoken_ms else None


def _groups(said: Iterable[tuple[str, RecordingItem, Reference]]) -> tuple[Group, ...]:
    by_name: defaultdict[str, list[tuple[str, Reference]]] = defaultdict(list)
    for name, item, each in said:
        by_name[name].append((item.id, each))
    groups = [
        Group(
            name=name,
            recordings=len({id_ for id_, _ in each}),
            utterances=len(each),
            speech_ms=sum(one.end_ms - one.start_ms for _, one in each),
            words_per_min=_rate([one for _, one in each]),
        )
        for name, each in by_name.items()
    ]
    return tuple(sorted(groups, key=lambda group: (-group.speech_ms, group.name)))


def _splits(items: Sequence[RecordingItem]) -> tuple[SplitFigures, ...]:
    by_name: defaultdict[str, list[RecordingItem]] = defaultdict(list)
    for item in items:
        by_name[item.split or "no split"].append(item)
    return tuple(
        SplitFigures(
            name=name,
            recordings=len(those),
            audio_ms=sum(item.duration_ms for item in those),
            speech_ms={
                group.name: group.speech_ms
                for group in _groups((each.locale, item, each) for item in those for each in item.utterances)
            },
        )
        for name, those in sorted(by_name.items(), key=lambda entry: -sum(item.duration_ms for item in entry[1]))
    )


def _spreads(rows: Sequence[RecordingFigures], utterances_ms: Sequence[int]) -> dict[str, Spread]:
    named = {
        "duration_s": [row.duration_ms / 1_000 for row in rows],
        "utterance_s": [milliseconds / 1_000 for milliseconds in utterances_ms],
        "rms_dbfs": [row.rms_dbfs for row in rows],
        "peak_dbfs": [row.peak_dbfs for row in rows],
        "snr_db": [row.snr_db for row in rows if row.snr_db is not None],
        "silence_share": [row.silence_share for row in rows],
        "speech_share": [row.speech_share for row in rows],
        "clipped_share": [row.clipped_share for row in rows],
        "words_per_min": [row.words_per_min for row in rows if row.words_per_min is not None],
    }
    return {name: _spread(values) for name, values in named.items() if values}


def _spread(values: Sequence[float]) -> Spread:
    least, p5, median, p95, largest = (round(float(value), 4) for value in np.percentile(values, [0, 5, 50, 95, 100]))
    return Spread(least=least, p5=p5, median=median, p95=p95, largest=largest)


def _notes(
    dataset: Dataset, rows: Sequence[RecordingFigures], languages: Sequence[Group], unheard: Mapping[str, str]
) -> Iterable[str]:
    for field in dataset.card.missing:
        yield f"Nobody says its {field}."
    if unheard:
        yield f"{len(unheard)} of {len(dataset.recordings)} recordings cannot be decoded."
    doubtful = sum(bool(row.concerns) for row in rows)
    if doubtful:
        yield f"“dragoman data clean” would leave out {doubtful} of {len(rows)} recordings, as marked below."
    silent = sum(not row.utterances for row in rows)
    if silent:
        yield f"{silent} of {len(rows)} recordings have no transcript; as tests they say that nothing is spoken."
    if len(languages) > 1 and languages[0].speech_ms > _UNBALANCED * languages[-1].speech_ms:
        times = languages[0].speech_ms / max(languages[-1].speech_ms, 1)
        yield f"{languages[0].name} is spoken {times:.1f} times as long as {languages[-1].name}."
    if len({item.split for item in dataset.recordings}) > 1:
        yield from (problem.message for problem in find_leaks(dataset))
