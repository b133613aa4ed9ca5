"""The same nodes in Microsoft Agent Framework: a third way to the same answers."""

import json
import subprocess
from typing import Final

import pytest

from dragoman.resources import flows_folder
from tests.flows.promptflow import ROOT
from tests.flows.test_prompt_flow import OUTPUTS, asked, in_process, timeless

pytestmark = pytest.mark.slow

PYTHON: Final = ROOT / ".venv-maf" / "bin" / "python"


@pytest.mark.parametrize("flow", list(OUTPUTS))
def test_a_workflow_says_what_the_functions_say(flow: str) -> None:
    if not PYTHON.exists():
        pytest.skip("Agent Framework's environment is not there: make test makes it")
    lines = asked(flow)
    given = "".join(json.dumps(line | {"shots": 0}) + "\n" for line in lines)
    command = [str(PYTHON), str(flows_folder() / "run_workflow.py"), flow]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    outputs = [json.loads(line)[OUTPUTS[flow]] for line in done.stdout.splitlines()]
    assert [timeless(each) for each in outputs] == [in_process(line, shots=0) for line in lines]
