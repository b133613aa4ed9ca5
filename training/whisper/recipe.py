"""What training windows are like, in shares."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recipe:
    """Shares of windows with some property; ``several`` are those of more than one sentence.

    ``translated`` ones hold only sentences whose English is known (others do by chance), and whole ones. ``tight`` ones
    begin and end with the speech, give or take 0.3 s: half as much to compute. ``warped`` ones are spoken by nobody:
    their formants are moved.
    """

    no_speech: float = 0.07
    several: float = 0.38
    cropped: float = 0.18
    cut: float = 0.12
    long: float = 0.015
    noisy: float = 0.4
    telephone: float = 0.08
    masked: float = 0.1
    warped: float = 0.0
    tight: float = 0.0
    translated: float = 0.2
