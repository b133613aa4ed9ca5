"""A release is planned before it is done, done once however often it is begun, and told in a ledger that is whole."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from dragoman.domain.errors import ReleaseFailedError
from dragoman.releasing.applying import apply
from dragoman.releasing.evidence import verify
from dragoman.releasing.keys import Trusted
from dragoman.releasing.ledger import Ledger
from dragoman.releasing.plan import plan
from dragoman.releasing.spec import read_release
from dragoman.releasing.subjects import identify
from dragoman.releasing.workspace import Called, Deployed, Found, Wanted
from tests.releasing.folder_workspace import FolderWorkspace
from tests.releasing.made import NOW, RULES, key, make, write_release

FIRST = ["register environment", "register model", "create endpoint", "deploy", "check", "route"]


@pytest.fixture(scope="module")
def wanted(tmp_path_factory: pytest.TempPathFactory) -> Wanted:
    made = make(tmp_path_factory.mktemp("release"))
    return Wanted(made.identified, made.verified(made.signed()))


def ledger(folder: Path) -> Ledger:
    return Ledger(folder / "ledger.jsonl", "anna", lambda: NOW)


def actions(folder: Path) -> list[str]:
    return [entry.action for entry in ledger(folder).entries()]


def deployed(wanted: Wanted, **changes: object) -> Deployed:
    there = Deployed(wanted.identified.version, wanted.evidence.digest, "Succeeded", is_collecting=True)
    return replace(there, **changes)  # type: ignore[arg-type]  # fields of it


def everything(wanted: Wanted, **changes: object) -> Found:
    found = Found(
        has_model=True,
        has_environment=True,
        endpoint="Succeeded",
        deployments={"blue": deployed(wanted, release="before"), "green": deployed(wanted)},
        traffic={"blue": 100},
    )
    return replace(found, **changes)  # type: ignore[arg-type]  # fields of it


@pytest.mark.parametrize(
    ("changes", "slot", "steps"),
    [
        ({}, "green", ["check"]),
        ({"has_model": False}, "green", ["register model", "check"]),
        ({"deployments": {}, "traffic": {}}, "blue", ["deploy", "check", "route"]),
        ({"traffic": {"green": 100}}, "green", []),
        ({"traffic": {"blue": 90, "green": 10}}, "green", []),
        ({"mirror": {"green": 50}}, "green", []),
    ],
)
def test_what_is_there_is_not_done_again(
    wanted: Wanted, changes: dict[str, object], slot: str, steps: list[str]
) -> None:
    planned = plan(everything(wanted, **changes), wanted)
    assert (planned.slot, [step.action for step in planned.steps]) == (slot, steps)


@pytest.mark.parametrize(
    "lacking", [{"state": "Failed"}, {"is_collecting": False}, {"evidence": "0" * 64}, {"release": "other"}]
)
def test_a_deployment_that_is_not_as_it_should_be_is_replaced(wanted: Wanted, lacking: dict[str, object]) -> None:
    there = {"blue": deployed(wanted, release="before"), "green": deployed(wanted, **lacking)}
    planned = plan(everything(wanted, deployments=there), wanted)
    assert [step.action for step in planned.steps] == ["replace", "check"]


def test_the_live_slot_is_never_deployed_to(wanted: Wanted) -> None:
    there = {"green": deployed(wanted, release="before")}
    planned = plan(everything(wanted, deployments=there, traffic={"green": 100}), wanted)
    assert planned.slot == "blue"


@pytest.mark.parametrize("changes", [{"traffic": {"blue": 90, "green": 10}}, {"mirror": {"green": 50}}])
def test_a_rollout_that_is_under_way_is_not_disturbed(wanted: Wanted, changes: dict[str, object]) -> None:
    there = {"blue": deployed(wanted, release="before"), "green": deployed(wanted, release="another")}
    with pytest.raises(ReleaseFailedError, match=r"holds release another.*rollout is under way.*promote, or rollback"):
        plan(everything(wanted, deployments=there, **changes), wanted)


def test_it_is_done_once(tmp_path: Path, wanted: Wanted) -> None:
    workspace, began = FolderWorkspace(tmp_path / "workspace.json"), list[str]()
    apply(workspace, wanted, ledger(tmp_path), lambda step: began.append(step.action))
    assert began == FIRST
    assert actions(tmp_path) == ["apply", *FIRST]
    calls = list(workspace.calls)
    assert apply(workspace, wanted, ledger(tmp_path)).is_done
    assert workspace.calls == calls
    assert workspace.look("dragoman-insight").traffic == {"blue": 100}


@pytest.mark.slow
def test_killed_after_any_step_it_ends_the_same(tmp_path: Path, wanted: Wanted) -> None:
    """A process that is killed with SIGKILL after each of its calls, and begun again until it is done."""
    (tmp_path / "evidence").write_bytes(wanted.evidence.envelope)
    whole = tmp_path / "whole"
    whole.mkdir()
    apply(FolderWorkspace(whole / "workspace.json"), wanted, ledger(whole))

    killed = tmp_path / "killed"
    killed.mkdir()
    codes = list[int]()
    while not codes or codes[-1]:
        assert len(codes) < 12
        command = [sys.executable, "-m", "tests.releasing.test_applying", str(wanted.release.flow_folder), str(killed)]
        codes.append(subprocess.run(command, check=False, cwd=Path(__file__).parents[2]).returncode)
    assert codes == [-signal.SIGKILL] * 5 + [0]
    assert json.loads((killed / "workspace.json").read_text()) == json.loads((whole / "workspace.json").read_text())
    assert [each for each in actions(killed) if each == "route"] in ([], ["route"])


def test_other_words_than_those_that_were_evaluated_are_noticed(tmp_path: Path, wanted: Wanted) -> None:
    workspace = FolderWorkspace(tmp_path / "workspace.json")
    other = write_release(tmp_path).flow_folder
    (other / "insight_system.jinja2").write_text("Something else.")

    def swap(call: str) -> None:
        if call == "deploy":
            workspace._change("swap", words=str(other))

    workspace.after = swap
    with pytest.raises(ReleaseFailedError, match=r"works with the words .* were evaluated"):
        apply(workspace, wanted, ledger(tmp_path))
    assert "route" not in workspace.calls


def test_other_code_than_that_which_was_evaluated_is_noticed(tmp_path: Path, wanted: Wanted) -> None:
    workspace = FolderWorkspace(tmp_path / "workspace.json")
    workspace.code = "0" * 64
    with pytest.raises(ReleaseFailedError, match=r"runs the code 0{12}, and .* was evaluated"):
        apply(workspace, wanted, ledger(tmp_path))
    assert "route" not in workspace.calls
    workspace.code = None  # somebody in between does not pass it on
    assert [step.action for step in apply(workspace, wanted, ledger(tmp_path)).steps] == ["check", "route"]


@pytest.mark.parametrize(("status", "says"), [(500, "answers 500, 5 times.*get-logs"), (200, "is it the right image")])
def test_a_deployment_that_does_not_answer_gets_no_traffic(
    tmp_path: Path, wanted: Wanted, status: int, says: str
) -> None:
    class Broken(FolderWorkspace):
        def call(self, endpoint: str, slot: str, body: object) -> Called:
            return Called(status, "broken")

    workspace, pauses = Broken(tmp_path / "workspace.json"), list[float]()
    with pytest.raises(ReleaseFailedError, match=says):
        apply(workspace, wanted, ledger(tmp_path), sleep=pauses.append)
    assert "route" not in workspace.calls
    assert len(pauses) == (4 if status == 500 else 0)


def test_a_ledger_is_whole_or_refused(tmp_path: Path) -> None:
    for number in range(3):
        ledger(tmp_path).add("r", "did", {"number": number})
    file = tmp_path / "ledger.jsonl"
    content = file.read_text()
    assert [entry.details["number"] for entry in ledger(tmp_path).entries()] == [0, 1, 2]
    lines = content.splitlines(keepends=True)
    for changed in (
        content.replace('"number":1', '"number":7'),
        lines[0] + lines[2],
        lines[1] + lines[2],
        lines[0] + lines[1] + lines[1],
        content.replace("anna", "otto", 1),
        "nonsense\n" + content,
    ):
        file.write_text(changed)
        with pytest.raises(ReleaseFailedError, match="was changed: line"):
            ledger(tmp_path).add("r", "did")


def test_what_was_half_written_when_it_was_killed_is_no_entry(tmp_path: Path) -> None:
    ledger(tmp_path).add("r", "one")
    with (tmp_path / "ledger.jsonl").open("a") as file:
        file.write('{"seq": 2, "at"')
    assert actions(tmp_path) == ["one"]
    ledger(tmp_path).add("r", "two")
    assert actions(tmp_path) == ["one", "two"]


def test_a_trail_hears_of_every_entry(tmp_path: Path) -> None:
    heard = list[str]()
    Ledger(tmp_path / "l", "anna", lambda: NOW, lambda entry: heard.append(entry.action)).add("r", "did")
    assert heard == ["did"]


def die_after_the_next_step(folder: Path, killed: Path) -> None:
    """Apply the release of a folder, and be killed after one call."""
    identified = identify(read_release(folder))
    trusted = Trusted((key().key.public_key(),))
    evidence = verify((killed.parent / "evidence").read_bytes(), identified, RULES, trusted, NOW)
    workspace = FolderWorkspace(killed / "workspace.json", lambda call: os.kill(os.getpid(), signal.SIGKILL))
    apply(workspace, Wanted(identified, evidence), ledger(killed))


if __name__ == "__main__":
    die_after_the_next_step(Path(sys.argv[1]), Path(sys.argv[2]))
