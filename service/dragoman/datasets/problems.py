"""What is wrong with a dataset, in a form that people and programs read."""

from dataclasses import dataclass
from enum import StrEnum


class Check(StrEnum):
    """What was looked at. The values are public and never change."""

    CARD = "card"
    FILE = "file"
    CHECKSUM = "checksum"
    AUDIO = "audio"
    DURATION = "duration"
    UTTERANCES = "utterances"
    LOCALE = "locale"
    LEAKAGE = "leakage"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong; ``item`` is the id of what it is wrong with, ``None`` for the whole dataset."""

    check: Check
    item: str | None
    message: str
