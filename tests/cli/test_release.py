"""The commands of a release, as far as they go without a workspace."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dragoman.cli.main import group
from dragoman.domain.errors import EvidenceRefusedError, ReleaseInvalidError, SettingsError
from dragoman.evaluation.gate import baseline_of
from dragoman.evaluation.verdicts import write_baseline
from dragoman.releasing.subjects import identify
from tests.releasing.made import report_of, write_release

RULES = """
stage = "insight"
[[rules]]
metric = "failed"
limit = 0.0
[[rules]]
metric = "groundedness"
limit = 0.85
regression = { absolute = 0.03 }
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a release, its report, rules and a baseline; and keys, in the environment."""
    identified = identify(write_release(tmp_path / "candidate"))
    report = report_of(identified).model_copy(update={"created": datetime.now(UTC).replace(microsecond=0)})
    (tmp_path / "report.json").write_text(report.model_dump_json())
    (tmp_path / "rules.toml").write_text(RULES)
    write_baseline(baseline_of(report), tmp_path / "baseline.json")
    assert run("release", "keygen", tmp_path / "keys").exit_code == 0
    monkeypatch.setenv("DRAGOMAN_RELEASE_KEY", str(tmp_path / "keys" / "release.key"))
    monkeypatch.setenv("DRAGOMAN_RELEASE_TRUSTED", str(tmp_path / "keys" / "release.pub"))
    return tmp_path


def run(*words: object) -> Result:
    result = CliRunner().invoke(group, [str(each) for each in words])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def signed(place: Path) -> Result:
    rules = ("--rules", place / "rules.toml", "--baseline", place / "baseline.json")
    return run("gate", place / "report.json", *rules, "--sign", place / "candidate" / "insight")


def verified(place: Path, *more: object) -> Result:
    proof, release = place / "evidence.dsse.json", place / "candidate" / "insight"
    return run("release", "evidence", proof, release, "--rules", place / "rules.toml", *more)


def test_what_the_gate_signs_is_believed(place: Path) -> None:
    assert signed(place).exit_code == 0
    shown = verified(place)
    assert "insight on insight@d88b039b8920: passed, 3 checks hold" in shown.stdout
    assert "flow/insight" in shown.stdout
    statement = json.loads(verified(place, "-f", "json").stdout)
    assert statement["_type"] == "https://in-toto.io/Statement/v1"


def test_what_the_gate_stops_is_not_signed(place: Path) -> None:
    report = report_of(identify(write_release(place / "candidate")), groundedness=0.5)
    (place / "report.json").write_text(report.model_dump_json())
    result = signed(place)
    assert (result.exit_code, (place / "evidence.dsse.json").exists()) == (1, False)
    assert "STOPPED" in result.stdout


def test_what_was_changed_since_is_not_believed(place: Path) -> None:
    signed(place)
    with (place / "candidate" / "insight" / "insight_system.jinja2").open("a") as words:
        words.write("Be brief.\n")
    with pytest.raises(EvidenceRefusedError, match="'flow/insight' is not what was evaluated"):
        verified(place)


def test_signing_needs_a_key(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DRAGOMAN_RELEASE_KEY")
    with pytest.raises(ReleaseInvalidError, match="DRAGOMAN_RELEASE_KEY"):
        signed(place)


@pytest.mark.parametrize("command", ["plan", "apply", "promote", "rollback", "status"])
def test_a_workspace_must_be_set(place: Path, command: str) -> None:
    with pytest.raises(SettingsError, match="DRAGOMAN_AZUREML_WORKSPACE"):
        run("release", command, place / "candidate" / "insight")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('flow = "dance"', "flow"),
        ("settings = { chat_key = 'k' }", "'chat_key' is a secret"),
        ("settings = { beams = 5 }", "no setting 'beams'"),
        ("settings = { chat_model = 'm' }", "go together"),
        ("settings = { database_url = 'postgresql://u:p@h/d' }", "means nothing to a flow"),
        ("settings = { flow_shots = 1 }", "is not for settings to say"),
        ("[environment]\nimage = 'registry.example/dragoman:latest'", "image"),
        ("[environment]\ncontext = '.'", "context and its lock"),
        ("[rollout]\nstages = [10, 50]", "the last is 100"),
        ("= 1", "cannot be read"),
    ],
)
def test_a_wrong_release_is_named(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "release.toml"
    head = "" if text.startswith("flow") else 'flow = "insight"\n'
    environment = "" if "[environment]" in text else '\n[environment]\nimage = "e.example/d@sha256:' + "0" * 64 + '"\n'
    file.write_text(f'{head}endpoint = "dragoman-insight"\n{text}\n{environment}')
    with pytest.raises((ReleaseInvalidError, SettingsError), match=says):
        run("evaluate", "--release", file)


def test_a_release_may_be_an_image(tmp_path: Path) -> None:
    release = write_release(tmp_path)
    image = release.environment.model_copy(update={"image": "e.example/d@sha256:" + "1" * 64, "context": None})
    image = image.model_copy(update={"lock": None})
    identified = identify(release.model_copy(update={"environment": image}))
    assert identified.subjects["image/e.example/d"] == "1" * 64
    assert replace(identified).version != identify(release).version
