"""The audit trail says who does the work, in versions, and when that changes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dragoman.domain.messages import SessionWishes
from dragoman.resources import digest_of, resolve_model
from dragoman.settings import Settings
from dragoman.store.audit import AuditTrail
from dragoman.store.database import open_database
from dragoman.versions import Versions, note_change, read_versions

CLOUD = "https://west.cognitiveservices.azure.com"


@pytest.fixture
def trail(tmp_path: Path) -> Iterator[AuditTrail]:
    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    yield AuditTrail(engine)
    engine.dispose()


def test_what_ships_is_named_by_its_content() -> None:
    found = read_versions(Settings(), "1.2.3").all
    assert found["dragoman"] == "1.2.3"
    assert found["speech"] == f"whisper micro@{digest_of(Path(resolve_model('micro')))}"
    assert found["translation"].startswith("ctranslate translate-micro@")
    assert found["chat"] == "extractive"
    assert len({found[f"prompt_{step}"] for step in ("insight", "answer", "polish")}) == 3


def test_what_is_in_the_cloud_is_named_by_sdk_api_and_deployment() -> None:
    openai = {"chat_endpoint": "https://a.openai.azure.com", "chat_model": "gpt-4o-mini"}
    found = read_versions(Settings.model_validate({"azure_endpoints": CLOUD, "model": "small", **openai}), "1").all
    assert found["speech"].startswith("azure-cognitiveservices-speech 1.")
    assert found["speech"].endswith("whisper small")
    assert found["chat"].startswith("gpt-4o-mini, Azure OpenAI 20")
    elsewhere = Settings(insight_endpoint="https://a.example.org/score")
    assert read_versions(elsewhere, "1").all["prompt_insight"] == "at https://a.example.org/score"
    ours = Settings(chat_endpoint="http://127.0.0.1:11434/v1", chat_model="llama")
    assert read_versions(ours, "1").all["chat"] == "llama"


def test_another_model_in_the_same_folder_is_another_version(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"one")
    settings = Settings(model=str(tmp_path))
    one = read_versions(settings, "1").all["speech"]
    (tmp_path / "model.bin").write_bytes(b"two")
    assert read_versions(settings, "1").all["speech"] != one


@pytest.mark.parametrize(
    ("wishes", "named"),
    [
        (SessionWishes(), {"speech"}),
        (SessionWishes(translate=("en",)), {"speech", "translation"}),
        (SessionWishes(insight="en"), {"speech", "translation", "chat", "prompt_insight"}),
        (SessionWishes(polish=True), {"speech", "chat", "prompt_polish"}),
    ],
)
def test_an_entry_names_what_its_session_needs(wishes: SessionWishes, named: set[str]) -> None:
    assert set(read_versions(Settings(), "1").of_session(wishes)) == named


def test_a_change_between_two_starts_is_an_entry_and_no_change_is_none(trail: AuditTrail) -> None:
    before = {"speech": "whisper micro@1", "prompt_insight": "a"}
    for versions in (before, before, {**before, "prompt_insight": "b"}, before):
        note_change(trail, Versions(versions))
    assert [(each.action, each.details) for each in trail.entries()] == [
        ("versions.change", f'{{"changed": "{changed}", "prompt_insight": "{prompt}", "speech": "whisper micro@1"}}')
        for changed, prompt in (("speech, prompt_insight", "a"), ("prompt_insight", "b"), ("prompt_insight", "a"))
    ]
