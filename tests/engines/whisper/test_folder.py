import json
import shutil
from pathlib import Path

import pytest

from dragoman.domain.errors import ModelInvalidError, ModelMissingError
from dragoman.engines.whisper.folder import WhisperOptions, find_model
from dragoman.engines.whisper.model import DecodeJob, RightSizedWhisper
from dragoman.resources import resolve_model
from tests.calls import call


def test_the_bundled_model_is_found() -> None:
    assert find_model(resolve_model("micro")).name == "whisper-micro"


@pytest.mark.parametrize("name", ["./no-such-model", "/no/such/model", "~/no-such-model", "a/b/c", "models/"])
def test_a_path_that_is_not_there_is_named_and_no_hub_is_asked(name: str) -> None:
    with pytest.raises(ModelMissingError, match="There is no model folder at"):
        find_model(name)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ModelMissingError, match=r"neither a folder nor a known model.*large-v3.*tiny"):
        find_model("gigantic")


def test_a_model_that_cannot_be_fetched_names_file_and_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # The hub's own switches: an empty cache, and no network.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(
        ModelMissingError, match=r"no model.bin .*hf download Systran/faster-whisper-small --local-dir small"
    ):
        find_model("small")


@pytest.mark.parametrize("missing", ["model.bin", "config.json", "tokenizer.json"])
def test_a_folder_that_lacks_a_file_says_which(tmp_path: Path, missing: str) -> None:
    folder = shutil.copytree(resolve_model("micro"), tmp_path / "model")
    (folder / missing).unlink()
    with pytest.raises(ModelInvalidError, match=missing):
        find_model(str(folder))


def test_damaged_weights_are_an_error_and_not_a_crash(tmp_path: Path) -> None:
    folder = shutil.copytree(resolve_model("micro"), tmp_path / "model")
    (folder / "model.bin").write_bytes(b"not a model")
    with pytest.raises(ModelInvalidError, match="cannot be loaded"):
        RightSizedWhisper(WhisperOptions(str(folder)))


def test_a_damaged_tokenizer_is_an_error_and_not_a_crash(tmp_path: Path) -> None:
    folder = shutil.copytree(resolve_model("micro"), tmp_path / "model")
    (folder / "tokenizer.json").write_text("{")
    with pytest.raises(ModelInvalidError, match="cannot be loaded"):
        RightSizedWhisper(WhisperOptions(str(folder)))


def test_mel_bands_that_do_not_fit_are_found_at_load(tmp_path: Path) -> None:
    folder = shutil.copytree(resolve_model("micro"), tmp_path / "model")
    (folder / "preprocessor_config.json").write_text('{"feature_size": 128}')
    with pytest.raises(ModelInvalidError, match=r"80 mel bands.*says 128"):
        RightSizedWhisper(WhisperOptions(str(folder)))


def test_an_interrupted_download_is_taken_up_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    snapshot = tmp_path / "models--Systran--faster-whisper-small" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs" / "main").write_text("abc")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelMissingError, match=r"no model.bin.*hf download"):
        find_model("small")


@pytest.mark.parametrize(
    ("name", "can"), [("whisper-small", True), ("whisper-turbo", False), ("distil-large-v3", False)]
)
def test_only_models_that_were_trained_to_translate_do(tmp_path: Path, name: str, can: bool) -> None:
    folder = shutil.copytree(resolve_model("micro"), tmp_path / name)
    assert RightSizedWhisper(WhisperOptions(str(folder))).can_translate == can


def test_an_english_only_model_is_used_without_language_tokens(tmp_path: Path) -> None:
    # CTranslate2 calls a model multilingual if its vocabulary holds the empty token.
    folder = shutil.copytree(resolve_model("micro"), tmp_path / "whisper-micro.en")
    vocabulary = json.loads((folder / "vocabulary.json").read_text())
    (folder / "vocabulary.json").write_text(json.dumps(["<unused>" if token == "" else token for token in vocabulary]))
    model = RightSizedWhisper(WhisperOptions(str(folder)))
    assert model.languages == {"en"}
    assert not model.can_translate
    sentence = call("en").sentences[0]
    job = DecodeJob(model.encode(call("en").samples(sentence.start_ms - 200, sentence.end_ms + 200)), "en")
    (decoded,) = model.generate([job])
    assert len(model.align(job, decoded)) == len(decoded.text.split())
