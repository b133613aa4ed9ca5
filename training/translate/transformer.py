"""A pre-norm Transformer as functions of its weights, which have the names that CTranslate2 gives them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from training.translate.tokenizer import END, PADDING, START

Weights = Mapping[str, Tensor]

EMBEDDINGS: Final = "encoder/embeddings_0/weight"
"""Shape ``(vocabulary, depth)``; the encoder's, the decoder's and the output's."""

_MASKED: Final = -1e9


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a Transformer."""

    vocabulary: int
    depth: int = 192
    heads: int = 4
    hidden: int = 768
    encoder_layers: int = 4
    decoder_layers: int = 2


def initial_weights(shape: Shape, seed: int) -> dict[str, Tensor]:
    """Return random weights; those that add to the residual stream start small."""
    generator = torch.Generator().manual_seed(seed)
    layers = shape.encoder_layers + shape.decoder_layers
    weights: dict[str, Tensor] = {}

    def matrix(name: str, rows: int, columns: int, gain: float = 1.0) -> None:
        weights[f"{name}/weight"] = torch.randn(rows, columns, generator=generator) * gain / math.sqrt(columns)

    def norm(name: str) -> None:
        weights[f"{name}/layer_norm/gamma"] = torch.ones(shape.depth)
        weights[f"{name}/layer_norm/beta"] = torch.zeros(shape.depth)

    def block(name: str, *linear: tuple[int, int]) -> None:
        norm(name)
        for number, (rows, columns) in enumerate(linear):
            is_last = number == len(linear) - 1
            matrix(f"{name}/linear_{number}", rows, columns, 1 / math.sqrt(2 * layers) if is_last else 1.0)

    depth = shape.depth
    weights[EMBEDDINGS] = torch.randn(shape.vocabulary, depth, generator=generator) / math.sqrt(depth)
    for side, count in (("encoder", shape.encoder_layers), ("decoder", shape.decoder_layers)):
        for layer in (f"{side}/layer_{number}" for number in range(count)):
            block(f"{layer}/self_attention", (3 * depth, depth), (depth, depth))
            if side == "decoder":
                block(f"{layer}/attention", (depth, depth), (2 * depth, depth), (depth, depth))
            block(f"{layer}/ffn", (shape.hidden, depth), (depth, shape.hidden))
        norm(side)
    return weights


def encode(weights: Weights, shape: Shape, sources: Tensor) -> Tensor:
    """Return what the decoder reads, shape ``(texts, tokens, depth)``, of ids ``(texts, tokens)``."""
    mask = _padding_mask(sources)
    states = _embed(weights, sources)
    for number in range(shape.encoder_layers):
        layer = f"encoder/layer_{number}"
        states = states + _self_attention(weights, f"{layer}/self_attention", states, mask, shape.heads)
        states = states + _feed_forward(weights, f"{layer}/ffn", states)
    return _norm(weights, "encoder", states)


def decode(
    weights: Weights, shape: Shape, memory: Tensor, sources: Tensor, targets: Tensor
) -> tuple[Tensor, list[Tensor]]:
    """Return the decoder's last states, and where its layers look.

    ``targets`` has shape ``(texts, translations, tokens)``; all translations of a text read the same row of
    ``memory``, which ``encode`` made of ``sources``. The states have one more axis, the depth. Where each head looks
    has shape ``(texts, heads, translations, tokens, source tokens)``, one tensor per layer.
    """
    texts, translations, tokens = targets.shape
    mask = _padding_mask(sources)
    causal = torch.full((tokens, tokens), _MASKED).triu(1)
    states = _embed(weights, targets.reshape(texts * translations, tokens))
    looks: list[Tensor] = []
    for number in range(shape.decoder_layers):
        layer = f"decoder/layer_{number}"
        states = states + _self_attention(weights, f"{layer}/self_attention", states, causal, shape.heads)
        queries = states.reshape(texts, translations * tokens, shape.depth)
        read, look = _cross_attention(weights, f"{layer}/attention", queries, memory, mask, shape.heads)
        looks.append(look.unflatten(2, (translations, tokens)))
        states = states + read.reshape(states.shape)
        states = states + _feed_forward(weights, f"{layer}/ffn", states)
    return _norm(weights, "decoder", states).reshape(texts, translations, tokens, shape.depth), looks


def scores(weights: Weights, states: Tensor) -> Tensor:
    """Return one score per piece of the vocabulary for each state."""
    return functional.linear(states, weights[EMBEDDINGS])


def translate_greedily(weights: Weights, shape: Shape, source: list[int], language: int, longest: int) -> list[int]:
    """Return the ids of a translation into ``language`` (the id of its token), at most so many.

    The plain reference for what CTranslate2 makes of the same weights.
    """
    sources = torch.tensor([source])
    made = [START, language]
    with torch.inference_mode():
        memory = encode(weights, shape, sources)
        while len(made) < longest + 2:
            states, _ = decode(weights, shape, memory, sources, torch.tensor([[made]]))
            following = scores(weights, states[0, 0, -1])
            following[PADDING] = -math.inf
            best = int(following.argmax())
            if best == END:
                break
            made.append(best)
    return made[2:]


def _embed(weights: Weights, ids: Tensor) -> Tensor:
    table = weights[EMBEDDINGS]
    depth = table.shape[1]
    return functional.embedding(ids, table) * math.sqrt(depth) + _positions(ids.shape[1], depth)


def _positions(tokens: int, depth: int) -> Tensor:
    """Return sinusoids as CTranslate2 computes them: positions from 1, sines before cosines."""
    rates = torch.exp(torch.arange(depth // 2) * (-math.log(10_000) / (depth // 2 - 1)))
    angles = torch.arange(1, tokens + 1)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def _padding_mask(ids: Tensor) -> Tensor:
    return (ids == PADDING)[:, None, None, :] * _MASKED


def _norm(weights: Weights, name: str, states: Tensor) -> Tensor:
    gamma, beta = weights[f"{name}/layer_norm/gamma"], weights[f"{name}/layer_norm/beta"]
    return functional.layer_norm(states, gamma.shape, gamma, beta)


def _linear(weights: Weights, name: str, states: Tensor) -> Tensor:
    return functional.linear(states, weights[f"{name}/weight"])


def _feed_forward(weights: Weights, name: str, states: Tensor) -> Tensor:
    wide = functional.relu(_linear(weights, f"{name}/linear_0", _norm(weights, name, states)))
    return _linear(weights, f"{name}/linear_1", wide)


def _self_attention(weights: Weights, name: str, states: Tensor, mask: Tensor, heads: int) -> Tensor:
    queries, keys, values = _linear(weights, f"{name}/linear_0", _norm(weights, name, states)).chunk(3, dim=-1)
    read, _ = _attend(queries, keys, values, mask, heads)
    return _linear(weights, f"{name}/linear_1", read)


def _cross_attention(
    weights: Weights, name: str, states: Tensor, memory: Tensor, mask: Tensor, heads: int
) -> tuple[Tensor, Tensor]:
    queries = _linear(weights, f"{name}/linear_0", _norm(weights, name, states))
    keys, values = _linear(weights, f"{name}/linear_1", memory).chunk(2, dim=-1)
    read, looks = _attend(queries, keys, values, mask, heads)
    return _linear(weights, f"{name}/linear_2", read), looks


def _attend(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor, heads: int) -> tuple[Tensor, Tensor]:
    """Return what is read, and where each head looks: shape ``(rows, heads, queries, keys)``, sums of 1."""

    def by_head(states: Tensor) -> Tensor:
        return states.unflatten(-1, (heads, -1)).transpose(1, 2)

    likeness = by_head(queries) @ by_head(keys).transpose(2, 3) / math.sqrt(queries.shape[-1] // heads)
    looks = torch.softmax(likeness + mask, dim=-1)
    read = looks.to(values.dtype) @ by_head(values)
    return read.transpose(1, 2).flatten(2), looks
