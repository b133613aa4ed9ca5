"""After the deployment: what is released, and what is said when it is not."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from arm import Json
from dragoman.cli.main import group
from dragoman.releasing.spec import read_release
from postdeploy import Place, SetUpError, find, release, release_of
from tests.infra.arm_double import ArmDouble, asking

ROOT = Path(__file__).parents[2]
PARAMETERS = (ROOT / "infra" / "main.bicepparam").read_text()
ENVIRONMENT = {
    "AZURE_SUBSCRIPTION_ID": "s-1",
    "AZURE_RESOURCE_GROUP": "rg-dev",
    "AZUREML_ENDPOINT_NAME": "dragoman-abc",
    "DRAGOMAN_AZURE_ENDPOINTS": "https://ai-abc.cognitiveservices.azure.com/",
}
IDENTITIES: Json = {
    "value": [
        {"name": "id-service-abc", "properties": {"clientId": "c-service"}},
        {"name": "id-flow-abc", "properties": {"clientId": "c-flow"}},
    ]
}
IMAGE = "r.azurecr.io/dragoman-insight@sha256:" + "a" * 64


class Commands:
    """What was run; ``fails`` ends with exit code 1."""

    def __init__(self, fails: str = "") -> None:
        self.run: list[str] = []
        self._fails = fails

    def __call__(self, *arguments: str) -> int:
        self.run.append(arguments[0])
        return int(arguments[0] == self._fails)


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    return tmp_path / "evaluation" / "evidence.dsse.json"


def _place() -> Place:
    double = ArmDouble({"/userAssignedIdentities": IDENTITIES, "/registries": {"value": [{"id": "/r"}]}})
    with asking(double) as (arm, _):
        return find(arm, ENVIRONMENT, PARAMETERS)


def test_the_release_of_an_environment_is_the_one_that_ships_but_for_where_it_goes(tmp_path: Path) -> None:
    shipped = ROOT / "flows" / "insight"
    text = release_of((shipped / "release.toml").read_text(), _place(), IMAGE, str(shipped))
    (tmp_path / "release.toml").write_text(text)
    ours, theirs = read_release(tmp_path), read_release(shipped)
    assert ours.endpoint == "dragoman-abc"
    assert ours.environment.image == IMAGE
    assert (ours.instances, ours.rollout, ours.shots) == (theirs.instances, theirs.rollout, theirs.shots)
    assert ours.flow_folder.resolve() == shipped
    settings = ours.deployed_settings
    assert (settings.azure_client_id, settings.chat_model) == ("c-flow", "gpt-5-mini")
    assert settings.chat_endpoint == ENVIRONMENT["DRAGOMAN_AZURE_ENDPOINTS"]


def test_what_was_not_provisioned_is_named() -> None:
    double = ArmDouble({"/userAssignedIdentities": {"value": []}, "/registries": {"value": []}})
    with asking(double) as (arm, _), pytest.raises(SetUpError, match=r"identity of the step.*azd provision"):
        find(arm, ENVIRONMENT, PARAMETERS)


def test_without_evidence_nothing_is_released_and_that_is_said(
    tmp_path: Path, evidence: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commands = Commands()
    assert release(tmp_path, evidence, {}, commands) == 0
    assert commands.run == []
    said = capsys.readouterr().err
    assert "there is no evidence" in said
    assert "DRAGOMAN_RELEASE_KEY" in said


def test_with_a_key_it_is_judged_signed_and_released(tmp_path: Path, evidence: Path) -> None:
    commands = Commands()
    assert release(tmp_path, evidence, {"DRAGOMAN_RELEASE_KEY": "keys/release.pem"}, commands) == 0
    assert commands.run == ["evaluate", "gate", "release"]


def test_evidence_that_was_signed_elsewhere_will_do(tmp_path: Path, evidence: Path) -> None:
    evidence.parent.mkdir()
    evidence.write_text("{}")
    commands = Commands()
    assert release(tmp_path, evidence, {}, commands) == 0
    assert commands.run == ["release"]


@pytest.mark.parametrize(("fails", "run"), [("evaluate", ["evaluate"]), ("gate", ["evaluate", "gate"])])
def test_what_does_not_pass_is_not_released(
    tmp_path: Path, evidence: Path, fails: str, run: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    commands = Commands(fails)
    assert release(tmp_path, evidence, {"DRAGOMAN_RELEASE_KEY": "keys/release.pem"}, commands) == 1
    assert commands.run == run
    assert "nothing was released" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["evaluate", "--release", ".", "--stage", "insight"],
        ["gate", ".", "--sign", "."],
        ["release", "apply", ".", "--evidence", "x", "--yes"],
    ],
)
def test_what_the_hook_calls_is_there(words: list[str]) -> None:
    done = CliRunner().invoke(group, [*words, "--help"])  # what is not known is refused before help is given
    assert done.exit_code == 0, done.output
