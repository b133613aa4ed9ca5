"""What the workflows call is there, and what they may do is little."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field

from dragoman.cli.main import group

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))

PINNED = {
    "actions/checkout": "11bd71901bbe5b1630ceea73d27597364c9af683",
    "actions/download-artifact": "d3f86a106a0bac45b974a628896c90dbdf5c8093",
    "actions/setup-python": "a26af69be951a213d495a4c3e4e4022e16d87065",
    "actions/upload-artifact": "ea165f8d65b6e75b540449e92b4886f43607fa02",
    "azure/login": "a457da9ea143d694b1b9c7c869ebb04ebe844ef5",
}
"""A tag can be moved to other code, a commit cannot. Of others a major version is named."""


class Step(BaseModel):
    run: str = ""
    uses: str | None = None
    given: dict[str, str | bool | int] = Field(default={}, alias="with")


class Job(BaseModel):
    steps: list[Step] = []
    uses: str | None = None
    environment: str | None = None
    permissions: dict[str, str] = {}
    given: dict[str, str] = Field(default={}, alias="with")


class Workflow(BaseModel):
    model_config = ConfigDict(coerce_numbers_to_str=True)

    triggers: object
    permissions: dict[str, str]
    jobs: dict[str, Job]

    @property
    def is_of_pull_requests(self) -> bool:
        return "pull_request" in (self.triggers if isinstance(self.triggers, dict) else [self.triggers])

    @property
    def steps(self) -> list[Step]:
        return [step for job in self.jobs.values() for step in job.steps]


def read(file: Path) -> Workflow:
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    # YAML takes "on" for a truth.
    return Workflow.model_validate({**content, "triggers": content[True]})


def commands(script: str) -> Iterator[list[str]]:
    """Yield the words of every ``dragoman`` command in a script, after the name of the program."""
    for line in script.replace("\\\n", " ").splitlines():
        found = re.search(r"(?:^|[\s/(])dragoman\s+(.*?)(?:>>?|&&|\|\||;|\)|$)", line.strip())
        if found:
            yield shlex.split(found[1])


def check(words: list[str]) -> None:
    """Find the command and its options, as a shell would."""
    context = click.Context(group)
    command: click.Command = group
    while isinstance(command, click.Group):
        assert words, f"'{command.name}' needs a command"
        found = command.get_command(context, words[0])
        assert found is not None, f"there is no command '{words[0]}'"
        command, words = found, words[1:]
    options = {name for parameter in command.params if isinstance(parameter, click.Option) for name in parameter.opts}
    used = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
    assert used <= options, f"'{command.name}' has no {used - options}"


def test_commands_are_found_and_checked() -> None:
    script = 'make x\n.venv/bin/dragoman release plan "flows/$FLOW" >> out\n(dragoman gate a --sign b)\necho dragoman'
    assert list(commands(script)) == [["release", "plan", "flows/$FLOW"], ["gate", "a", "--sign", "b"]]
    for wrong in (["relase"], ["release", "undo"], ["gate", "--sing", "x"], ["release"]):
        with pytest.raises(AssertionError):
            check(wrong)


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_what_a_workflow_runs_is_there(file: Path) -> None:
    workflow = read(file)
    for step in workflow.steps:
        assert set(re.findall(r"\bmake ([a-z-]+)", step.run)) <= TARGETS
        assert all((ROOT / script).is_file() for script in re.findall(r"\.ci/\S+", step.run))
        for words in commands(step.run):
            check(words)
    for job in workflow.jobs.values():
        if job.uses is not None:
            called = yaml.safe_load((ROOT / job.uses).read_text(encoding="utf-8"))
            wanted = called[True]["workflow_call"]["inputs"]
            assert {name for name, each in wanted.items() if each["required"]} <= job.given.keys() <= wanted.keys()


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_actions_are_pinned(file: Path) -> None:
    for step in read(file).steps:
        if step.uses is not None:
            action, _, version = step.uses.partition("@")
            assert version == PINNED.get(action, version)
            assert re.fullmatch(r"[0-9a-f]{40}|v\d+(\.\d+)*", version)
            if action == "actions/checkout":
                assert step.given.get("persist-credentials") is False
    for line in file.read_text(encoding="utf-8").splitlines():
        if re.search(r"@[0-9a-f]{40}", line):
            assert re.search(r"# v\d+\.\d+\.\d+$", line), "say which version it is"


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_a_workflow_reads_and_what_may_do_more_asks_somebody(file: Path) -> None:
    workflow = read(file)
    assert workflow.permissions == {"contents": "read"}
    for job in workflow.jobs.values():
        writes = {name for name, level in job.permissions.items() if level == "write"}
        runs_code = any("checkout" in (step.uses or "") for step in job.steps)
        if workflow.is_of_pull_requests and writes:
            assert not runs_code, "it would run the change"
        if any((step.uses or "").startswith("azure/login") for step in job.steps):
            assert job.environment is not None or not runs_code, "an environment says who may"
            assert writes == {"id-token"}
            assert "client-secret" not in str(job.steps)


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_nobody_can_write_a_script_from_outside(file: Path) -> None:
    for step in read(file).steps:
        assert "${{" not in step.run, "give it by env: what is written into a script is run"


def test_nothing_is_deployed_without_evidence_and_somebody_who_agrees() -> None:
    deploy, release, rollback = (read(FOLDER / f"{name}.yml") for name in ("deploy", "release", "rollback"))
    for workflow in (deploy, rollback):
        assert isinstance(workflow.triggers, dict)
        assert list(workflow.triggers) == ["workflow_dispatch"]
    assert [job.given.get("environment") for job in deploy.jobs.values()] == [None, "staging", "production"]
    content = yaml.safe_load((FOLDER / "deploy.yml").read_text(encoding="utf-8"))["jobs"]
    assert (content["stage"]["needs"], content["promote"]["needs"]) == ("evaluate", "stage")
    assert content["evaluate"]["if"] == "github.ref == 'refs/heads/main'"
    said = [" ".join(words[:2]) for step in release.steps for words in commands(step.run)]
    assert said == [
        "release evidence",
        "release plan",
        "release apply",
        "release promote",
        "release promote",
        "release rollback",
        "release status",
    ]
    assert [" ".join(words[:1]) for step in deploy.steps for words in commands(step.run)] == [
        "evaluate",
        "gate",
        "card",
    ]


def test_the_evaluation_posts_every_stage_that_has_a_gate() -> None:
    (stages,) = re.findall(r"^STAGES \?= (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    gates = {file.parent.name for folder in ("flows", "samples") for file in (ROOT / folder).glob("*/gate.toml")}
    assert set(stages.split()) == gates
