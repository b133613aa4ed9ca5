"""What things cost, before they are done and after. Pure."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from dragoman.domain.audio import SAMPLE_RATE_HZ
from dragoman.domain.events import DurableEvent, InsightReady, TranscriptFinal
from dragoman.domain.insight import NodeCost
from dragoman.evaluation.cost import Prices, Usage
from dragoman.store.budgets import Consumed

MICRO: Final = 1_000_000

_CHARACTERS_PER_S: Final = 20.0
"""What is reserved for the translation of a second of audio: the samples' speech has 15, pauses included."""

_INSIGHT: Final = Consumed(prompt_tokens=8_000, completion_tokens=1_500)
"""What is reserved for what follows from a conversation; an hour of talk is about so long."""

ANSWER: Final = Consumed(prompt_tokens=8_000, completion_tokens=500)
"""What is reserved for an answer."""


def micro_usd(consumed: Consumed, prices: Prices) -> int:
    """Return what something costs, in millionths of a US dollar, rounded up."""
    seconds = consumed.samples / SAMPLE_RATE_HZ
    usage = Usage(seconds, seconds, consumed.characters, consumed.prompt_tokens, consumed.completion_tokens)
    return math.ceil(round(usage.cost_usd(prices) * MICRO, 6))


def consumed_by(event: DurableEvent) -> Consumed:
    """Return what an event tells was used; audio stands in the books of its session.

    Finals are translated into every language in ``translates_to``, whatever comes of it. Tokens are those of insights:
    nobody says yet what reading finals again took.
    """
    match event:
        case TranscriptFinal():
            return Consumed(characters=len(event.text) * len(event.translates_to))
        case InsightReady():
            return tokens_of(event.insight.costs)
        case _:
            return Consumed()


def tokens_of(costs: Iterable[NodeCost]) -> Consumed:
    """Return the tokens that a step took."""
    known = list(costs)
    return Consumed(
        prompt_tokens=sum(each.prompt_tokens for each in known),
        completion_tokens=sum(each.completion_tokens for each in known),
    )


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a session spends: into how many languages it is translated, and whether somebody says what follows."""

    targets: int = 0
    has_insight: bool = False

    def ahead(self, samples: int) -> Consumed:
        """Return what is to be reserved for so much audio that nobody has heard yet."""
        characters = math.ceil(samples / SAMPLE_RATE_HZ * _CHARACTERS_PER_S * self.targets)
        return Consumed(samples, characters) + (_INSIGHT if self.has_insight else Consumed())
