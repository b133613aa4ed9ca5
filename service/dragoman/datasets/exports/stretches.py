"""Where recordings are cut, so that every stretch is one utterance and no longer than a service takes. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from dragoman.datasets.exports.outcome import LeftOut, Reason
from dragoman.datasets.items import RecordingItem, Reference, SpokenWord

MARGIN_MS: Final = 500
"""Silence to keep before and after speech, where there is some: "at least a half-second" (Training and testing
datasets).
"""

_TOLERANCE_MS: Final = 50
_SENTENCE_ENDS: Final = tuple(".?!。？！…।؟")


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a recording with one text; ``channel`` is ``None`` where there is only one.

    ``where`` names the utterance that it is, or is a part of.
    """

    start_ms: int
    end_ms: int
    channel: int | None
    locale: str
    text: str
    where: str


def cut(item: RecordingItem, longest_ms: int) -> tuple[tuple[Stretch, ...], tuple[LeftOut, ...]]:
    """Return the stretches of a recording, in order of time, and the utterances of which there are none.

    What is longer than ``longest_ms`` is cut between sentences, where there are several, else between words.
    """
    stretches: list[Stretch] = []
    left_out: list[LeftOut] = []
    for said in sorted(item.utterances, key=lambda each: (each.start_ms, each.end_ms)):
        reason = _unfit(said, item)
        found = list(_stretches(said, item, longest_ms)) if reason is None else []
        if found:
            stretches += found
            continue
        reason = reason or _too_long(said, longest_ms)
        left_out.append(LeftOut(_where(said, item), *reason))
    return tuple(stretches), tuple(left_out)


def _unfit(said: Reference, item: RecordingItem) -> tuple[Reason, str] | None:
    if not 0 <= said.start_ms < said.end_ms <= item.duration_ms + _TOLERANCE_MS:
        return Reason.TIMES, "it does not lie within the recording; look with: dragoman data validate"
    if any(other.start_ms < said.end_ms and said.start_ms < other.end_ms for other in _others(said, item)):
        return Reason.OVERLAP, "somebody else speaks at the same time, and one transcript cannot hold both"
    return None


def _too_long(said: Reference, longest_ms: int) -> tuple[Reason, str]:
    return (
        Reason.LONG,
        f"{(said.end_ms - said.start_ms) / 1_000:.1f} s, and {longest_ms / 1_000:g} s is the most; "
        "it can be cut only where the times of its words are known, and these are its text",
    )


def _others(said: Reference, item: RecordingItem) -> Iterator[Reference]:
    return (each for each in item.utterances if each is not said and each.channel == said.channel)


def _stretches(said: Reference, item: RecordingItem, longest_ms: int) -> Iterator[Stretch]:
    before = max((each.end_ms for each in _others(said, item) if each.end_ms <= said.start_ms), default=0)
    after = min((each.start_ms for each in _others(said, item) if each.start_ms >= said.end_ms), default=None)
    last_ms = min(item.duration_ms, after if after is not None else item.duration_ms)
    channel = said.channel if item.channels > 1 else None
    end_ms = min(said.end_ms, item.duration_ms)
    if end_ms - said.start_ms <= longest_ms:
        margin_ms = min(MARGIN_MS, (longest_ms - (end_ms - said.start_ms)) // 2)
        start_ms, end_ms = max(before, said.start_ms - margin_ms), min(last_ms, end_ms + margin_ms)
        yield Stretch(start_ms, end_ms, channel, said.locale, said.text, _where(said, item))
        return
    runs = _runs(said.words, longest_ms)
    if _letters("".join(word.text for word in said.words)) != _letters(said.text) or not runs:
        return
    edges = [
        said.start_ms,
        *((one[-1].end_ms + two[0].start_ms) // 2 for one, two in pairwise(runs)),
    ]
    for run, start_ms, end in zip(runs, edges, [*edges[1:], end_ms], strict=True):
        yield Stretch(start_ms, end, channel, said.locale, _text(run, said.text), _where(said, item))


def _runs(words: Sequence[SpokenWord], longest_ms: int) -> list[Sequence[SpokenWord]]:
    """Return words in runs, each no longer than that with the pauses around it; empty if one word is longer."""
    runs: list[Sequence[SpokenWord]] = []
    rest = list(words)
    while rest:
        begin = runs[-1][-1].end_ms if runs else rest[0].start_ms
        # What stands between two runs is shared between them, so the pause after the last word may count as well.
        fitting = [
            number
            for number, word in enumerate(rest, 1)
            if (rest[number].start_ms if number < len(rest) else word.end_ms) - begin <= longest_ms
        ]
        if not fitting:
            return []
        ends = [number for number in fitting if rest[number - 1].text.endswith(_SENTENCE_ENDS)]
        taken = fitting[-1] if fitting[-1] == len(rest) or not ends else ends[-1]
        runs.append(rest[:taken])
        rest = rest[taken:]
    return runs


def _letters(text: str) -> str:
    return "".join(text.split())


def _text(run: Sequence[SpokenWord], whole: str) -> str:
    return (" " if " " in whole else "").join(word.text for word in run)


def _where(said: Reference, item: RecordingItem) -> str:
    return f"{item.id} {said.start_ms}-{said.end_ms} ms"
