import os
from pathlib import Path

import pytest

from dragoman.domain.errors import SettingsError
from dragoman.settings import read_settings, settings_elsewhere


def test_the_defaults_work_offline() -> None:
    settings = read_settings()
    assert (settings.model, settings.device, settings.translation_models) == ("micro", "cpu", None)


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGOMAN_MODEL", "small")
    monkeypatch.setenv("DRAGOMAN_TRANSLATION_MODELS", os.pathsep.join(["a", "b"]))
    settings = read_settings()
    assert (settings.model, settings.translation_models) == ("small", (Path("a"), Path("b")))


def test_what_is_asked_for_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGOMAN_MODEL", "small")
    assert read_settings(model="tiny", threads=None).model == "tiny"


def test_a_bad_value_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGOMAN_THREADS", "many")
    with pytest.raises(SettingsError, match="DRAGOMAN_THREADS"):
        read_settings()


def test_lists_are_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGOMAN_AZURE_ENDPOINTS", "https://a.cognitiveservices.azure.com/, https://b.example")
    monkeypatch.setenv("DRAGOMAN_DO_NOT_TRANSLATE", "Contoso,")
    monkeypatch.setenv("DRAGOMAN_AZURE_KEY", "hush-hush")
    settings = read_settings()
    assert settings.azure_endpoints == ("https://a.cognitiveservices.azure.com", "https://b.example")
    assert settings.do_not_translate == ("Contoso",)
    assert "hush-hush" not in repr(settings)


def test_settings_of_elsewhere_know_nothing_of_this_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGOMAN_MODEL", "small")
    settings = settings_elsewhere({"chat_temperature": "0.5"})
    assert (settings.model, settings.chat_temperature) == ("micro", 0.5)
    with pytest.raises(SettingsError, match="beams"):
        settings_elsewhere({"beams": 5})


def test_azure_ml_says_where_the_words_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZUREML_MODEL_DIR", "/models/1")
    assert read_settings().flow_folder == Path("/models/1")
    monkeypatch.setenv("DRAGOMAN_FLOW_FOLDER", "words")
    assert read_settings().flow_folder == Path("words")
