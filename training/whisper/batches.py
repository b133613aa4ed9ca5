"""Windows of similar length side by side, as tensors."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from training.speech.mel import BANDS
from training.whisper.model import POSITIONS
from training.whisper.recipe import Recipe
from training.whisper.windows import NOWHERE, Window, Windows

IGNORED: Final = -100
_POOL: Final = 96
_PADS: Final = 24
_MOST_ROWS: Final = 64


@dataclass(frozen=True, slots=True)
class Batch:
    """Tensors of a step; *windows* is the first axis of the first group, *rows* (equally many for each) of the second.

    ``mel`` (windows, frames, 80); ``pads`` positions that stand for the rest of a full window; ``sounds`` (windows,
    frames / 2); ``spelling`` joined, with one length per window. ``inputs`` and ``targets`` (rows, tokens);
    ``heard_at`` (rows, tokens, 2) in seconds, negative where a token is heard nowhere.
    """

    mel: Tensor
    pads: Tensor | None
    sounds: Tensor
    spelling: Tensor
    spelling_lengths: Tensor
    lengths: Tensor
    inputs: Tensor
    targets: Tensor
    heard_at: Tensor


def batches(
    windows: Windows,
    recipe: Recipe,
    positions: int,
    rng: np.random.Generator,
    prompted: float = 0.0,
    full: float = 0.35,
) -> Iterator[Batch]:
    """Yield one pool of windows as batches of about so many encoder positions each.

    ``prompted`` is the share of pools with earlier text, ``full`` the share of batches that imitate 30 s windows.
    """
    with_text = bool(rng.random() < prompted)
    pool = [windows.window(recipe, with_text) for _ in range(_POOL)]
    groups: list[list[Window]] = []
    for rows in sorted({len(window.rows) for window in pool}):
        groups.append([])
        for window in sorted((one for one in pool if len(one.rows) == rows), key=lambda window: len(window.mel)):
            filled = (len(groups[-1]) + 1) * (len(window.mel) // 2 + 40) > positions
            if groups[-1] and (filled or len(groups[-1]) * rows >= _MOST_ROWS):
                groups.append([])
            groups[-1].append(window)
    for at in rng.permutation(len(groups)):
        yield collate(groups[at], rng, full_window=bool(rng.random() < full))


def collate(windows: list[Window], rng: np.random.Generator, *, full_window: bool) -> Batch:
    """Put windows side by side, in a right-sized window with some margin or in an imitated full one."""
    longest = max(len(window.mel) for window in windows)
    margin = 12 if full_window else 2 * round(5 + float(rng.choice([8, 40, 80]) * rng.random()))
    frames = min(longest + margin, 2 * POSITIONS)
    mel = np.zeros((len(windows), frames, BANDS), np.float32)
    sounds = np.zeros((len(windows), frames // 2), np.int64)
    for at, window in enumerate(windows):
        mel[at, : len(window.mel)] = window.mel
        sounds[at, : len(window.sounds)] = window.sounds
    rows = [row for window in windows for row in window.rows]
    most = max(len(row.inputs) for row in rows)
    inputs = np.zeros((len(rows), most), np.int64)
    targets = np.full((len(rows), most), IGNORED, np.int64)
    heard_at = np.full((len(rows), most, 2), NOWHERE[0], np.float32)
    for at, row in enumerate(rows):
        length = len(row.inputs)
        inputs[at, :length] = row.inputs
        targets[at, :length] = np.where(row.learn, row.targets, IGNORED)
        heard_at[at, :length] = row.heard_at
    return Batch(
        mel=torch.from_numpy(mel),
        pads=_pads(frames // 2, rng) if full_window and frames // 2 < POSITIONS - _PADS else None,
        sounds=torch.from_numpy(sounds),
        spelling=torch.tensor([token for window in windows for token in window.spelling]),
        spelling_lengths=torch.tensor([len(window.spelling) for window in windows]),
        lengths=torch.tensor([min(len(window.mel) // 2 + 8, frames // 2) for window in windows]),
        inputs=torch.from_numpy(inputs),
        targets=torch.from_numpy(targets),
        heard_at=torch.from_numpy(heard_at),
    )


def _pads(content: int, rng: np.random.Generator) -> Tensor:
    """Return one position of each of so many equal stretches of the padding."""
    edges = np.linspace(content, POSITIONS, _PADS + 1)
    return torch.from_numpy(rng.uniform(edges[:-1], edges[1:]).astype(np.int64))
