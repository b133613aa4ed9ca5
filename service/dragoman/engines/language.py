"""Which language is spoken: pure decisions over log-probabilities, for engines that decide on our side."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dragoman.domain.language import Locale


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one stretch of speech says about its language: a log-probability per candidate, normalised over them."""

    log_probs: Mapping[Locale, float]
    speech_ms: int

    @property
    def best(self) -> Locale:
        """The most likely candidate."""
        return max(self.log_probs, key=lambda locale: self.log_probs[locale])

    @property
    def scores(self) -> tuple[tuple[Locale, float], ...]:
        """Probabilities, best first."""
        ranked = sorted(self.log_probs.items(), key=lambda item: -item[1])
        return tuple((locale, math.exp(log_prob)) for locale, log_prob in ranked)


@dataclass(frozen=True, slots=True)
class LanguageRules:
    """How much evidence a decision needs.

    Speech shorter than ``full_weight_ms`` counts in proportion, and no utterance counts more than ``max_log_odds``.

    At-start: ``enough_speech_ms`` of speech decide in any case, ``min_speech_ms`` do if the posterior reaches
    ``confident``, and ``patience_ms`` after speech began whatever was heard does (Azure answers within 5 s too).
    Continuous: a challenger must lead by ``switch_log_odds``, where successive utterances add up; a win of the current
    language clears it.
    """

    enough_speech_ms: int = 2_000
    min_speech_ms: int = 900
    patience_ms: int = 5_000
    confident: float = 0.95
    switch_log_odds: float = math.log(9)
    full_weight_ms: int = 1_000
    max_log_odds: float = 6.0


@dataclass(frozen=True, slots=True)
class Continuous:
    """State of continuous identification: the current locale, and how far each challenger has come."""

    locale: Locale
    challenge: Mapping[Locale, float] = field(default_factory=dict)


def normalise(log_weights: Mapping[Locale, float]) -> dict[Locale, float]:
    """Return log-probabilities that sum to 1 over the candidates given."""
    top = max(log_weights.values())
    log_total = top + math.log(sum(math.exp(weight - top) for weight in log_weights.values()))
    return {locale: weight - log_total for locale, weight in log_weights.items()}


def pool(heard: Sequence[Evidence], rules: LanguageRules) -> Evidence:
    """Return the evidence of independent stretches as one; several count with their weights."""
    if len(heard) == 1:
        return heard[0]
    sums = {locale: sum(_vote(evidence, locale, rules) for evidence in heard) for locale in heard[0].log_probs}
    return Evidence(normalise(sums), sum(evidence.speech_ms for evidence in heard))


def decide_at_start(heard: Sequence[Evidence], rules: LanguageRules, *, no_more: bool = False) -> Evidence | None:
    """Return the pooled evidence if it suffices to decide once and for all, else ``None``: keep listening.

    ``heard`` holds the stretches since the session began; ``no_more`` says that none will follow.
    """
    if not heard:
        return None
    pooled = pool(heard, rules)
    confident = pooled.speech_ms >= rules.min_speech_ms and pooled.scores[0][1] >= rules.confident
    return pooled if no_more or confident or pooled.speech_ms >= rules.enough_speech_ms else None


def decide_continuous(state: Continuous | None, heard: Evidence, rules: LanguageRules) -> Continuous:
    """Return the state after one more utterance; its ``locale`` is that utterance's language.

    ``state`` is ``None`` before the first utterance, whose best candidate wins at once.
    """
    best = heard.best
    if state is None or best == state.locale:
        return Continuous(best)
    challenge = state.challenge.get(best, 0.0) - _vote(heard, state.locale, rules)
    return Continuous(best) if challenge >= rules.switch_log_odds else Continuous(state.locale, {best: challenge})


def _vote(evidence: Evidence, locale: Locale, rules: LanguageRules) -> float:
    """Return how far a candidate is behind the best one, in weighted and bounded log-odds: 0 or less."""
    behind = evidence.log_probs[locale] - evidence.log_probs[evidence.best]
    return min(1.0, evidence.speech_ms / rules.full_weight_ms) * max(behind, -rules.max_log_odds)
