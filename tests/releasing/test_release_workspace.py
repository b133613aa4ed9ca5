"""Azure ML's own client on the emulator, with deployments that are really called: there, up, back, and up again."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import FastAPI
from pydantic import JsonValue, SecretStr

from dragoman.cli.lifecycle.traffic import Traffic
from dragoman.domain.errors import EvidenceRefusedError, SettingsError, WorkspaceFailedError
from dragoman.emulator.admission import KEY
from dragoman.emulator.chat import add_chat
from dragoman.emulator.doors import add_errors
from dragoman.emulator.faults import Fault, Faults
from dragoman.emulator.run import running
from dragoman.evaluation.gate import baseline_of
from dragoman.releasing.access import access_of
from dragoman.releasing.applying import apply
from dragoman.releasing.desk import Desk
from dragoman.releasing.evidence import Judged, sign
from dragoman.releasing.keys import make_pair, read_signer
from dragoman.releasing.plan import plan
from dragoman.releasing.promoting import ROLLED_BACK, STAGE
from dragoman.releasing.spec import read_release
from dragoman.releasing.subjects import identify
from dragoman.resources import code_digest, flows_folder
from dragoman.settings import Settings
from tests.emulator.azureml.emulating import AzureMl, emulating_azureml
from tests.releasing.made import RULES, report_of, write_release

pytestmark = pytest.mark.slow

QUICK = """
[instances]
count = 1
[rollout]
stages = [50, 100]
errors = { limit = 0.25, more_than_live = 0.2 }
slow = { limit = 0.4, more_than_live = 0.4, limit_ms = 20_000, times_live = 20, least_ms = 500 }
poor = { limit = 0.4, more_than_live = 0.3, judged = 20 }
min_requests = 20
min_answers = 10
least_s = 1
longest_s = 90
poll_s = 0.3
grain_s = 1
"""
KNOWN = ("api-version at $", "dataCollectionMode: 'enabled'", "Retry-After")
"""As in tests/emulator/azureml."""


@dataclass
class Place:
    """A workspace, keys, and a folder for candidates."""

    azureml: AzureMl
    folder: Path
    settings: Settings

    def released(self, name: str, more: str = "") -> tuple[Desk, bytes]:
        """Return the desk of a release that passed, and its evidence."""
        release = write_release(self.folder / name, more=f"{more}\n{QUICK}")
        identified = identify(release)
        report = report_of(identified).model_copy(update={"created": datetime.now(UTC).replace(microsecond=0)})
        judged = Judged(report, report.model_dump_json().encode(), RULES, baseline_of(report))
        signer = read_signer(self.settings.release_key)
        _, envelope = sign(judged, identified, signer, datetime.now(UTC), "anna")
        return Desk(self.settings, release, RULES), envelope.model_dump_json().encode()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("place")
    private, public = make_pair(folder / "keys")
    with emulating_azureml(folder / "azure") as azureml:
        settings = Settings(
            data=folder / "data",
            azureml_workspace="sub/group/releases",
            azureml_endpoint=f"https://{azureml.address}",
            azureml_token=SecretStr("token"),
            release_key=private,
            release_trusted=(public,),
        )
        yield Place(azureml, folder, settings)
        assert azureml.violations == []
        assert [each for each in azureml.warnings if not any(known in each for known in KNOWN)] == []


@contextmanager
def chat_door() -> Iterator[tuple[str, Faults]]:
    """A chat model behind HTTP, that can be told to fail."""
    app = FastAPI()
    app.state.faults = faults = Faults()
    app.state.keys = frozenset({KEY})
    add_chat(app)
    add_errors(app)
    with running(app) as address:
        yield f"http://{address}/openai/v1", faults


def traffic_of(place: Place) -> Traffic:
    cases = [json.loads(line) for line in (flows_folder() / "insight" / "data.jsonl").read_text().splitlines()]
    asked = [{name: case[name] for name in ("conversation", "language")} for case in cases if "language" in case]
    url = f"https://{place.azureml.address}/endpoints/dragoman-insight/score"
    return Traffic(url, "token", place.azureml.authority, asked, 3)


@contextmanager
def failing_once_live(desk: Desk, faults: Faults) -> Iterator[None]:
    """Let the chat model refuse when the new deployment gets live traffic."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.05):
            if any(each.action == STAGE and each.details["stage"] == "50 %" for each in desk.ledger.entries()):
                faults.add(Fault(door="chat", status=429, times=0))
                return

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        faults.clear()


def test_there_up_back_and_up_again(place: Place) -> None:
    first, proof = place.released("first")
    with first:
        made = apply(first.workspace, first.wanted(proof), first.ledger)
        assert [step.action for step in made.steps][-3:] == ["deploy", "check", "route"]
        assert apply(first.workspace, first.wanted(proof), first.ledger).is_done
        asked: JsonValue = {"conversation": {"lines": []}, "language": "en"}
        assert first.workspace.call("dragoman-insight", "blue", asked).code == code_digest()
    traffic = traffic_of(place)
    with chat_door() as (endpoint, faults), traffic.running():
        hosted = f"settings = {{ chat_endpoint = '{endpoint}', chat_model = 'm' }}"
        desk, proof = place.released("hosted", hosted)
        with desk:
            wanted = desk.wanted(proof)
            apply(desk.workspace, wanted, desk.ledger)
            assert desk.workspace.look("dragoman-insight").traffic == {"blue": 100}
            with failing_once_live(desk, faults):
                promotion = desk.promoter().promote(wanted)
            assert promotion.outcome == "rolled back"
            assert [each.decision for each in promotion.judgements] == ["go on", "roll back"]
            assert desk.workspace.look("dragoman-insight").traffic == {"blue": 100}
            assert desk.ledger.entries()[-1].action == ROLLED_BACK
            assert traffic.lap().failures

            promotion = desk.promoter().promote(wanted, again=True)
            assert promotion.outcome == "released", promotion.judgements[-1].reason
            assert all(check.n >= 10 for each in promotion.judgements for check in each.checks)
            assert desk.workspace.look("dragoman-insight").traffic == {"green": 100}
            assert desk.way_back() == ("blue", wanted.identified.version)


def test_evidence_of_something_else_changes_nothing(place: Place) -> None:
    desk, _ = place.released("one")
    other, proof = place.released("other", "shots = 3")
    with desk, other:
        before = desk.workspace.look("dragoman-insight")
        with pytest.raises(EvidenceRefusedError):
            desk.wanted(proof)
        assert desk.workspace.look("dragoman-insight") == before


def test_what_the_workspace_refuses_is_said_in_a_line(place: Place) -> None:
    desk, proof = place.released("refused", "shots = 4")
    place.azureml.faults.add(Fault(door="management", status=403, code="AuthorizationFailed"))
    with desk, pytest.raises(WorkspaceFailedError, match=r"it answers 403: .*AuthorizationFailed"):
        plan(desk.workspace.look("dragoman-insight"), desk.wanted(proof))
    place.azureml.faults.clear()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"azureml_workspace": None}, "DRAGOMAN_AZUREML_WORKSPACE"),
        ({"azureml_endpoint": "http://127.0.0.1:1"}, "has no TLS"),
        ({"azureml_endpoint": None, "azureml_token": "token"}, "is for emulators"),
    ],
)
def test_a_workspace_that_is_set_wrongly_is_named(wrong: dict[str, object], says: str) -> None:
    right: dict[str, object] = {"azureml_workspace": "sub/group/name", "azureml_endpoint": "https://127.0.0.1:1"}
    with pytest.raises(SettingsError, match=says):
        access_of(Settings.model_validate({**right, **wrong}))


def test_every_release_that_ships_can_be_read_and_identified() -> None:
    files = sorted(flows_folder().glob("*/release.toml"))
    assert [file.parent.name for file in files] == ["answer", "insight"]
    for file in files:
        identified = identify(read_release(file))
        assert {name.partition("/")[0] for name in identified.subjects} == {
            *("flow", "package", "candidate", "lock", "dockerfile")
        }
