"""Durations in ISO 8601, as Azure writes them."""

import re
from typing import Final

_PATTERN: Final = re.compile(r"P(?:(?P<d>\d+)D)?(?:T(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+(?:\.\d+)?)S)?)?")


def seconds(text: str) -> float:
    """Return a duration such as ``PT1M`` or ``PT0.5S`` in seconds.

    Raises:
        ValueError: if it is none.
    """
    found = _PATTERN.fullmatch(text)
    if found is None or text in ("P", "PT"):
        raise ValueError(f"'{text}' is no duration; write one such as PT1M")
    days, hours, minutes, rest = (float(found[name] or 0) for name in "dhms")
    return days * 86_400 + hours * 3_600 + minutes * 60 + rest
