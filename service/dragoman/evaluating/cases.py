"""An LLM step over cases."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Mapping
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from dragoman.datasets.dataset import Dataset
from dragoman.datasets.items import CaseItem
from dragoman.domain.errors import DatasetInvalidError
from dragoman.evaluation.cost import Prices
from dragoman.evaluation.report import Report, build
from dragoman.evaluation.run import Progress, Run
from dragoman.evaluation.steps.answer import AnswerStage
from dragoman.evaluation.steps.insight import InsightStage
from dragoman.evaluation.steps.orders import OrderStage
from dragoman.evaluation.steps.polish import PolishStage
from dragoman.evaluation.steps.stage import Stage, outcome, score
from dragoman.resources import flows_folder, samples_folder
from dragoman.steps import Steps

STAGES: Final = ("insight", "answer", "polish", "orders")


def default_cases(stage: str) -> Path:
    """Return the cases that ship for a step."""
    return samples_folder() / "orders" if stage == "orders" else flows_folder() / stage


def make_stage(name: str, steps: Steps, prices: Prices, folder: Path | None = None, shots: int | None = None) -> Stage:
    """Return a step as it is set, in the words of a folder (those that ship, if none is given), after so many examples.

    Raises:
        SettingsError, DependencyMissingError: if it cannot be made as it is set.
    """
    if name == "polish":
        polish = steps.polish(folder)
        return PolishStage(polish if shots is None else polish.with_shots(shots), prices)
    if name == "answer":
        answer = steps.answer(folder)
        judge = steps.judge(flows_folder() / "eval_answer")
        return AnswerStage(answer if shots is None else answer.with_shots(shots), judge, prices)
    insight = steps.insight(folder)
    insight = insight if shots is None else insight.with_shots(shots)
    if name == "orders":
        return OrderStage(insight, prices)
    return InsightStage(insight, steps.judge(flows_folder() / "eval_insight"), prices)


async def evaluate_cases(
    stage: Stage,
    candidate: Mapping[str, JsonValue],
    dataset: Dataset,
    folder: Path,
    prices: Prices,
    tell: Callable[[Progress], None] = lambda progress: None,
    *,
    jobs: int = 0,
    afresh: bool = False,
) -> Report:
    """Run a step over cases; results rest in ``folder``, from where a run that was stopped goes on.

    Raises:
        EvaluationMixedError: if the folder holds another run.
        DatasetInvalidError: if the dataset holds no cases.
    """
    if not dataset.cases:
        raise DatasetInvalidError(f"'{dataset.card.name}' holds no cases; the stage '{stage.name}' needs some.")
    made = {**candidate, **stage.identity()}
    identity: dict[str, JsonValue] = {
        "stage": stage.name,
        "dataset": f"{dataset.card.name}@{dataset.version}",
        "candidate": made,
    }

    def trial(case: CaseItem) -> AsyncGenerator[str, None]:
        return outcome(stage, case)

    run: Run[CaseItem] = Run(folder, identity, afresh=afresh)
    results = await run.go(dataset.cases, trial, jobs or (os.cpu_count() or 1), tell)
    by_id = {case.id: case for case in dataset.cases}
    scored = [score(stage, by_id[result.item], result) for result in results]
    notes: dict[str, JsonValue] = {"prices": prices.model_dump(mode="json")}
    return await asyncio.to_thread(build, stage.name, dataset, scored, stage.metrics, made, None, notes)
