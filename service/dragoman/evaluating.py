"""Settings become a candidate, a dataset becomes a run, and a run becomes a report."""

import asyncio
import hashlib
import os
import platform
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from dragoman import __version__
from dragoman.assembly import translators_of
from dragoman.datasets.dataset import Dataset
from dragoman.datasets.items import RecordingItem
from dragoman.domain.events import to_json
from dragoman.domain.language import TargetLanguage
from dragoman.evaluation import normalise, report
from dragoman.evaluation.cost import Prices, read_prices
from dragoman.evaluation.metrics import language, translation
from dragoman.evaluation.recordings import RecordingScorer
from dragoman.evaluation.run import Progress, Result, Run, Trial
from dragoman.evaluation.scored import joined
from dragoman.resources import resolve_model
from dragoman.runtime import Recording, Runtime, Wishes
from dragoman.settings import Settings


@dataclass(frozen=True)
class EvaluationWishes:
    """How to evaluate. Without ``targets``: all into which the references are translated and the engine can."""

    targets: Sequence[str] | None = None
    lid: str = "continuous"
    jobs: int = 0
    prices: Prices | None = None


async def evaluate_recordings(
    runtime: Runtime,
    dataset: Dataset,
    folder: Path,
    wishes: EvaluationWishes = EvaluationWishes(),
    tell: Callable[[Progress], None] = lambda progress: None,
    *,
    afresh: bool = False,
) -> report.Report:
    """Run the whole pipeline over recordings and return its report; results rest in ``folder``, where a run goes on."""
    engine = await runtime.ready()
    locales = tuple(sorted({each for item in dataset.recordings for each in item.locales}))
    able = [each for each in _referenced(dataset) if each in engine.targets]
    targets = tuple(wishes.targets) if wishes.targets is not None else tuple(able)
    heard = Wishes(languages=locales or None, translate=targets)
    candidate = describe(runtime.settings)
    identity: dict[str, JsonValue] = {
        "stage": "speech",
        "dataset": f"{dataset.card.name}@{dataset.version}",
        "candidate": candidate,
        "locales": list(locales),
        "targets": list(targets),
    }
    run: Run[RecordingItem] = Run(folder, identity, afresh=afresh)
    results = await run.go(
        dataset.recordings, _hearing(runtime, dataset, heard), wishes.jobs or (os.cpu_count() or 1), tell
    )
    scorer = RecordingScorer(locales, targets, wishes.prices or read_prices())
    return await asyncio.to_thread(_report, dataset, results, scorer, candidate)


def describe(settings: Settings) -> dict[str, JsonValue]:
    """Return what a candidate is made of: whatever may change a figure."""
    models = [Path(resolve_model(settings.model)), *translators_of(settings)]
    return {
        "dragoman": __version__,
        "model": settings.model,
        "model_digests": {each.name: digest for each in models if (digest := digest_of(each))},
        "compute_type": settings.compute_type,
        "beam_size": settings.beam_size,
        "azure_endpoints": len(settings.azure_endpoints),
        "chat_model": settings.chat_model,
        "normaliser": normalise.VERSION,
    }


def digest_of(folder: Path) -> str | None:
    """Return twelve hex digits of the content of a folder; ``None`` if it is none, but a name."""
    if not folder.is_dir():
        return None
    digest = hashlib.sha256()
    for file in sorted(each for each in folder.rglob("*") if each.is_file()):
        with file.open("rb") as content:
            digest.update(f"{file.relative_to(folder)}\0".encode())
            digest.update(hashlib.file_digest(content, "sha256").digest())
    return digest.hexdigest()[:12]


def _hearing(runtime: Runtime, dataset: Dataset, wishes: Wishes) -> Trial[RecordingItem]:
    """Return what hears a recording: all of it at once, or channel by channel where people speak on several."""

    async def hear(item: RecordingItem) -> AsyncGenerator[str, None]:
        spoken = sorted({each.channel for each in item.utterances})
        for channel in spoken if item.channels > 1 and len(spoken) > 1 else [None]:
            recording = Recording(dataset.path(item), channel=channel)
            async with aclosing(runtime.transcribe(recording, wishes)) as events:
                async for event in events:
                    yield to_json(event)

    return hear


def _report(
    dataset: Dataset, results: Sequence[Result], scorer: RecordingScorer, candidate: dict[str, JsonValue]
) -> report.Report:
    by_id = {item.id: item for item in dataset.recordings}
    scored = [scorer.score(by_id[result.item], result) for result in results]
    whole, slices = report.figures(scored, scorer.metrics)
    sums = joined([one.counts() for one in scored]).sums.get("languages")
    confusion = sums and report.Confusion(
        spoken=scorer.locales,
        identified=(*scorer.locales, language.UNHEARD),
        utterances=tuple(map(tuple, language.confusion(sums, scorer.locales))),
    )
    return report.Report(
        stage="speech",
        created=report.now(),
        dataset=report.DatasetSeen(
            name=dataset.card.name,
            version=dataset.version,
            items=len(results),
            audio_s=dataset.audio_ms / 1_000,
        ),
        candidate=candidate,
        machine=machine(),
        catalog=report.catalog([each for each in scorer.metrics if each.name in whole]),
        metrics=whole,
        slices=slices,
        confusion=confusion or None,
        worst=report.worst(scored),
        items=report.items_of(scored),
        notes={
            "prices": scorer.prices.model_dump(mode="json"),
            "sacrebleu": dict(translation.signatures(scorer.targets)),
        },
    )


def machine() -> dict[str, str]:
    """Return on what it ran."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
    }


def _referenced(dataset: Dataset) -> list[TargetLanguage]:
    found = {target for item in dataset.recordings for each in item.utterances for target in each.translations}
    return [TargetLanguage(each) for each in sorted(found)]
