"""Figures as people read them: in their unit, with no more digits than they carry."""

import math
from typing import Final

from dragoman.evaluation.figures import Estimate
from dragoman.evaluation.metrics.metric import Unit

NONE: Final = "—"
THIN: Final = "\u202f"
"""Between a number and its unit: narrow, and no line breaks there."""


def shown(value: float | None, unit: Unit) -> str:
    """Return a figure with its unit; a dash if there is none."""
    if value is None:
        return NONE
    if unit == "share" and 0 < value < 0.00005:
        return f"<{THIN}0.01{THIN}%"
    number, suffix = _told(value, value, unit)
    return number + suffix


def interval(figure: Estimate, unit: Unit) -> str:
    """Return between what a figure lies, with equal digits on both sides; nothing if that is not known."""
    if figure.low is None or figure.high is None:
        return ""
    low, _ = _told(figure.low, figure.high, unit)
    high, suffix = _told(figure.high, figure.high, unit)
    return f"{low}{THIN}–{THIN}{high}{suffix}"


def count(number: int) -> str:
    """Return how many, short from a million on."""
    return f"{number:,}" if number < 1_000_000 else f"{number / 1_000_000:,.1f}{THIN}M"


def tick(value: float, widest: float, unit: Unit) -> str:
    """Return what is written at a scale that ends with ``widest``."""
    match unit:
        case "share":
            return f"{100 * value:.6g}{THIN}%"
        case "ms":
            divisor, suffix = _of_time(widest)
            return f"{value / divisor:.6g}{THIN}{suffix}"
        case "usd":
            return f"${value:.2f}" if 0.1 <= widest < 10 else f"${value:.6g}"
        case _:
            return f"{value:.6g}"


def clock(position_ms: int, *, tenths: bool = True) -> str:
    """Return a position in a recording, as ``5:31.3``."""
    minutes, rest_ms = divmod(position_ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest_ms // 100 / 10:04.1f}" if tenths else f"{rest_ms // 1_000:02d}"
    return f"{hours}:{minutes:02d}:{seconds}" if hours else f"{minutes}:{seconds}"


def lasting(seconds: float) -> str:
    """Return how long audio is, in the unit in which people would say it."""
    if seconds < 90:
        return f"{seconds:.0f}{THIN}s"
    if seconds < 5_400:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3_600:.1f} hours"


def _told(value: float, widest: float, unit: Unit) -> tuple[str, str]:
    """Return a number and its suffix, as precise as ``widest`` deserves."""
    match unit:
        case "share":
            return _rounded(100 * value, _share_digits(100 * widest), whole=100), f"{THIN}%"
        case "score":
            return _rounded(value, 1, whole=100), ""
        case "ms":
            divisor, suffix = _of_time(widest)
            return _rounded(value / divisor, 0 if divisor == 1 else 1), THIN + suffix
        case "ratio":
            return _rounded(value, _ratio_digits(widest)), ""
        case "usd":
            return f"${_rounded(value, 2 if abs(widest) >= 0.1 else _digits(widest, 2))}", ""
        case "number":
            return _rounded(value, _digits(widest, 3)), ""


def _rounded(number: float, digits: int, whole: float | None = None) -> str:
    return f"{number:,.0f}" if number in (0, whole) else f"{number:,.{digits}f}"


def _share_digits(percent: float) -> int:
    return 2 if abs(percent) < 1 or 99.9 < percent < 100 else 1


def _digits(number: float, significant: int) -> int:
    if not number:
        return 0
    return min(6, max(0, significant - 1 - math.floor(math.log10(abs(number)))))


def _ratio_digits(ratio: float) -> int:
    return 3 if 0.001 <= abs(ratio) < 0.1 else _digits(ratio, 2)


def _of_time(widest_ms: float) -> tuple[float, str]:
    if widest_ms < 1_000:
        return 1, "ms"
    return (1_000, "s") if widest_ms < 120_000 else (60_000, "min")
