"""The translator alone: what was really said, translated, beside its translations."""

import asyncio
import json
import os
from collections.abc import AsyncGenerator, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

from pydantic import JsonValue

from dragoman.datasets.dataset import Dataset
from dragoman.datasets.items import RecordingItem, Reference
from dragoman.domain.language import Locale, TargetLanguage, is_same_language
from dragoman.engines.ports import Translator
from dragoman.evaluating.speech import SpeechWishes, choose_targets
from dragoman.evaluation.metrics import completeness, meaning, translation
from dragoman.evaluation.metrics.meaning import Encoder
from dragoman.evaluation.metrics.metric import Counts
from dragoman.evaluation.report import Report, build
from dragoman.evaluation.run import Progress, Result, Run
from dragoman.evaluation.scored import Part, Scored
from dragoman.runtime import Runtime

if TYPE_CHECKING:
    from dragoman.domain.errors import TranslationFailedError


async def evaluate_texts(
    runtime: Runtime,
    candidate: Mapping[str, JsonValue],
    dataset: Dataset,
    folder: Path,
    wishes: SpeechWishes,
    tell: Callable[[Progress], None] = lambda progress: None,
    *,
    afresh: bool = False,
) -> Report:
    """Translate the references of recordings; raises as ``evaluate_speech``."""
    targets = choose_targets(dataset, await runtime.ready(), wishes)
    identity: dict[str, JsonValue] = {
        "stage": "translation",
        "dataset": f"{dataset.card.name}@{dataset.version}",
        "candidate": dict(candidate),
        "targets": list(targets),
    }

    def trial(item: RecordingItem) -> AsyncGenerator[str, None]:
        return _translated(runtime.translator, item, targets)

    run: Run[RecordingItem] = Run(folder, identity, afresh=afresh)
    results = await run.go(dataset.recordings, trial, wishes.jobs or (os.cpu_count() or 1), tell)
    by_id = {item.id: item for item in dataset.recordings}
    scored = [_scored(by_id[result.item], result, targets, wishes.encoder) for result in results]
    metrics = (
        *translation.metrics(targets),
        *(meaning.metrics(targets) if wishes.encoder else ()),
        *(each for each in completeness.METRICS if each.name == "failed"),
    )
    notes: dict[str, JsonValue] = {"targets": list(targets), "sacrebleu": dict(translation.signatures(targets))}
    return await asyncio.to_thread(build, "translation", dataset, scored, metrics, candidate, None, notes)


async def _translated(
    translator: Translator | None, item: RecordingItem, targets: tuple[str, ...]
) -> AsyncGenerator[str, None]:
    """Yield a line for each utterance: its texts by target; ``null`` where it could not be translated."""
    for said in item.utterances:
        due = [TargetLanguage(target) for target in _due(said, targets)]
        able = [target for target in due if translator and translator.supports(Locale(said.locale), target)]
        found: Mapping[TargetLanguage, str | TranslationFailedError] = {}
        if translator and able:
            found = await translator.translate(said.text, Locale(said.locale), able)
        texts = {target: text if isinstance(text := found.get(target), str) else None for target in due}
        yield json.dumps(texts, ensure_ascii=False)


def _scored(item: RecordingItem, result: Result, targets: tuple[str, ...], encoder: Encoder | None) -> Scored:
    parts = []
    texts = [cast("dict[str, str | None]", json.loads(line)) for line in result.lines]
    for said, made in zip(item.utterances, [*texts, *({} for _ in item.utterances[len(texts) :])], strict=True):
        sums: dict[str, tuple[float, ...]] = {}
        due = _due(said, targets)
        if due:
            sums["translated"] = (float(sum(bool(made.get(target)) for target in due)), float(len(due)))
        for target in due:
            sums |= translation.count_text(made.get(target) or "", said.translations[target], target, encoder)
        parts.append(Part({"language": said.locale, "recording": item.id}, Counts(sums)))
    whole = completeness.count((), has_failed=result.failure is not None)
    return Scored(item.id, tuple(parts), whole, result.failure)


def _due(said: Reference, targets: tuple[str, ...]) -> list[str]:
    return [
        target
        for target in targets
        if said.translations.get(target) and not is_same_language(Locale(said.locale), TargetLanguage(target))
    ]
