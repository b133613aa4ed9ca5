import math
from collections.abc import Mapping

import pytest

from dragoman.domain.language import Locale
from dragoman.engines.language import (
    Continuous,
    Evidence,
    LanguageRules,
    decide_at_start,
    decide_continuous,
    normalise,
    pool,
)

RULES = LanguageRules()
EN, DE, FR = Locale("en-US"), Locale("de-DE"), Locale("fr-FR")


def heard(speech_ms: int, **probabilities: float) -> Evidence:
    """Return evidence for en, de and fr; what is left over is shared by those not named."""
    named = {Locale(f"{tag}-{'US' if tag == 'en' else tag.upper()}"): value for tag, value in probabilities.items()}
    rest = (1 - sum(named.values())) / (3 - len(named))
    return Evidence({locale: math.log(named.get(locale, rest)) for locale in (EN, DE, FR)}, speech_ms)


def locales(*utterances: Evidence) -> list[Locale]:
    """Return the language of each utterance under continuous identification."""
    state: Continuous | None = None
    found = []
    for utterance in utterances:
        state = decide_continuous(state, utterance, RULES)
        found.append(state.locale)
    return found


@pytest.mark.parametrize(
    ("utterances", "expected"),
    [
        ([heard(300, en=0.5)], [EN]),  # the first utterance decides, however short
        ([heard(2_000, en=0.99), heard(2_000, de=0.99)], [EN, DE]),  # a clear switch is believed at once
        ([heard(2_000, en=0.99), heard(2_000, de=0.6)], [EN, EN]),  # a doubtful one is not
        ([heard(2_000, en=0.99), heard(2_000, de=0.75), heard(2_000, de=0.75)], [EN, EN, DE]),  # unless it repeats
        ([heard(2_000, en=0.99), heard(200, de=0.9)], [EN, EN]),  # a murmur is not enough
        ([heard(2_000, en=0.99), heard(200, de=0.9)] + [heard(200, de=0.9)] * 4, [EN] * 4 + [DE] * 2),
        (
            [heard(2_000, en=0.99), heard(2_000, de=0.75), heard(2_000, en=0.9), heard(2_000, de=0.75)],
            [EN, EN, EN, EN],  # a win of the current language clears the challenge
        ),
        (
            [heard(2_000, en=0.99), heard(2_000, de=0.75), heard(2_000, fr=0.75), heard(2_000, de=0.75)],
            [EN, EN, EN, EN],  # challengers do not help each other
        ),
    ],
)
def test_continuous_identification(utterances: list[Evidence], expected: list[Locale]) -> None:
    assert locales(*utterances) == expected


@pytest.mark.parametrize(
    ("utterances", "expected"),
    [
        ([], None),
        ([heard(400, en=0.999)], None),  # too little speech, however sure
        ([heard(1_000, en=0.99)], EN),
        ([heard(1_000, en=0.8)], None),
        ([heard(2_000, en=0.4)], EN),  # two seconds decide in any case
        ([heard(500, en=0.97), heard(500, en=0.97)], EN),  # evidence adds up, each with its weight
        ([heard(500, de=0.6), heard(1_600, en=0.9)], EN),
    ],
)
def test_at_start_identification(utterances: list[Evidence], expected: Locale | None) -> None:
    decision = decide_at_start(utterances, RULES)
    assert (decision and decision.best) == expected


def test_at_the_end_whatever_was_heard_decides() -> None:
    decision = decide_at_start([heard(300, fr=0.5)], RULES, no_more=True)
    assert decision is not None
    assert decision.best == FR


def test_nothing_heard_decides_nothing() -> None:
    assert decide_at_start([], RULES, no_more=True) is None


@pytest.mark.parametrize("weights", [{EN: 0.0, DE: 0.0}, {EN: -700.0, DE: -1.0, FR: -3.0}, {EN: 5.0}])
def test_probabilities_over_the_candidates_sum_to_one(weights: Mapping[Locale, float]) -> None:
    assert math.fsum(math.exp(value) for value in normalise(weights).values()) == pytest.approx(1)


def test_pooling_multiplies_independent_evidence() -> None:
    pooled = pool([heard(1_700, en=0.8, de=0.1), heard(1_300, en=0.8, de=0.1)], RULES)
    assert pooled.speech_ms == 3_000
    assert math.exp(pooled.log_probs[EN]) == pytest.approx(0.64 / 0.66)


def test_a_cough_does_not_outvote_speech() -> None:
    cough = Evidence({EN: math.log(1e-9), DE: math.log(1 - 2e-9), FR: math.log(1e-9)}, 100)
    assert pool([heard(1_900, en=0.9), cough], RULES).best == EN


def test_scores_are_ranked() -> None:
    assert [locale for locale, _ in heard(1, de=0.7, fr=0.2).scores] == [DE, FR, EN]
