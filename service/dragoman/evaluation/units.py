"""Pairs what was said with what was heard: a unit is a stretch in which both overlap."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from dragoman.datasets.items import Reference
from dragoman.pipeline.transcript import Utterance

T = TypeVar("T")

_SHARE: Final = 0.3
"""Two belong together if they share this much of the shorter one: endpointing may cut up to a third of a word off."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What people said in a stretch of one channel, and what was heard in it; one of both may be missing.

    An engine may cut where nobody paused, or run over a pause; a unit holds all of it, so that nobody is charged for
    where he cuts.
    """

    references: tuple[Reference, ...]
    heard: tuple[Utterance, ...]

    @property
    def start_ms(self) -> int:
        """Where the first of them begins."""
        return min(each.start_ms for each in self._all)

    @property
    def end_ms(self) -> int:
        """Where the last of them ends."""
        return max(each.end_ms for each in self._all)

    @property
    def locale(self) -> str | None:
        """The language that is spoken, if it is one."""
        return _only([each.locale for each in self.references])

    @property
    def speaker(self) -> str | None:
        """Who speaks, if it is one."""
        return _only([each.speaker for each in self.references])

    @property
    def heard_locale(self) -> str | None:
        """The language that most of it was heard in."""
        spoken: dict[str, int] = defaultdict(int)
        for each in self.heard:
            spoken[each.locale] += max(1, each.end_ms - each.start_ms)
        return max(spoken, key=lambda locale: spoken[locale], default=None)

    @property
    def _all(self) -> list[Reference | Utterance]:
        return [*self.references, *self.heard]


def pair(references: Sequence[Reference], heard: Sequence[Utterance]) -> list[Unit]:
    """Return the units of one channel, in the order of time; every reference and utterance is in exactly one."""
    group = list(range(len(references) + len(heard)))

    def root(at: int) -> int:
        while group[at] != at:
            at = group[at]
        return at

    for mine, utterance in enumerate(heard, len(references)):
        shared = [(_shared_ms(reference, utterance), at) for at, reference in enumerate(references)]
        most, best = max(shared, default=(0, 0))
        for overlap_ms, at in shared:
            shorter_ms = max(1, min(_ms(references[at]), _ms(utterance)))
            if overlap_ms >= _SHARE * shorter_ms or (overlap_ms == most > 0 and at == best):
                group[root(mine)] = root(at)
    together: dict[int, tuple[list[Reference], list[Utterance]]] = defaultdict(lambda: ([], []))
    for at, reference in enumerate(references):
        together[root(at)][0].append(reference)
    for at, utterance in enumerate(heard, len(references)):
        together[root(at)][1].append(utterance)
    units = [Unit(tuple(said), tuple(found)) for said, found in together.values()]
    return sorted(units, key=lambda unit: unit.start_ms)


def _shared_ms(reference: Reference, utterance: Utterance) -> int:
    return max(0, min(reference.end_ms, utterance.end_ms) - max(reference.start_ms, utterance.start_ms))


def _ms(span: Reference | Utterance) -> int:
    return span.end_ms - span.start_ms


def _only(values: Sequence[T]) -> T | None:
    return values[0] if values and all(value == values[0] for value in values) else None
