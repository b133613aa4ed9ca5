"""How well a server follows the languages of a stream: how soon it says the first, and what it makes of switches."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from bench.peers.audio import Said, Speech


@dataclass(frozen=True, slots=True)
class LanguageFigures:
    """One stream. ``decided_s`` is from the first sample of speech to the first language said, ``right`` if it was.

    ``switches_s`` has, for every switch that was said, the time from the first word in the new language; ``switches``
    counts those there were, and ``false_switches`` what else was said.
    """

    decided_s: float | None
    right: bool
    switches: int
    switches_s: tuple[float, ...]
    false_switches: int


def follow(speech: Speech, said: Sequence[Said]) -> LanguageFigures:
    """Compare what was said with what was spoken."""
    spoken = speech.languages
    decided = said[0] if said else None
    rest = list(said[1:])
    found: list[float] = []
    for switch, following in pairwise([*spoken[1:], Said(float("inf"), "")]):
        match = next((each for each in rest if each.language == switch.language and each.at_s >= switch.at_s), None)
        # What comes after the next switch has been spoken does not follow this one any more.
        if match and match.at_s < following.at_s:
            found.append(match.at_s - switch.at_s)
            rest.remove(match)
    return LanguageFigures(
        decided_s=decided.at_s - spoken[0].at_s if decided else None,
        right=decided is not None and decided.language == spoken[0].language,
        switches=len(spoken) - 1,
        switches_s=tuple(found),
        false_switches=len(rest),
    )
