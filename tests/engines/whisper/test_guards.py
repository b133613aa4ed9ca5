import pytest

from dragoman.engines.whisper.guards import Doubt, GuardRules, compression_ratio, doubts, has_loop

RULES = GuardRules()


def found(text: str, *, avg_log_prob: float = -0.2, no_speech: float = 0.0, speech_ms: int = 4_000) -> set[Doubt]:
    return set(doubts(text, avg_log_prob=avg_log_prob, no_speech=no_speech, speech_ms=speech_ms, rules=RULES))


@pytest.mark.parametrize(
    "text",
    [
        "Guten Morgen, hier ist Clara Wagner aus Lyon.",
        "My order number is 4 4 4 4 4 4 4 4.",  # digits may repeat
        "No, no, no, no!",
        "One two three, one two three.",
        "はい、そうです。",
        "",
    ],
)
def test_ordinary_text_is_trusted(text: str) -> None:
    assert found(text) == set()


@pytest.mark.parametrize(
    "text",
    [
        "the the the the the",
        "thank you thank you thank you thank you",
        "I will call you back I will call you back I will call you back I will call you back",
        "Yes, and then again and again and again and again and again",
    ],
)
def test_the_same_words_over_and_over_are_a_loop(text: str) -> None:
    assert has_loop(text, RULES)


def test_a_long_loop_compresses_too_well() -> None:
    text = "na " * 60
    assert compression_ratio(text) > RULES.max_compression_ratio
    assert {Doubt.LOOP, Doubt.REPETITIVE} <= found(text, speech_ms=20_000)


def test_nobody_speaks_that_fast() -> None:
    assert found("Good morning, this is Clara Wagner from Lyon, how are you?", speech_ms=300) == {Doubt.RUNAWAY}


def test_short_words_in_a_breath_are_trusted() -> None:
    assert found("Sí, es correcto.", speech_ms=100) == set()


@pytest.mark.parametrize("score", [-1.2, float("-inf"), float("nan")])
def test_a_low_score_is_doubted(score: float) -> None:
    assert found("Hello.", avg_log_prob=score) == {Doubt.UNSURE}


def test_the_models_own_doubt_counts_only_with_a_low_score() -> None:
    assert found("Hello.", no_speech=0.9) == set()
    assert found("Hello.", no_speech=0.9, avg_log_prob=-1.5) == {Doubt.UNSURE, Doubt.NO_SPEECH}
