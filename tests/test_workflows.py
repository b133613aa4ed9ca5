"""What the workflows call is there, and what they may do is little."""

import re
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


class Step(BaseModel):
    run: str = ""
    uses: str | None = None


class Job(BaseModel):
    steps: list[Step]
    permissions: dict[str, str] = {}


class Workflow(BaseModel):
    permissions: dict[str, str]
    jobs: dict[str, Job]


def read(file: Path) -> Workflow:
    return Workflow.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_what_a_workflow_runs_is_there(file: Path) -> None:
    steps = [step for job in read(file).jobs.values() for step in job.steps]
    called = [target for step in steps for target in re.findall(r"\bmake ([a-z-]+)", step.run)]
    assert set(called) <= TARGETS
    scripts = [script for step in steps for script in re.findall(r"\.ci/\S+", step.run)]
    assert all((ROOT / script).is_file() for script in scripts)
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@v\d+", step.uses) for step in steps if step.uses)


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_a_workflow_reads_and_a_job_that_writes_runs_nothing_of_the_change(file: Path) -> None:
    workflow = read(file)
    assert workflow.permissions == {"contents": "read"}
    for job in workflow.jobs.values():
        if "write" in job.permissions.values():
            assert not any("checkout" in (step.uses or "") for step in job.steps)


def test_the_evaluation_posts_every_stage_that_has_a_gate() -> None:
    (stages,) = re.findall(r"^STAGES \?= (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    gates = {file.parent.name for folder in ("flows", "samples") for file in (ROOT / folder).glob("*/gate.toml")}
    assert set(stages.split()) == gates
