"""A report as a page for people: one file that needs nothing else, not even a network."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import jinja2

from dragoman.audio.clip import Clip, cut
from dragoman.datasets.dataset import Dataset
from dragoman.datasets.items import RecordingItem
from dragoman.domain.errors import DragomanError
from dragoman.evaluation.figures import DRAWS
from dragoman.evaluation.layout import cases, groups, items, measured, measures, numbers, slices, spread
from dragoman.evaluation.report import Report

__all__ = ["Banner", "Clip", "cut_clips", "render"]

_TEMPLATES: Final = Path(__file__).resolve().parent / "layout"


@dataclass(frozen=True, slots=True)
class Banner:
    """What the gate says of the report: it stands at the top."""

    is_passed: bool
    title: str
    reasons: tuple[str, ...] = ()


def render(report: Report, clips: Mapping[int, Clip] | None = None, banner: Banner | None = None) -> str:
    """Return the page. ``clips`` let hear ``report.worst``, by their number in it; what has none is told without."""
    noun = "case" if report.dataset.audio_s is None else "recording"
    script = _asset("sort.js")
    return _template().render(
        report=report,
        banner=banner,
        noun=noun,
        audio=None if report.dataset.audio_s is None else numbers.lasting(report.dataset.audio_s),
        created=f"{report.created.day} {report.created:%B %Y, %H:%M} UTC",
        tiles=measures.tiles(report, noun),
        groups=groups.groups(report),
        dimensions=slices.dimensions(report),
        few=slices.FEW_ITEMS,
        draws=DRAWS,
        heat=measured.heat(report.confusion) if report.confusion else [],
        spreads=spread.spreads(report),
        items=items.item_table(report),
        cases=cases.cases(report, clips or {}),
        candidate=measured.candidate(report),
        machine=measured.machine(report),
        notes=measured.notes(report),
        style=_asset("style.css"),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


async def cut_clips(report: Report, dataset: Dataset) -> dict[int, Clip]:
    """Return what the worst parts sound like, by their number; what cannot be heard any more is left out."""
    recordings = {item.id: item for item in dataset.recordings}
    found: dict[int, Clip] = {}
    for number, case in enumerate(report.worst):
        item = recordings.get(case.item)
        if item is None:
            continue
        channel = case.channel if _is_heard_by_channel(item) else None
        try:
            found[number] = await cut(dataset.path(item), channel, case.start_ms, case.end_ms)
        except DragomanError:  # a page without a player says all the rest
            continue
    return found


def _is_heard_by_channel(item: RecordingItem) -> bool:
    """Return whether channels of a recording were heard one by one: where people speak on several."""
    return item.channels > 1 and len({each.channel for each in item.utterances}) > 1


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.jinja2")


@cache
def _asset(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8").strip()
