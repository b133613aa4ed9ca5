"""The worst there was, as it is read: what was said, with what was heard instead, and where to listen."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from dragoman.audio.clip import MEDIA_TYPE, Clip
from dragoman.evaluation.layout.numbers import clock
from dragoman.evaluation.report import AlignedStep, Case, Report

_AROUND: Final = 8
"""Words that are kept on either side of an error; what is right for longer is left out there."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of an alignment; of what is equal, ``said`` is what is left of it."""

    change: Literal["equal", "substitute", "delete", "insert"]
    said: str
    heard: str


@dataclass(frozen=True, slots=True)
class Player:
    """A clip that the page itself holds; ``note`` says what of the part it is, if it is not all."""

    source: str
    note: str


@dataclass(frozen=True, slots=True)
class ShownCase:
    """One of the worst parts; ``where`` is empty if it is no part of a recording."""

    number: int
    item: str
    where: str
    locale: str | None
    heard_locale: str | None
    said: str
    heard: str
    errors: int
    stretches: tuple[Stretch, ...]
    player: Player | None


def cases(report: Report, clips: Mapping[int, Clip]) -> list[ShownCase]:
    """Return the worst parts; ``clips`` are by their number in the report; without one there is no player."""
    return [_case(number, case, clips.get(number)) for number, case in enumerate(report.worst)]


def _case(number: int, case: Case, clip: Clip | None) -> ShownCase:
    last = len(case.steps) - 1
    return ShownCase(
        number=number + 1,
        item=case.item,
        where=f"{clock(case.start_ms)} – {clock(case.end_ms)}" if case.end_ms else "",
        locale=case.locale,
        heard_locale=case.heard_locale,
        said=case.said,
        heard=case.heard,
        errors=case.errors,
        stretches=tuple(_stretch(step, at == 0, at == last) for at, step in enumerate(case.steps)),
        player=_player(clip) if clip else None,
    )


def _stretch(step: AlignedStep, is_first: bool, is_last: bool) -> Stretch:
    if step.change != "equal":
        return Stretch(step.change, step.said, step.heard)
    words = step.said.split()
    before = [] if is_first else words[:_AROUND]
    after = [] if is_last else words[-_AROUND:]
    left_out = len(words) - len(before) - len(after)
    kept = words if left_out < 3 else [*before, "…", *after]
    return Stretch("equal", " ".join(kept), "")


def _player(clip: Clip) -> Player:
    data = base64.b64encode(clip.mp3).decode("ascii")
    note = f"the first {(clip.end_ms - clip.start_ms) / 1_000:.0f} s" if clip.is_cut else ""
    return Player(f"data:{MEDIA_TYPE};base64,{data}", note)
