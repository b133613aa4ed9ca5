"""The trained model as the engine room loads it: a CTranslate2 folder with ``translation.json``."""

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import ctranslate2
from ctranslate2.specs.model_spec import index_spec
from tokenizers import Tokenizer

from training.translate.tokenizer import END, START, language_token, vocabulary
from training.translate.transformer import EMBEDDINGS, Shape, Weights

QUANTIZATION: Final = "int8_float16"


def write_folder(
    folder: Path,
    weights: Weights,
    shape: Shape,
    tokenizer: Tokenizer,
    languages: Sequence[str],
    quantization: str | None = QUANTIZATION,
) -> None:
    """Write a folder that ``dragoman.engines.ctranslate.folder.describe`` accepts, in place of what it held."""
    with TemporaryDirectory() as place:
        files = Path(place)
        tokenizer.save(str(files / "tokenizer.json"), pretty=False)
        (files / "translation.json").write_text(json.dumps(_translation(languages)) + "\n", encoding="utf-8")
        converter = _Converter(weights, shape, vocabulary(tokenizer), sorted(files.iterdir()))
        converter.convert(str(folder), quantization=quantization, force=True)


def _translation(languages: Sequence[str]) -> dict[str, object]:
    return {
        "kind": "dragoman-translation",
        "version": 1,
        "languages": list(languages),
        "tokenizer": "tokenizer.json",
        "source_prefix": [language_token("{source}")],
        "target_prefix": [language_token("{target}")],
    }


class _Converter(ctranslate2.converters.Converter):
    """Hands over weights that have CTranslate2's names already."""

    def __init__(self, weights: Weights, shape: Shape, pieces: Sequence[str], files: Sequence[Path]) -> None:
        self._weights = weights
        self._shape = shape
        self._pieces = pieces
        self._files = files

    def _load(self) -> ctranslate2.specs.TransformerSpec:
        shape = self._shape
        spec = ctranslate2.specs.TransformerSpec.from_config((shape.encoder_layers, shape.decoder_layers), shape.heads)
        for name, weight in self._weights.items():
            layer, attribute = name.rsplit("/", 1)
            setattr(index_spec(spec, layer), attribute, weight.detach().float().numpy())
        embeddings = self._weights[EMBEDDINGS].detach().float().numpy()
        spec.decoder.embeddings.weight = embeddings
        spec.decoder.projection.weight = embeddings
        spec.register_source_vocabulary(list(self._pieces))
        spec.register_target_vocabulary(list(self._pieces))
        spec.config.decoder_start_token = self._pieces[START]
        spec.config.eos_token = self._pieces[END]
        for path in self._files:
            spec.register_file(str(path))
        return spec
