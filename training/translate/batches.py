"""Examples as padded ids: texts of like length together, so that little is padding."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

import torch
from tokenizers import Tokenizer
from torch import Tensor

from training.translate.examples import Example
from training.translate.tokenizer import END, PADDING, START, language_id

POOL: Final = 2_048
"""Examples sorted by length at once."""

LONGEST: Final = 160
"""Pieces of a text; longer ones are left out, as the engine cuts them."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Texts with all their translations.

    ``sources`` has shape ``(texts, tokens)``; ``targets`` ``(texts, translations, tokens)`` and begins with the start
    and the language token, which are given, not learnt.
    """

    sources: Tensor
    targets: Tensor

    @property
    def tokens(self) -> int:
        """Tokens that are no padding."""
        return int((self.sources != PADDING).sum() + (self.targets != PADDING).sum())


@dataclass(frozen=True, slots=True)
class _Row:
    source: list[int]
    targets: list[list[int]]

    @property
    def longest(self) -> int:
        return max(len(self.source), *map(len, self.targets))


def batches(examples: Iterator[Example], tokenizer: Tokenizer, tokens: int, seed: int) -> Iterator[Batch]:
    """Yield batches of about so many tokens, padding included, until the examples end."""
    rng = random.Random(seed)
    while pool := list(islice(examples, POOL)):
        rows = [row for row in _rows(pool, tokenizer) if row.longest <= LONGEST]
        rows.sort(key=lambda row: (row.longest, rng.random()))
        cut = list(_cut(rows, tokens))
        rng.shuffle(cut)
        yield from map(_batch, cut)


def source_ids(tokenizer: Tokenizer, text: str, language: str) -> list[int]:
    """Return a text as the model reads it."""
    return [language_id(tokenizer, language), *tokenizer.encode(text).ids, END]


def _rows(pool: list[Example], tokenizer: Tokenizer) -> Iterator[_Row]:
    for example in pool:
        targets = [
            [START, language_id(tokenizer, language), *tokenizer.encode(text).ids, END]
            for language, text in example.translations.items()
        ]
        yield _Row(source_ids(tokenizer, example.text, example.language), targets)


def _cut(rows: list[_Row], tokens: int) -> Iterator[list[_Row]]:
    """Yield runs of rows; ``rows`` are sorted, so the last of a run is its longest."""
    run: list[_Row] = []
    for row in rows:
        if run and (len(run) + 1) * row.longest * (1 + len(row.targets)) > tokens:
            yield run
            run = []
        run.append(row)
    if run:
        yield run


def _batch(rows: list[_Row]) -> Batch:
    translations = len(rows[0].targets)
    targets = _padded([target for row in rows for target in row.targets])
    return Batch(_padded([row.source for row in rows]), targets.reshape(len(rows), translations, -1))


def _padded(sequences: list[list[int]]) -> Tensor:
    longest = max(map(len, sequences))
    return torch.tensor([sequence + [PADDING] * (longest - len(sequence)) for sequence in sequences])
