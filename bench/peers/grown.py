"""The micro model at the size of another: it says the same, and takes as much work as Whisper tiny or small.

So one run measures both what is said and what it costs, without the weights of OpenAI's models. Every feature is there
several times (a layer's norm, then, norms the same), heads are padded with zeros, and layers are added that add
nothing. The vocabulary is filled up to Whisper's with tokens that are never chosen.
"""

import hashlib
import json
import re
import shutil
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from ctranslate2.specs.model_spec import LayerSpec
from ctranslate2.specs.whisper_spec import WhisperSpec
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

_VOCABULARY: Final = 51_865
_HEAD: Final = 64
_NEVER: Final = -1e4
_ORIGIN: Final = "grown-from"
_OUTPUTS: Final = ("self_attention/linear_1", "attention/linear_2", "ffn/linear_1")
"""The last linear of each part of a layer: without it, the part adds nothing."""


@dataclass(frozen=True, slots=True)
class Size:
    """A size of Whisper (Radford et al. 2022, table 1)."""

    name: str
    width: int
    layers: int

    @property
    def heads(self) -> int:
        """Attention heads, of 64 features each."""
        return self.width // _HEAD


TINY, SMALL = Size("tiny", 384, 4), Size("small", 768, 12)


def grow(source: Path, size: Size, folder: Path) -> Path:
    """Write the model in ``source`` at another size, unless the same one is there; return its folder.

    Raises:
        ValueError: if the size is not a multiple of the model's width.
    """
    origin = hashlib.sha256((source / "model.bin").read_bytes()).hexdigest()
    if (folder / _ORIGIN).exists() and (folder / _ORIGIN).read_text() == origin:
        return folder
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    spec = _Growth(_read(source / "model.bin"), size).spec()
    tokens = json.loads((source / "vocabulary.json").read_text())
    spec.register_vocabulary([*tokens, *(f"<|unused{at}|>" for at in range(_VOCABULARY - len(tokens)))])
    for name, value in json.loads((source / "config.json").read_text()).items():
        setattr(spec.config, name, value)
    spec.validate()
    spec.optimize(quantization="int8")
    spec.save(str(partial))
    for name in ("tokenizer.json", "preprocessor_config.json"):
        shutil.copy(source / name, partial)
    (partial / _ORIGIN).write_text(origin)
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
    return folder


class _Growth:
    """The weights of a model, grown."""

    def __init__(self, weights: dict[str, FloatArray], size: Size) -> None:
        self._weights = weights
        self._size = size
        width = weights["encoder/layer_norm/gamma"].size
        self._copies, rest = divmod(size.width, width)
        if rest:
            raise ValueError(f"A width of {size.width} is no multiple of {width}.")
        self._heads = int(weights["encoder/num_heads"])

    def spec(self) -> WhisperSpec:
        """Return them as CTranslate2 writes them."""
        size = self._size
        spec = WhisperSpec(size.layers, size.heads, size.layers, size.heads)
        for name in self._weights:
            if name.endswith(("weight", "bias", "gamma", "beta", "encodings")):
                _put(spec, name, self._grown(name))
            if name.endswith(("weight", "bias", "gamma", "beta")) and "/layer_0/" in name:
                for at in range(size.layers):
                    if (added := name.replace("/layer_0/", f"/layer_{at}/")) not in self._weights:
                        _put(spec, added, self._grown(added))
        unused = _VOCABULARY - len(self._weights["decoder/embeddings/weight"])
        projection = spec.decoder.projection
        projection.bias = np.append(np.zeros(_VOCABULARY - unused), np.full(unused, _NEVER)).astype(np.float32)
        return spec

    def _grown(self, name: str) -> FloatArray:
        here = name
        if name not in self._weights:  # a layer that is added
            here = re.sub(r"layer_\d+", "layer_0", name)
            if any(f"{output}/" in name for output in _OUTPUTS):
                return np.zeros_like(self._of(here))
        return self._of(here)

    def _of(self, name: str) -> FloatArray:
        weight, copies = self._weights[name], self._copies
        if "attention/linear_" in name:
            return self._attention(name, weight)
        if name in ("decoder/embeddings/weight", "decoder/projection/weight"):
            weight = np.tile(weight, (1, copies)) / np.float32(copies if "projection" in name else 1)
            return np.pad(weight, ((0, _VOCABULARY - len(weight)), (0, 0)))
        if name.endswith("encodings"):
            return np.tile(weight, (1, copies))
        if weight.ndim == 1:
            return np.tile(weight, copies)
        if name == "encoder/conv1/weight":
            return np.tile(weight, (copies, 1, 1))  # its input, the mel bands, is not grown
        return np.tile(weight, (copies, copies) + (1,) * (weight.ndim - 2)) / np.float32(copies)

    def _attention(self, name: str, weight: FloatArray) -> FloatArray:
        if f"{name.rpartition('/')[0]}".endswith(_OUTPUTS[:2]):
            if weight.ndim == 1:
                return np.tile(weight, self._copies)
            return np.tile(self._padded_heads(weight.T).T, (self._copies, 1))
        width = self._size.width // self._copies
        if weight.ndim == 2:
            weight = np.tile(weight, (1, self._copies)) / np.float32(self._copies)
        parts = [self._padded_heads(part) for part in np.split(weight, len(weight) // width)]
        if "self_attention" in name or "linear_0" in name:  # queries come first, and scores are scaled by the head
            parts[0] = parts[0] * np.float32(np.sqrt(_HEAD * self._heads / width))
        return np.concatenate(parts)

    def _padded_heads(self, rows: FloatArray) -> FloatArray:
        """Return the rows of every head with zeros behind them, and heads of zeros behind those."""
        heads = rows.reshape(self._heads, -1, *rows.shape[1:])
        more = [(0, self._size.heads - self._heads), (0, _HEAD - heads.shape[1])] + [(0, 0)] * (rows.ndim - 1)
        return np.pad(heads, more).reshape(self._size.width, *rows.shape[1:])


def _put(spec: LayerSpec, name: str, value: FloatArray) -> None:
    *path, last = name.split("/")
    for step in path:
        stem, _, at = step.rpartition("_")
        spec = getattr(spec, step) if hasattr(spec, step) else getattr(spec, stem)[int(at)]
    setattr(spec, last, value.astype(np.float32))


def _read(file: Path) -> dict[str, FloatArray]:
    """Return the variables of a model.bin as floats, by name (CTranslate2's ``model_spec.py``, version 6)."""
    data = file.read_bytes()
    at = 4

    def number(kind: str) -> int:
        nonlocal at
        (value,) = struct.unpack_from(kind, data, at)
        at += struct.calcsize(kind)
        return int(value)

    def text() -> str:
        nonlocal at
        length = number("H")
        at += length
        return data[at - length : at - 1].decode()

    text()
    number("I")
    values: dict[str, FloatArray] = {}
    quantised: set[str] = set()
    for _ in range(number("I")):
        name = text()
        shape = [number("I") for _ in range(number("B"))]
        kind = np.dtype((np.float32, np.int8, np.int16, np.int32, np.float16)[number("B")])
        size = number("I")
        values[name] = np.frombuffer(data, kind, size // kind.itemsize, at).reshape(shape).astype(np.float32)
        at += size
        if kind == np.int8 and name.endswith("weight"):
            quantised.add(name)
    for name in quantised:
        weight = values[name]
        weight /= values.pop(f"{name}_scale").reshape(-1, *(1,) * (weight.ndim - 1))
    for _ in range(number("I")):
        alias = text()
        values[alias] = values[text()]
    return values
