"""The loop in a workspace: Azure ML's own loaders read it, and its commands do here what they do there."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest
import yaml

from dragoman.cli.main import group
from tests.test_workflows import check, commands

ml = pytest.importorskip("azure.ai.ml")
get_ignore_file = pytest.importorskip("azure.ai.ml._utils._asset_utils").get_ignore_file

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "infra" / "azureml"
# Azure ML's SDK calls marshmallow as marshmallow 4 will not be called.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:The `context` parameter is deprecated")]

COMPONENTS: Final = ("data", "evaluate", "gate", "register")


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_is_one_and_uses_what_it_declares(name: str) -> None:
    component = ml.load_component(FOLDER / f"{name}.yml")
    assert component._validate().error_messages == {}
    declared = {f"inputs.{each}" for each in component.inputs} | {f"outputs.{each}" for each in component.outputs}
    assert set(re.findall(r"\$\{\{([\w.]+)\}\}", component.command)) == declared
    assert (FOLDER / component.code).resolve() == ROOT
    assert component.environment == "dragoman-loop@latest"


@pytest.mark.parametrize("name", COMPONENTS)
def test_what_a_component_runs_is_there(name: str) -> None:
    content = yaml.safe_load((FOLDER / f"{name}.yml").read_text(encoding="utf-8"))
    found = list(commands(content["command"].replace("&&", "\n").replace(";", "\n")))
    assert found
    for words in found:
        check(words)
    assert group.name


def test_the_pipeline_is_one_and_hands_everything_on() -> None:
    job = ml.load_job(FOLDER / "pipeline.yml")
    assert job._validate().error_messages == {}
    assert list(job.jobs) == list(COMPONENTS)
    content = yaml.safe_load((FOLDER / "pipeline.yml").read_text(encoding="utf-8"))
    for name, step in content["jobs"].items():
        component = ml.load_component(FOLDER / f"{name}.yml")
        assert set(step["inputs"]) == set(component.inputs)
    handed = re.findall(r"parent\.jobs\.(\w+)\.outputs\.(\w+)", str(content["jobs"]))
    assert handed == [("data", "checked"), ("evaluate", "report"), ("gate", "evidence")]


def test_the_environment_is_built_from_what_is_there() -> None:
    environment = ml.load_environment(FOLDER / "environment.yml")
    assert (FOLDER / environment.build.path).resolve() == ROOT
    dockerfile = ROOT / environment.build.dockerfile_path
    copied = re.findall(r"^COPY (.*) \S+$", dockerfile.read_text(encoding="utf-8"), re.MULTILINE)
    needed = [dockerfile, *(ROOT / source for sources in copied for source in sources.split())]
    ignored = get_ignore_file(ROOT)
    assert all(file.is_file() and not ignored.is_file_excluded(file) for file in needed)


def filled(command: str, given: Mapping[str, Path | str]) -> str:
    return re.sub(r"\$\{\{([\w.]+)\}\}", lambda found: str(given[found[1]]), command)


@pytest.mark.slow
def test_what_the_pipeline_does_ends_in_evidence(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    given: dict[str, Path | str] = {"inputs.dataset": ROOT / "flows" / "insight", "inputs.flow": "insight"}
    variables = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path / 'mlflow.db'}",
        "DEFAULT_IDENTITY_CLIENT_ID": "",
        "DRAGOMAN_DATA": str(tmp_path / "data"),
    }

    def run(command: str) -> None:
        done = subprocess.run(["bash", "-c", command], cwd=ROOT, env=variables, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    run(f"PYTHONPATH=service python -m dragoman release keygen {keys}")
    (private,) = (file for file in keys.iterdir() if "PRIVATE" in file.read_text())
    (public,) = (file for file in keys.iterdir() if "PUBLIC" in file.read_text())
    given["inputs.release_key"] = private
    for name in ("data", "evaluate", "gate"):
        component = yaml.safe_load((FOLDER / f"{name}.yml").read_text(encoding="utf-8"))
        for output in component["outputs"]:
            folder = tmp_path / name / output
            folder.mkdir(parents=True)
            given[f"outputs.{output}"] = folder
        run(filled(component["command"].replace("--track", ""), given))  # MLflow's first database takes its time
        # What one step puts out is what the next is given.
        given |= {f"inputs.{output}": given[f"outputs.{output}"] for output in component["outputs"]}
        if name == "data":
            given["inputs.dataset"] = given["outputs.checked"]
    variables["DRAGOMAN_RELEASE_TRUSTED"] = str(public)
    evidence = f"{given['outputs.evidence']}/evidence.dsse.json"
    run(f"PYTHONPATH=service python -m dragoman release evidence {evidence} flows/insight")
