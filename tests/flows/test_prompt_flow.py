"""The flows through Prompt Flow itself: they are valid, and say what the plain functions say."""

import asyncio
import json
from pathlib import Path
from typing import Any, Final

import pytest

from dragoman.insight.conversation import Conversation
from dragoman.resources import flows_folder
from tests.flows.promptflow import PromptFlow, installed
from tests.insight.talk import answering, polishing, step
from training.conversations import all_data

pytestmark = pytest.mark.slow

OUTPUTS: Final = {"insight": "insight", "answer": "answer", "polish": "polished"}
FLOWS: Final = sorted(path.parent.name for path in flows_folder().glob("*/flow.dag.yaml"))


@pytest.fixture
def pf(tmp_path: Path) -> PromptFlow:
    installed()
    return PromptFlow(tmp_path)


def asked(flow: str = "insight") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (flows_folder() / flow / "data.jsonl").read_text().splitlines()]


def in_process(line: dict[str, Any], shots: int) -> dict[str, Any]:
    """Return what the plain functions say, without what differs from call to call."""
    about = Conversation.model_validate(line["conversation"])
    if "glossary" in line:
        polished = asyncio.run(polishing().with_shots(shots).run(about, line["glossary"]))
        return timeless(polished.model_dump(mode="json"))
    language = line["language"]
    if "question" in line:
        answer = asyncio.run(answering().with_shots(shots).run(line["question"], about, language))
        return timeless(answer.model_dump(mode="json"))
    return timeless(asyncio.run(step(shots=shots).run(about, language)).model_dump(mode="json"))


def timeless(insight: dict[str, Any]) -> dict[str, Any]:
    return insight | {"costs": [cost | {"took_ms": 0} for cost in insight["costs"]]}


def test_the_data_is_what_the_recordings_say() -> None:
    for flow, lines in all_data().items():
        assert (flows_folder() / flow / "data.jsonl").read_text(encoding="utf-8") == lines, flow
    assert {path.parent.name for path in flows_folder().glob("*/data.jsonl")} == set(FLOWS)
    assert len(asked()) >= 50


def test_node_files_have_names_of_their_own() -> None:
    names = [path.name for path in flows_folder().glob("*/*.py")]
    assert len(names) == len(set(names))


def test_nodes_are_one_line() -> None:
    for path in flows_folder().glob("*/*.py"):
        if path.stem.endswith("_workflow"):
            continue
        body = path.read_text(encoding="utf-8").split(":\n", 1)[1]
        assert len(body.strip().splitlines()) == 1, path


@pytest.mark.parametrize("name", FLOWS)
def test_a_flow_is_valid(pf: PromptFlow, name: str) -> None:
    assert json.loads(pf("flow", "validate", "--source", pf.flow(name)))["result"] == "Succeeded"


@pytest.mark.parametrize("flow", ["insight", "answer", "polish"])
def test_a_single_test_says_what_the_functions_say_and_leaves_nothing(pf: PromptFlow, flow: str) -> None:
    line, before = asked(flow)[0], pf.files()
    given = pf.folder / "one.jsonl"
    given.write_text(json.dumps(line))
    said = pf("flow", "test", "--flow", pf.flow(flow), "--inputs", given, "--detail", pf.folder / "detail")
    assert timeless(json.loads(said[said.index("{") :])[OUTPUTS[flow]]) == in_process(line, shots=1)
    assert pf.files() == before
    assert pf.leftovers() == []


def test_a_batch_with_a_variant_is_run_and_evaluated(pf: PromptFlow) -> None:
    before = pf.files()
    data = pf.flow("insight") / "data.jsonl"
    pf(
        *("run", "create", "--name", "base", "--flow", pf.flow("insight"), "--data", data),
        *("--variant", "${prompt.zero_shot}"),
        *("--column-mapping", "conversation=${data.conversation}", "language=${data.language}"),
    )
    outputs = pf.outputs("base")
    assert [timeless(each["insight"]) for each in outputs] == [in_process(line, shots=0) for line in asked()]
    pf(
        *("run", "create", "--name", "scores", "--flow", pf.flow("eval_insight"), "--data", data, "--run", "base"),
        *("--column-mapping", "conversation=${data.conversation}", "expected=${data.expected}"),
        "insight=${run.outputs.insight}",
    )
    metrics = json.loads(pf("run", "show-metrics", "--name", "scores"))
    assert metrics["groundedness"] == 1.0  # it says what was said
    assert 0.5 < metrics["coverage"] < 1.0  # it does not find everything
    assert set(metrics) == {"groundedness", "relevance", "coverage", "harm"}
    assert pf.files() == before
    assert pf.leftovers() == []


@pytest.mark.nightly  # as the batch above, of another flow
def test_answers_are_run_and_evaluated(pf: PromptFlow) -> None:
    data = pf.flow("answer") / "data.jsonl"
    inputs = [f"{name}=${{data.{name}}}" for name in ("question", "conversation", "language")]
    pf("run", "create", "--name", "base", "--flow", pf.flow("answer"), "--data", data, "--column-mapping", *inputs)
    assert [timeless(each["answer"]) for each in pf.outputs("base")] == [
        in_process(line, 1) for line in asked("answer")
    ]
    inputs = [f"{name}=${{data.{name}}}" for name in ("conversation", "language", "expected")]
    evaluation = pf.flow("eval_answer")
    pf(
        *("run", "create", "--name", "scores", "--flow", evaluation, "--data", data, "--run", "base"),
        *("--column-mapping", *inputs, "answer=${run.outputs.answer}"),
    )
    assert json.loads(pf("run", "show-metrics", "--name", "scores")) == {"correct": 1.0, "groundedness": 1.0}


def test_translations_are_evaluated(pf: PromptFlow) -> None:
    data = pf.flow("eval_translation") / "data.jsonl"
    inputs = [f"{name}=${{data.{name}}}" for name in ("source", "translation", "reference")]
    evaluation = pf.flow("eval_translation")
    pf("run", "create", "--name", "scores", "--flow", evaluation, "--data", data, "--column-mapping", *inputs)
    metrics = json.loads(pf("run", "show-metrics", "--name", "scores"))
    assert set(metrics) == {"chrf", "adequacy", "bleu", "corpus_chrf", "ter"}
    assert metrics["bleu"] > 80
    assert 0.8 < metrics["chrf"] <= 1
