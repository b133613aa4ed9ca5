"""One evaluation from settings and wishes to its report: what the command, a sweep and a release have in common."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dragoman.datasets.dataset import Dataset, read_dataset
from dragoman.domain.language import LidMode
from dragoman.evaluating.candidate import describe_chat, describe_engines
from dragoman.evaluating.cases import default_cases, evaluate_cases, make_stage
from dragoman.evaluating.live import Live
from dragoman.evaluating.rules import rules_of
from dragoman.evaluating.speech import SpeechWishes, evaluate_speech
from dragoman.evaluating.texts import evaluate_texts
from dragoman.evaluation.cost import Prices, read_prices
from dragoman.evaluation.gate import Verdict, judge
from dragoman.evaluation.metrics.meaning import Encoder
from dragoman.evaluation.page import Banner, cut_clips, render
from dragoman.evaluation.report import Report
from dragoman.evaluation.run import Progress
from dragoman.evaluation.verdicts import BASELINE, as_text, read_baseline, read_rules
from dragoman.resources import samples_folder
from dragoman.runtime import Runtime
from dragoman.settings import Settings
from dragoman.steps import Steps

STAGES: Final = ("speech", "live", "translation", "insight", "answer", "polish", "orders")
_OF_RECORDINGS: Final = ("speech", "live", "translation")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to evaluate; results and report rest in ``folder``, from where a run that was stopped goes on.

    Of recordings: the candidates of identification (all that are spoken, if not given) and targets (all of the
    references). Of steps: the folder of their words, and the number of examples. ``jobs`` items run at once; 0 chooses.
    """

    stage: str
    folder: Path
    locales: tuple[str, ...] | None = None
    targets: tuple[str, ...] | None = None
    lid: LidMode = LidMode.CONTINUOUS
    words: Path | None = None
    shots: int | None = None
    jobs: int = 0
    prices: Prices | None = None
    afresh: bool = False


def default_dataset(stage: str) -> Dataset:
    """Return what ships for a stage; of live streams the demo calls, which take a minute."""
    if stage not in _OF_RECORDINGS:
        return read_dataset(default_cases(stage))
    samples = read_dataset(samples_folder() / "audio")
    return samples.only(tags=["demo"]) if stage == "live" else samples


async def evaluate(
    settings: Settings,
    dataset: Dataset,
    wanted: Wanted,
    tell: Callable[[Progress], None] = lambda progress: None,
) -> Report:
    """Return the report of a candidate, which is its settings.

    Raises:
        EvaluationMixedError: if the folder holds another run.
        DragomanError: if nothing can be evaluated at all; the failure of an item is in the report.
    """
    prices = wanted.prices or read_prices()
    if wanted.stage not in _OF_RECORDINGS:
        return await _of_steps(settings, dataset, wanted, prices, tell)
    candidate = describe_engines(settings)
    encoder = await asyncio.to_thread(Encoder, settings.bertscore_model) if settings.bertscore_model else None
    wishes = SpeechWishes(prices, wanted.targets, wanted.locales, wanted.lid, wanted.jobs, encoder)
    with Runtime(settings) as runtime:
        if wanted.stage == "translation":
            return await evaluate_texts(runtime, candidate, dataset, wanted.folder, wishes, tell, afresh=wanted.afresh)
        hearing = Live(runtime) if wanted.stage == "live" else runtime
        return await evaluate_speech(hearing, candidate, dataset, wanted.folder, wishes, tell, afresh=wanted.afresh)


async def _of_steps(
    settings: Settings, dataset: Dataset, wanted: Wanted, prices: Prices, tell: Callable[[Progress], None]
) -> Report:
    steps = Steps(settings)
    try:
        stage = make_stage(wanted.stage, steps, prices, wanted.words, wanted.shots)
        return await evaluate_cases(
            stage,
            describe_chat(settings),
            dataset,
            wanted.folder,
            prices,
            tell,
            jobs=wanted.jobs,
            afresh=wanted.afresh,
        )
    finally:
        steps.close()


def judge_by_rules(report: Report) -> Verdict:
    """Return the verdict by the rules that ship for the stage.

    Raises:
        GateInvalidError: if there are none, or they cannot be read.
    """
    rules = rules_of(report.stage)
    return judge(report, read_rules(rules), read_baseline(rules.with_name(BASELINE)))


async def write_report(report: Report, dataset: Dataset, folder: Path, verdict: Verdict | None = None) -> None:
    """Write ``report.json`` and ``report.html``, with the verdict above it, if there is one."""
    clips = await cut_clips(report, dataset)
    banner = Banner(verdict.is_passed, as_text(verdict).splitlines()[0], verdict.reasons) if verdict else None
    page = await asyncio.to_thread(render, report, clips, banner)
    (folder / "report.json").write_text(report.model_dump_json(), encoding="utf-8")
    (folder / "report.html").write_text(page, encoding="utf-8")
