"""What is deployed has no problem, and every fault that is seeded into it is found for its own reason."""

import os
import shutil
from pathlib import Path

import pytest

from infra.check.__main__ import check
from infra.check.judges import CHECKER, judge
from infra.check.problem import Problem
from infra.check.templates import check_templates, work_out
from tests.infra.faults import JUDGED, OURS, Fault

ROOT = Path(__file__).parents[2]
needs_checker = pytest.mark.skipif(
    CHECKER not in os.environ, reason=f"{CHECKER} names no checker of Bicep's types (infra/README.md)"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a copy of the templates."""
    left_out = shutil.ignore_patterns("check", "hooks", "__pycache__")
    return Path(shutil.copytree(ROOT / "infra", tmp_path / "infra", ignore=left_out))


def ruled(folder: Path) -> list[Problem]:
    deployments, problems = work_out(folder, ROOT)
    return [*problems, *check_templates(deployments)]


def test_the_templates_keep_all_rules(folder: Path) -> None:
    assert ruled(folder) == []


@needs_checker
def test_the_templates_are_right_in_their_types(folder: Path) -> None:
    assert list(judge(folder)) == []


@pytest.mark.slow
@pytest.mark.parametrize("fault", OURS, ids=lambda fault: fault.name)
def test_a_fault_is_found(fault: Fault, folder: Path) -> None:
    fault.seed(folder)
    found = ruled(folder)
    assert any(each.code == fault.code and fault.says in each.message for each in found), found


@pytest.mark.slow
@needs_checker
@pytest.mark.parametrize("fault", JUDGED, ids=lambda fault: fault.name)
def test_a_fault_of_types_is_found(fault: Fault, folder: Path) -> None:
    fault.seed(folder)
    assert fault.code in {each.code for each in judge(folder)}


@pytest.mark.slow
@needs_checker
def test_nothing_is_wrong_with_what_is_deployed() -> None:
    assert check(ROOT) == []


def test_without_a_judge_that_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CHECKER, raising=False)
    monkeypatch.setenv("PATH", str(folder))
    (problem,) = judge(folder)
    assert CHECKER in problem.message
