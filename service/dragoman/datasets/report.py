"""A profile as one HTML file: plots are SVG in it, and it asks nobody for anything."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import jinja2

from dragoman.datasets.charts import (
    CLIPPED,
    DURATIONS_S,
    LEVELS_DBFS,
    PERCENT,
    SNR_DB,
    UTTERANCES_S,
    WORDS_PER_MIN,
    Bar,
    histogram,
)
from dragoman.datasets.figures import Profile, Spread
from dragoman.datasets.quality import HIGHEST_SNR_DB

_MOST_ROWS: Final = 2_000
_MOST_SPEAKERS: Final = 12
_COLOURS: Final = 8
_MS_PER_S: Final = 1_000
_S_PER_MIN: Final = 60
_MIN_PER_H: Final = 60


@dataclass(frozen=True, slots=True)
class Plot:
    """A histogram with a title, what it counts, and a line about where the values lie."""

    title: str
    says: str
    bars: tuple[Bar, ...]
    is_classes: bool = False


def render_report(profile: Profile) -> str:
    """Return the report, an HTML document."""
    colours = {group.name: f"c{number % _COLOURS}" for number, group in enumerate(profile.languages)}
    return _template().render(
        profile=profile,
        plots=_plots(profile),
        colours=colours,
        speakers=profile.speakers[:_MOST_SPEAKERS],
        more_speakers=len(profile.speakers) - _MOST_SPEAKERS,
        rows=profile.recordings[:_MOST_ROWS],
        more_rows=len(profile.recordings) - _MOST_ROWS,
    )


def _plots(profile: Profile) -> tuple[Plot, ...]:
    rows = profile.recordings
    plots = (
        Plot(
            "Duration",
            _where(profile.spreads.get("duration_s"), "{:.1f}", "s"),
            histogram([row.duration_ms / _MS_PER_S for row in rows], DURATIONS_S),
        ),
        Plot(
            "Utterances",
            _where(profile.spreads.get("utterance_s"), "{:.1f}", "s"),
            histogram([milliseconds / _MS_PER_S for milliseconds in profile.utterances_ms], UTTERANCES_S),
        ),
        Plot(
            "Signal to noise",
            _where(profile.spreads.get("snr_db"), "{:.0f}", "dB") + _missing([row.snr_db for row in rows]),
            histogram([row.snr_db for row in rows if row.snr_db is not None], SNR_DB),
        ),
        Plot(
            "Level (RMS)",
            _where(profile.spreads.get("rms_dbfs"), "{:.0f}", "dBFS"),
            histogram([row.rms_dbfs for row in rows], LEVELS_DBFS),
        ),
        Plot(
            "Peak",
            _where(profile.spreads.get("peak_dbfs"), "{:.0f}", "dBFS"),
            histogram([row.peak_dbfs for row in rows], LEVELS_DBFS),
        ),
        Plot(
            "Clipped samples",
            _share_of([row.clipped_share > 0 for row in rows], "clipped"),
            histogram([row.clipped_share for row in rows], CLIPPED),
            is_classes=True,
        ),
        Plot(
            "Silence",
            _percent(profile.spreads.get("silence_share")),
            histogram([min(100 * row.silence_share, 99.9) for row in rows], PERCENT),
        ),
        Plot(
            "Speech",
            _percent(profile.spreads.get("speech_share")),
            histogram([min(100 * row.speech_share, 99.9) for row in rows], PERCENT),
        ),
        Plot(
            "Speech rate",
            _where(profile.spreads.get("words_per_min"), "{:.0f}", "words/min"),
            histogram([row.words_per_min for row in rows if row.words_per_min is not None], WORDS_PER_MIN),
        ),
    )
    return tuple(plot for plot in plots if any(bar.count for bar in plot.bars))


def _where(spread: Spread | None, number: str, unit: str) -> str:
    if spread is None:
        return ""
    median, low, high = (number.format(value).replace("-", "−") for value in (spread.median, spread.p5, spread.p95))
    return f"median {median} {unit}, most {low} to {high}"


def _percent(spread: Spread | None) -> str:
    if spread is None:
        return ""
    return f"median {spread.median:.0%} of a recording, most {spread.p5:.0%} to {spread.p95:.0%}"


def _missing(values: Sequence[float | None]) -> str:
    unknown = sum(value is None for value in values)
    return f"; {unknown} unknown" if unknown else ""


def _share_of(marks: Sequence[bool], what: str) -> str:
    return f"{sum(marks)} of {len(marks)} recordings are {what}" if any(marks) else "none in any recording"


def _length(milliseconds: float) -> str:
    seconds = milliseconds / _MS_PER_S
    if seconds < _S_PER_MIN:
        return f"{seconds:.1f} s"
    minutes, left_s = divmod(round(seconds), _S_PER_MIN)
    if minutes < _MIN_PER_H:
        return f"{minutes} min {left_s:02} s"
    return f"{minutes // _MIN_PER_H} h {minutes % _MIN_PER_H:02} min"


def _snr(value: float | None) -> str:
    return "≥ 60" if value is not None and value >= HIGHEST_SNR_DB else _number(value, 1)


def _number(value: float | None, digits: int = 0) -> str:
    return "–" if value is None else f"{value:,.{digits}f}".replace("-", "−").replace(",", "\u202f")


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"length_of": _length, "number": _number, "snr": _snr}
    return environment.get_template("report.html.jinja2")
