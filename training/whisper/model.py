"""Whisper's architecture in PyTorch, small, with two heads for training only and windows of any length.

Source: Radford et al. 2022, section 2.2. Layers are pre-norm, keys have no bias, the output shares the embedding.
"""

import math
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (its usual name)

from training.speech.mel import BANDS
from training.whisper.tokens import TIMESTAMPS

POSITIONS: Final = 1_500
"""Encoder positions of a full window of 30 s; one is 20 ms."""

TEXT_POSITIONS: Final = 448


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes. ``phonemes`` counts the classes of the phoneme head, which is not exported."""

    vocabulary: int
    text_pieces: int
    phonemes: int
    width: int = 192
    heads: int = 4
    encoder_layers: int = 4
    decoder_layers: int = 2


class Attention(nn.Module):
    """Multi-head attention by plain products: on a CPU their backward pass is quicker than the fused kernel's."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, memory: Tensor, bias: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the output like ``x`` and the weights, shape (batch, heads, queries, keys)."""
        queries = self._split(self.query(x) * (x.shape[-1] // self.heads) ** -0.5)
        scores = queries @ self._split(self.key(memory)).transpose(2, 3)
        if bias is not None:
            scores = scores + bias
        weights = scores.softmax(-1)
        mixed = weights.to(queries.dtype) @ self._split(self.value(memory))
        return self.out(mixed.transpose(1, 2).flatten(2)), weights

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)


class EncoderLayer(nn.Module):
    """Self-attention and a feed-forward network."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.feed_norm = nn.LayerNorm(width)
        self.feed_in = nn.Linear(width, 4 * width)
        self.feed_out = nn.Linear(4 * width, width)

    def forward(self, x: Tensor, bias: Tensor | None) -> Tensor:
        """Return the layer's output, shaped like ``x``."""
        normed = self.attention_norm(x)
        x = x + self.attention(normed, normed, bias)[0]
        return x + self.feed_out(F.gelu(self.feed_in(self.feed_norm(x))))


class DecoderLayer(nn.Module):
    """Self-attention, attention to what was heard, and a feed-forward network."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.cross_norm = nn.LayerNorm(width)
        self.cross = Attention(width, heads)
        self.feed_norm = nn.LayerNorm(width)
        self.feed_in = nn.Linear(width, 4 * width)
        self.feed_out = nn.Linear(4 * width, width)

    def forward(self, x: Tensor, causal: Tensor, memory: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the output and the weights of attention to ``memory``, shape (windows, heads, rows * tokens, keys).

        ``x`` holds the rows of a window one after another, ``memory`` one entry per window.
        """
        normed = self.attention_norm(x)
        x = x + self.attention(normed, normed, causal)[0]
        queries = self.cross_norm(x).reshape(len(memory), -1, x.shape[-1])
        heard, weights = self.cross(queries, memory, bias)
        x = x + heard.reshape(x.shape)
        return x + self.feed_out(F.gelu(self.feed_in(self.feed_norm(x)))), weights


@dataclass(frozen=True, slots=True)
class Heard:
    """The encoder's output, shape (windows, keys, width), the attention bias of its keys, and how many are content.

    Keys after the content stand for the rest of a full window: a few positions of padding, weighted for all of it.
    """

    memory: Tensor
    bias: Tensor | None
    content: int


class Whisper(nn.Module):
    """Encoder and decoder."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.width
        self.shape = shape
        self.conv1 = nn.Conv1d(BANDS, width, 3, padding=1)
        self.conv2 = nn.Conv1d(width, width, 3, stride=2, padding=1)
        self.register_buffer("positions", sinusoids(POSITIONS, width) * 0.5)
        self.encoder = nn.ModuleList(EncoderLayer(width, shape.heads) for _ in range(shape.encoder_layers))
        self.encoder_norm = nn.LayerNorm(width)
        self.embedding = nn.Embedding(shape.vocabulary, width)
        self.text_positions = nn.Parameter(sinusoids(TEXT_POSITIONS, width) * 0.1)
        self.decoder = nn.ModuleList(DecoderLayer(width, shape.heads) for _ in range(shape.decoder_layers))
        self.decoder_norm = nn.LayerNorm(width)
        # For training only: what is spelled (CTC) and what is sounded, from the encoder alone.
        self.spelling = nn.Linear(width, shape.text_pieces + 1)
        self.sounding = nn.Linear(width, shape.phonemes)
        self._initialise()

    def encode(self, mel: Tensor, pads: Tensor | None = None) -> Heard:
        """Encode windows.

        Args:
            mel: shape (windows, frames, 80), normalised; an even number of frames.
            pads: positions (after the content) that stand for the padding of a full window of 30 s; none for a window
                that ends with its frames.
        """
        x = F.gelu(self.conv1(mel.transpose(1, 2)))
        x = F.gelu(self.conv2(x)).transpose(1, 2)
        content = x.shape[1]
        x = x + self.positions[:content]
        bias = None
        if pads is not None:
            silent = F.gelu(self.conv1.bias)[None, :, None].expand(1, -1, 3)
            silence = F.gelu(F.conv1d(silent, self.conv2.weight, self.conv2.bias))[:, :, 0]
            padding = (silence + self.positions[pads]).expand(len(x), -1, -1)
            x = torch.cat([x, padding.to(x.dtype)], 1)
            bias = x.new_zeros(x.shape[1])
            bias[content:] = math.log((POSITIONS - content) / len(pads))
        for layer in self.encoder:
            x = layer(x, bias)
        return Heard(self.encoder_norm(x), bias, content)

    def decode(self, tokens: Tensor, heard: Heard) -> tuple[Tensor, Tensor]:
        """Return hidden states (rows, tokens, width) and the last layer's attention to what was heard.

        ``tokens``: shape (rows, tokens); the rows of a window follow each other, equally many for each.
        """
        length = tokens.shape[1]
        x = self.embedding(tokens) + self.text_positions[:length]
        causal = torch.full((length, length), -math.inf, dtype=x.dtype).triu(1)
        weights = x
        for layer in self.decoder:
            x, weights = layer(x, causal, heard.memory, heard.bias)
        return self.decoder_norm(x), weights

    def logits(self, hidden: Tensor) -> Tensor:
        """Return scores over the vocabulary."""
        return hidden @ self.embedding.weight.T

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02 * math.sqrt(384 / module.in_features))
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.normal_(self.embedding.weight, std=0.035)
        # Neighbouring timestamps begin alike, so that learning one teaches those around it.
        with torch.no_grad():
            self.embedding.weight[-TIMESTAMPS:] = smooth(TIMESTAMPS, self.shape.width) * 0.035


def sinusoids(length: int, width: int) -> Tensor:
    """Return Whisper's fixed positions, shape (length, width)."""
    scales = torch.exp(-math.log(10_000) / (width // 2 - 1) * torch.arange(width // 2))
    angles = torch.arange(length)[:, None] * scales
    return torch.cat([angles.sin(), angles.cos()], 1)


def smooth(length: int, width: int) -> Tensor:
    """Return random curves of unit variance, shape (length, width): sums of slow waves with random phases."""
    generator = torch.Generator().manual_seed(0)
    waves = 32
    frequencies = torch.exp(torch.rand(waves, generator=generator) * math.log(length / 4)) / length
    phases = torch.rand(waves, generator=generator) * 2 * math.pi
    curves = torch.sin(torch.arange(length)[:, None] * frequencies * 2 * math.pi + phases)
    mixed = curves @ torch.randn(waves, width, generator=generator)
    return mixed / mixed.std()
