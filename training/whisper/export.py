"""From a checkpoint to a folder that CTranslate2 and faster-whisper load, without a detour through another library."""

import json
from pathlib import Path
from typing import Final

import numpy as np
from ctranslate2.specs import common_spec, transformer_spec
from ctranslate2.specs.whisper_spec import WhisperSpec
from torch import Tensor, nn

from training.speech.mel import BANDS
from training.whisper.losses import ALIGNMENT_HEADS
from training.whisper.model import POSITIONS, Attention, DecoderLayer, EncoderLayer, Whisper
from training.whisper.tokens import Tokens

WINDOW_S: Final = 30

_PREPROCESSOR: Final = {
    "feature_extractor_type": "WhisperFeatureExtractor",
    "processor_class": "WhisperProcessor",
    "feature_size": BANDS,
    "sampling_rate": 16_000,
    "hop_length": 160,
    "n_fft": 400,
    "chunk_length": WINDOW_S,
    "n_samples": WINDOW_S * 16_000,
    "nb_max_frames": 2 * POSITIONS,
    "padding_side": "right",
    "padding_value": 0.0,
    "return_attention_mask": False,
}


def export(model: Whisper, tokens: Tokens, folder: Path, quantization: str = "int8_float16") -> None:
    """Write the model's folder. ``int8_float16`` keeps what is not quantised, such as positions, in half the size."""
    spec = WhisperSpec(len(model.encoder), model.shape.heads, len(model.decoder), model.shape.heads)
    _conv(spec.encoder.conv1, model.conv1)
    _conv(spec.encoder.conv2, model.conv2)
    spec.encoder.position_encodings.encodings = _array(model.positions)
    _norm(spec.encoder.layer_norm, model.encoder_norm)
    for layer_spec, layer in zip(spec.encoder.layer, model.encoder, strict=True):
        assert isinstance(layer, EncoderLayer)
        _common(layer_spec, layer)
    spec.decoder.embeddings.weight = spec.decoder.projection.weight = _array(model.embedding.weight)
    spec.decoder.position_encodings.encodings = _array(model.text_positions)
    _norm(spec.decoder.layer_norm, model.decoder_norm)
    for layer_spec, layer in zip(spec.decoder.layer, model.decoder, strict=True):
        assert isinstance(layer, DecoderLayer)
        _common(layer_spec, layer)
        _norm(layer_spec.attention.layer_norm, layer.cross_norm)
        _cross(layer_spec.attention, layer.cross)
    spec.register_vocabulary(tokens.vocabulary())
    for name, value in tokens.config(ALIGNMENT_HEADS).items():
        setattr(spec.config, name, value)
    spec.validate()
    spec.optimize(quantization=quantization)
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))
    tokens.tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    (folder / "preprocessor_config.json").write_text(json.dumps(_PREPROCESSOR))


def _common(spec: transformer_spec.TransformerEncoderLayerSpec, layer: EncoderLayer | DecoderLayer) -> None:
    _norm(spec.self_attention.layer_norm, layer.attention_norm)
    attention = layer.attention
    joined, out = spec.self_attention.linear
    joined.weight = np.concatenate([_array(part.weight) for part in (attention.query, attention.key, attention.value)])
    joined.bias = np.concatenate([_bias(part) for part in (attention.query, attention.key, attention.value)])
    _linear(out, attention.out)
    _norm(spec.ffn.layer_norm, layer.feed_norm)
    _linear(spec.ffn.linear_0, layer.feed_in)
    _linear(spec.ffn.linear_1, layer.feed_out)


def _cross(spec: common_spec.LayerNormSpec, attention: Attention) -> None:
    query, joined, out = spec.linear
    _linear(query, attention.query)
    joined.weight = np.concatenate([_array(attention.key.weight), _array(attention.value.weight)])
    joined.bias = np.concatenate([_bias(attention.key), _bias(attention.value)])
    _linear(out, attention.out)


def _conv(spec: common_spec.Conv1DSpec, module: nn.Conv1d) -> None:
    assert module.bias is not None
    spec.weight, spec.bias = _array(module.weight), _array(module.bias)


def _linear(spec: common_spec.LinearSpec, module: nn.Linear) -> None:
    spec.weight, spec.bias = _array(module.weight), _bias(module)


def _norm(spec: common_spec.LayerNormSpec, module: nn.LayerNorm) -> None:
    spec.gamma, spec.beta = _array(module.weight), _array(module.bias)


def _bias(module: nn.Linear) -> "np.typing.NDArray[np.float32]":
    return np.zeros(module.out_features, np.float32) if module.bias is None else _array(module.bias)


def _array(tensor: Tensor) -> "np.typing.NDArray[np.float32]":
    return tensor.detach().float().numpy()
