"""What the model is taught: to say the right thing, and to look where it is said; its encoder, to spell and sound it.

Timestamps have soft targets, and the attention of two heads is guided to each word, which makes word times.
"""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 (its usual name)

from training.whisper.batches import IGNORED, Batch
from training.whisper.model import Heard, Whisper
from training.whisper.tokens import TIMESTAMPS

POSITIONS_PER_S: Final = 50
ALIGNMENT_HEADS: Final = ((1, 0), (1, 1))
"""(decoder layer, head) whose attention gives word times."""

_NEIGHBOURS: Final = ((-2, 0.1), (-1, 0.2), (0, 0.4), (1, 0.2), (2, 0.1))


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each loss counts; ``say`` 0 leaves the decoder out."""

    say: float = 1.0
    spell: float = 0.5
    sound: float = 0.5
    look: float = 0.3


@dataclass(frozen=True, slots=True)
class Losses:
    """Mean losses of a batch in nats, and the share of text tokens that are right."""

    total: Tensor
    say: float = 0.0
    spell: float = 0.0
    sound: float = 0.0
    look: float = 0.0
    right: float = 0.0


def losses(model: Whisper, batch: Batch, weights: Weights) -> Losses:
    """Run the model on a batch."""
    with torch.autocast("cpu", torch.bfloat16):
        heard = model.encode(batch.mel, batch.pads)
    spell = _spell(model, heard, batch)
    sound = _sound(model, heard, batch)
    total = weights.spell * spell + weights.sound * sound
    if not weights.say:
        return Losses(total, spell=spell.item(), sound=sound.item())
    with torch.autocast("cpu", torch.bfloat16):
        hidden, attention = model.decode(batch.inputs, heard)
    say, right = _say(model, hidden, batch)
    look = _look(attention, batch)
    total = total + weights.say * say + weights.look * look
    return Losses(total, say.item(), spell.item(), sound.item(), look.item(), right)


def _spell(model: Whisper, heard: Heard, batch: Batch) -> Tensor:
    """CTC over the pieces of the transcript, per piece (Graves et al. 2006)."""
    with torch.autocast("cpu", torch.bfloat16):
        scores = model.spelling(heard.memory[:, : heard.content])
    blank = model.shape.text_pieces
    chances = scores.float().log_softmax(-1).transpose(0, 1)
    loss = F.ctc_loss(
        chances, batch.spelling, batch.lengths, batch.spelling_lengths, blank, reduction="none", zero_infinity=True
    )
    return loss.sum() / batch.spelling_lengths.sum().clamp(min=1)


def _sound(model: Whisper, heard: Heard, batch: Batch) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        scores = model.sounding(heard.memory[:, : heard.content])
    return F.cross_entropy(scores.float().flatten(0, 1), batch.sounds.flatten(), label_smoothing=0.05)


def _say(model: Whisper, hidden: Tensor, batch: Batch) -> tuple[Tensor, float]:
    """Cross-entropy of the next token; a timestamp may be off by two."""
    asked = batch.targets != IGNORED
    targets = batch.targets[asked]
    with torch.autocast("cpu", torch.bfloat16):
        scores = model.logits(hidden[asked])
    chances = scores.float().log_softmax(-1)
    first = model.shape.vocabulary - TIMESTAMPS
    stamps = targets >= first
    text_loss = F.nll_loss(chances[~stamps], targets[~stamps], reduction="sum")
    stamp_loss = chances.new_zeros(())
    for offset, weight in _NEIGHBOURS:
        near = (targets[stamps] + offset).clamp(first, model.shape.vocabulary - 1)
        stamp_loss = stamp_loss + weight * F.nll_loss(chances[stamps], near, reduction="sum")
    right = float((chances[~stamps].argmax(-1) == targets[~stamps]).float().mean())
    return (text_loss + stamp_loss) / len(targets), right


def _look(attention: Tensor, batch: Batch) -> Tensor:
    """-log of the share of attention that falls into the time at which a token is heard, for the alignment heads."""
    looking = attention[:, [head for _, head in ALIGNMENT_HEADS]].float()
    heard_at = batch.heard_at.reshape(len(attention), 1, -1, 2) * POSITIONS_PER_S
    places = torch.arange(attention.shape[-1])
    inside = (places >= heard_at[..., :1].floor()) & (places <= heard_at[..., 1:].ceil())
    known = heard_at[..., 1] > 0
    shares = (looking * inside).sum(-1).clamp(min=1e-4)
    return -(shares.log() * known).sum() / (known.sum() * len(ALIGNMENT_HEADS)).clamp(min=1)
