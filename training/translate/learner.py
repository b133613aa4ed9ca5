"""Weights that learn: the loss, the optimizers and the step.

Beside the tokens, two heads learn where to look when a name or number is copied: in the first layer for where the last
token came from, in the last layer for where the next one is.
"""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from training.translate.batches import Batch
from training.translate.tokenizer import END, PADDING
from training.translate.transformer import EMBEDDINGS, Shape, decode, encode, initial_weights, scores

_SMOOTHING: Final = 0.1
_GUIDANCE: Final = 0.3
_WARM_UP: Final = 0.02
_LAST_RATE: Final = 0.02
_MUON_RATE, _ADAM_RATE = 4e-3, 3e-3
_LARGEST_GRADIENT: Final = 1.0


def rate(progress: float) -> float:
    """Return the share of the peak learning rate at ``progress`` in [0, 1]: a short rise, then half a cosine."""
    if progress < _WARM_UP:
        return max(progress / _WARM_UP, 0.01)
    fallen = min((progress - _WARM_UP) / (1 - _WARM_UP), 1.0)
    return _LAST_RATE + (1 - _LAST_RATE) * (1 + math.cos(math.pi * fallen)) / 2


class Learner:
    """A Transformer in training: Muon for its matrices, AdamW for its embeddings and norms."""

    def __init__(self, shape: Shape, seed: int) -> None:
        self.shape = shape
        self.weights = {name: weight.requires_grad_() for name, weight in initial_weights(shape, seed).items()}
        matrices = [weight for name, weight in self.weights.items() if weight.ndim == 2 and name != EMBEDDINGS]
        norms = [weight for weight in self.weights.values() if weight.ndim == 1]
        self._optimizers = (
            torch.optim.Muon(matrices, lr=_MUON_RATE, weight_decay=0.05, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW([self.weights[EMBEDDINGS], *norms], lr=_ADAM_RATE, betas=(0.9, 0.98), weight_decay=0.0),
        )
        self.steps = 0
        self.seconds = 0.0
        self.tokens = 0

    def learn(self, batch: Batch, rate: float) -> float:
        """Take one step and return the loss per token; ``rate`` is a share of the peak learning rates."""
        loss, astray = self._losses(batch, _SMOOTHING)
        (loss + _GUIDANCE * astray).backward()
        torch.nn.utils.clip_grad_norm_(self.weights.values(), _LARGEST_GRADIENT)
        for optimizer, peak in zip(self._optimizers, (_MUON_RATE, _ADAM_RATE), strict=True):
            for group in optimizer.param_groups:
                group["lr"] = peak * rate
            optimizer.step()
            optimizer.zero_grad()
        self.steps += 1
        self.tokens += batch.tokens
        return float(loss.detach())

    def loss(self, batches: Iterable[Batch]) -> float:
        """Return the mean loss per token of batches that are not learnt from, in nats."""
        with torch.inference_mode():
            losses = [float(self._losses(batch, 0.0)[0]) for batch in batches]
        return sum(losses) / len(losses)

    def save(self, path: Path) -> None:
        """Write everything that training needs to go on."""
        partial = path.with_suffix(".partial")
        state = {
            "weights": {name: weight.detach() for name, weight in self.weights.items()},
            "optimizers": [optimizer.state_dict() for optimizer in self._optimizers],
            "progress": (self.steps, self.seconds, self.tokens),
        }
        torch.save(state, partial)
        partial.replace(path)

    def load(self, path: Path) -> None:
        """Take over what ``save`` wrote of a learner of the same shape."""
        state = torch.load(path)
        with torch.no_grad():
            for name, weight in self.weights.items():
                weight.copy_(state["weights"][name])
        for optimizer, saved in zip(self._optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.steps, self.seconds, self.tokens = state["progress"]

    def _losses(self, batch: Batch, smoothing: float) -> tuple[Tensor, Tensor]:
        """Return the loss of the tokens, and that of looking away from what is copied."""
        given, wanted = batch.targets[..., :-1], batch.targets[..., 1:].clone()
        wanted[..., 0] = PADDING  # the language token, which the caller chooses
        with torch.autocast("cpu", torch.bfloat16):
            memory = encode(self.weights, self.shape, batch.sources)
            states, looks = decode(self.weights, self.shape, memory, batch.sources, given)
            logits = scores(self.weights, states[wanted != PADDING])
        loss = functional.cross_entropy(logits.float(), wanted[wanted != PADDING], label_smoothing=smoothing)
        behind = _astray(looks[0][:, 1], copied(batch.sources, given))
        ahead = _astray(looks[-1][:, 0], copied(batch.sources, wanted))
        return loss, behind + ahead


def copied(sources: Tensor, targets: Tensor) -> Tensor:
    """Return which source tokens each target token is a copy of, shape ``(texts, translations, tokens, sources)``.

    It is one where a neighbour is the same, too.
    """
    same = (targets[..., None] == sources[:, None, None, :]) & (targets > END)[..., None]
    pairs = same[..., 1:, 1:] & same[..., :-1, :-1]
    return functional.pad(pairs, (1, 0, 1, 0)) | functional.pad(pairs, (0, 1, 0, 1))


def _astray(looks: Tensor, origins: Tensor) -> Tensor:
    """Return the mean surprise of finding an origin where the decoder looks, of those tokens that have one."""
    found = (looks.float() * origins).sum(dim=-1)[origins.any(dim=-1)]
    return -(found + 1e-6).log().mean() if found.numel() else looks.new_zeros(())
