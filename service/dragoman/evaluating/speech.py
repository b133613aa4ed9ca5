"""The whole pipeline over recordings: what is said in them beside what is heard and translated."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from pydantic import JsonValue

from dragoman.datasets.dataset import Dataset
from dragoman.datasets.items import RecordingItem
from dragoman.domain.errors import DatasetInvalidError
from dragoman.domain.events import DurableEvent, to_json
from dragoman.domain.language import LidMode
from dragoman.evaluating.live import Live
from dragoman.evaluation.cost import Prices
from dragoman.evaluation.metrics import language, translation
from dragoman.evaluation.metrics.meaning import Encoder
from dragoman.evaluation.recordings import RecordingScorer
from dragoman.evaluation.report import Confusion, Report, build
from dragoman.evaluation.run import Progress, Run
from dragoman.evaluation.scored import joined
from dragoman.runtime import EngineInfo, Recording, Wishes

_LIVE_JOBS: Final = 8
"""Streams at once that are heard as fast as they are spoken."""


class Hearing(Protocol):
    """What hears recordings: a runtime, or what plays one in a test."""

    async def ready(self) -> EngineInfo:
        """Load what must be loaded."""
        ...

    def transcribe(self, recording: Recording, wishes: Wishes) -> AsyncGenerator[DurableEvent, None]:
        """Yield the events of one recording."""
        ...


@dataclass(frozen=True)
class SpeechWishes:
    """How to evaluate. Without ``targets``: all into which the references are translated and the engine can.

    ``locales`` are the candidates of identification; without them, all that are spoken in the dataset.
    """

    prices: Prices
    targets: Sequence[str] | None = None
    locales: Sequence[str] | None = None
    lid: LidMode = LidMode.CONTINUOUS
    jobs: int = 0
    encoder: Encoder | None = None


async def evaluate_speech(
    hearing: Hearing,
    candidate: Mapping[str, JsonValue],
    dataset: Dataset,
    folder: Path,
    wishes: SpeechWishes,
    tell: Callable[[Progress], None] = lambda progress: None,
    *,
    afresh: bool = False,
) -> Report:
    """Run the pipeline over recordings; results rest in ``folder``, from where a run that was stopped goes on.

    Raises:
        DatasetInvalidError: if it holds no recordings.
        EvaluationMixedError: if the folder holds another run.
        DragomanError: if nothing can be heard at all.
    """
    targets = choose_targets(dataset, await hearing.ready(), wishes)
    spoken = tuple(sorted({each for item in dataset.recordings for each in item.locales}))
    candidates = spoken if wishes.locales is None else tuple(wishes.locales)
    stage = "live" if isinstance(hearing, Live) else "speech"
    identity: dict[str, JsonValue] = {
        "stage": stage,
        "dataset": f"{dataset.card.name}@{dataset.version}",
        "candidate": dict(candidate),
        "candidates": list(candidates),
        "lid": wishes.lid.value,
        "targets": list(targets),
    }
    heard = Wishes(languages=candidates or None, lid=wishes.lid, translate=targets)
    jobs = wishes.jobs or (_LIVE_JOBS if stage == "live" else os.cpu_count() or 1)

    def hear(item: RecordingItem) -> AsyncGenerator[str, None]:
        return _lines(hearing, dataset.path(item), item, heard)

    run: Run[RecordingItem] = Run(folder, identity, afresh=afresh)
    results = await run.go(dataset.recordings, hear, jobs, tell)
    scorer = RecordingScorer(spoken, targets, wishes.prices, wishes.encoder)
    by_id = {item.id: item for item in dataset.recordings}
    scored = [scorer.score(by_id[result.item], result) for result in results]
    identified = joined([one.counts() for one in scored]).sums.get("languages")
    matrix = language.confusion(identified, spoken) if identified else []
    notes: dict[str, JsonValue] = {
        "targets": list(targets),
        "candidates": list(candidates),
        "lid": wishes.lid.value,
        "prices": wishes.prices.model_dump(mode="json"),
        "bertscore": wishes.encoder.name if wishes.encoder else None,
        "sacrebleu": dict(translation.signatures(targets)),
    }
    return await asyncio.to_thread(
        build,
        stage,
        dataset,
        scored,
        scorer.metrics,
        candidate,
        Confusion(spoken=spoken, identified=(*spoken, language.UNHEARD), utterances=tuple(map(tuple, matrix)))
        if matrix
        else None,
        notes,
    )


def choose_targets(dataset: Dataset, engine: EngineInfo, wishes: SpeechWishes) -> tuple[str, ...]:
    """Return what to translate recordings into.

    Raises:
        DatasetInvalidError: if there are no recordings.
    """
    if not dataset.recordings:
        raise DatasetInvalidError(f"There are no recordings to evaluate in what was chosen of '{dataset.card.name}'.")
    if wishes.targets is not None:
        return tuple(wishes.targets)
    referenced = {target for item in dataset.recordings for each in item.utterances for target in each.translations}
    return tuple(sorted(referenced & set(engine.targets)))


async def _lines(hearing: Hearing, path: Path, item: RecordingItem, wishes: Wishes) -> AsyncGenerator[str, None]:
    """Yield the events of a recording: of all of it at once, or channel by channel where people speak on several."""
    spoken = sorted({each.channel for each in item.utterances})
    for channel in spoken if len(spoken) > 1 else [None]:
        async with aclosing(hearing.transcribe(Recording(path, channel=channel), wishes)) as events:
            async for event in events:
                yield to_json(event)
