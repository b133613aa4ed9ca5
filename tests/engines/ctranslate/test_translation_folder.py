import json
import shutil
from pathlib import Path

import pytest

from dragoman.domain.errors import DependencyMissingError, ModelInvalidError, ModelMissingError
from dragoman.engines.ctranslate.folder import check_tokenizer, describe
from dragoman.engines.ctranslate.model import Prompt, SentencePieceFiles, Style, TokenizerFile
from tests.engines.ctranslate import tiny_models
from tests.engines.ctranslate.tiny_models import M2M100_TOKENS, NLLB_TOKENS, TinySpec


def skeleton(folder: Path, vocabulary: list[str], *files: str, config: str = "{}") -> Path:
    """Write what is read of a folder to describe it, and no weights."""
    folder.mkdir(parents=True)
    (folder / "shared_vocabulary.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    (folder / "config.json").write_text(config, encoding="utf-8")
    for name in ("model.bin", *files):
        (folder / name).touch()
    return folder


def opus(folder: Path, *language_tokens: str, config: str = "{}") -> Path:
    return skeleton(folder, ["</s>", *language_tokens, "▁a"], "source.spm", "target.spm", config=config)


def test_a_pair_of_opus_mt(tmp_path: Path) -> None:
    folder = tiny_models.opus(tmp_path / "opus-mt-es-en", TinySpec(("es",), ("en",)))
    model = describe(folder)
    assert (model.style, model.weights) == (Style.OPUS_MT, folder)
    assert (list(model.sources), list(model.targets)) == (["es"], ["en"])
    assert model.tokenizer == SentencePieceFiles(folder / "source.spm", folder / "target.spm")
    assert model.prompt("es", "en") == Prompt(after=("</s>",))


@pytest.mark.parametrize(
    ("name", "tokens", "sources", "targets"),
    [
        ("opus-mt-tc-big-de-en", [], ["de"], ["en"]),
        ("opus-mt-tc-bible-big-deu-fra", [], ["de"], ["fr"]),
        ("Helsinki-NLP--opus-mt-fr-de-int8", [], ["fr"], ["de"]),
        ("es-en", [], ["es"], ["en"]),
        ("opus-mt-cat_oci_spa-en", [], ["ca", "oc", "es"], ["en"]),
        ("opus-mt-zle-en", [], ["ru", "uk", "be"], ["en"]),
        ("opus-mt-en-ROMANCE", [">>fr<<", ">>pt_br<<", ">>es<<"], ["en"], ["fr", "pt-BR", "es"]),
        ("opus-mt-en-mul", [">>fra<<", ">>zzzz<<"], ["en"], ["fr"]),
        ("opus-mt-en-zh", [">>cmn_Hans<<", ">>cmn_Hant<<", ">>yue<<"], ["en"], ["zh-Hans", "zh-Hant"]),
        ("opus-mt-tc-big-en-cat_spa", [">>cat<<", ">>spa<<"], ["en"], ["ca", "es"]),
    ],
)
def test_opus_mt_folders_name_their_languages(
    tmp_path: Path, name: str, tokens: list[str], sources: list[str], targets: list[str]
) -> None:
    model = describe(opus(tmp_path / name, *tokens))
    assert (list(model.sources), list(model.targets)) == (sources, targets)


def test_several_targets_of_opus_mt_are_chosen_by_a_token(tmp_path: Path) -> None:
    model = describe(opus(tmp_path / "opus-mt-en-ROMANCE", ">>fra<<", ">>spa<<"))
    assert model.prompt("en", "fr") == Prompt(before=(">>fra<<",), after=("</s>",))


@pytest.mark.parametrize(
    ("config", "after"),
    [
        ("{}", ("</s>",)),
        ('{"add_source_eos": false, "eos_token": "<eos>"}', ("<eos>",)),
        ('{"add_source_eos": true}', ()),  # CTranslate2 adds it
    ],
)
def test_the_source_ends_exactly_once(tmp_path: Path, config: str, after: tuple[str, ...]) -> None:
    assert describe(opus(tmp_path / "opus-mt-es-en", config=config)).prompt("es", "en").after == after


def test_vocabularies_of_older_converters_are_read(tmp_path: Path) -> None:
    folder = opus(tmp_path / "opus-mt-en-roa")
    (folder / "shared_vocabulary.json").unlink()
    (folder / "source_vocabulary.txt").write_text("</s>\n>>ita<<\n▁a\n", encoding="utf-8")
    assert list(describe(folder).targets) == ["it"]


@pytest.mark.parametrize(
    ("tokens", "style"), [(NLLB_TOKENS, Style.NLLB), (M2M100_TOKENS, Style.M2M100)], ids=["nllb", "m2m100"]
)
def test_multilingual_models(tmp_path: Path, tokens: dict[str, str], style: Style) -> None:
    folder = tiny_models.multilingual(tmp_path / "any-name", tokens, "sentencepiece")
    model = describe(folder)
    assert (model.style, list(model.sources), list(model.targets)) == (style, list(tokens), list(tokens))
    pieces = folder / "sentencepiece.bpe.model"
    assert model.tokenizer == SentencePieceFiles(pieces, pieces)
    assert model.prompt("en", "fr") == Prompt((tokens["en"],), ("</s>",), (tokens["fr"],))


def test_a_tokenizer_file_is_preferred_to_sentencepiece(tmp_path: Path) -> None:
    folder = tiny_models.multilingual(tmp_path / "nllb", NLLB_TOKENS, "tokenizers")
    (folder / "sentencepiece.bpe.model").touch()
    assert describe(folder).tokenizer == TokenizerFile(folder / "tokenizer.json")


@pytest.mark.parametrize(("target_prefix", "target"), [("", ()), ("__en__", ("__en__",))])
def test_an_argos_package(tmp_path: Path, target_prefix: str, target: tuple[str, ...]) -> None:
    folder = tiny_models.argos(tmp_path / "translate-de_en-1_9", "de", "en", target_prefix)
    model = describe(folder)
    assert (model.style, model.weights) == (Style.ARGOS, folder / "model")
    assert (list(model.sources), list(model.targets)) == (["de"], ["en"])
    assert model.prompt("de", "en") == Prompt(target=target)


def test_one_of_ours(tmp_path: Path) -> None:
    folder = tiny_models.ours(tmp_path / "translate-micro")
    model = describe(folder)
    assert (model.style, list(model.sources)) == (Style.DRAGOMAN, ["en", "es", "de", "fr"])
    assert model.tokenizer == TokenizerFile(folder / "tokenizer.json")
    assert model.prompt("de", "fr") == Prompt(before=("<de>", "<fr>"), after=("</s>",))


@pytest.mark.parametrize(
    ("style", "missing"),
    [
        ("opus", "model.bin"),
        ("opus", "shared_vocabulary.json"),
        ("opus", "source.spm"),
        ("opus", "target.spm"),
        ("nllb", "model.bin"),
        ("nllb", "shared_vocabulary.json"),
        ("argos", "model/model.bin"),
        ("argos", "sentencepiece.model"),
        ("ours", "model.bin"),
        ("ours", "tokenizer.json"),
    ],
)
def test_a_missing_file_is_named(tmp_path: Path, style: str, missing: str) -> None:
    match style:
        case "opus":
            folder = tiny_models.opus(tmp_path / "opus-mt-es-en", TinySpec(("es",), ("en",)))
        case "nllb":
            folder = tiny_models.multilingual(tmp_path / "nllb", NLLB_TOKENS, "tokenizers")
        case "argos":
            folder = tiny_models.argos(tmp_path / "argos", "de", "en")
        case _:
            folder = tiny_models.ours(tmp_path / "ours")
    (folder / missing).unlink()
    with pytest.raises(ModelInvalidError, match=Path(missing).name) as caught:
        describe(folder)
    assert all(word in str(caught.value) for word in ("OPUS-MT:", "NLLB", "Argos:", "Dragoman:"))


@pytest.mark.parametrize(
    ("name", "files", "says"),
    [
        ("opus-mt-es-en", {}, "no translation model"),
        ("whisper-tiny", {"model.bin": "", "config.json": "{}"}, "no translation model"),
        ("opus-mt-es-en", {"source.spm": "", "shared_vocabulary.json": "not json"}, "shared_vocabulary.json"),
        ("espanol", {"source.spm": ""}, "does not name its languages"),
        ("opus-mt-mul-en", {"source.spm": ""}, "list them in the folder's name"),
        ("opus-mt-qqqq-en", {"source.spm": ""}, "names no language"),
        ("nllb", {"tokenizer.json": "", "shared_vocabulary.json": '["a"]'}, "eng_Latn"),
        ("argos", {"metadata.json": '{"from_code": "en"}'}, "wrong: to_code"),
        ("ours", {"translation.json": "[]"}, "translation.json"),
        ("ours", {"translation.json": '{"kind": "dragoman-translation", "version": 2}'}, "version"),
    ],
)
def test_a_broken_folder_is_refused(tmp_path: Path, name: str, files: dict[str, str], says: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    for file, text in files.items():
        (folder / file).write_text(text, encoding="utf-8")
    with pytest.raises(ModelInvalidError, match=says):
        describe(folder)


def test_a_folder_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match="no folder"):
        describe(tmp_path / "opus-mt-es-en")


def test_sentencepiece_is_asked_for_when_a_model_needs_it(tmp_path: Path) -> None:
    folder = opus(tmp_path / "opus-mt-es-en")
    with pytest.raises(DependencyMissingError, match=r"pip install 'dragoman\[asr-local\]'"):
        check_tokenizer(describe(folder), installed=lambda _: False)
    shutil.copytree(tiny_models.ours(tmp_path / "ours"), tmp_path / "copy")
    check_tokenizer(describe(tmp_path / "copy"), installed=lambda _: False)
