import pytest

from dragoman.engines.whisper.guards import Doubt, GuardRules, Outcome, compression_ratio, doubts, has_loop

RULES = GuardRules()


def found(
    text: str,
    *,
    avg_log_prob: float = -0.2,
    no_speech: float = 0.0,
    speech_s: float = 4.0,
    until_s: float | None = None,
    unfinished: bool = False,
    truncated: bool = False,
) -> set[Doubt]:
    outcome = Outcome(text, avg_log_prob, no_speech, until_s, unfinished, truncated)
    return set(doubts(outcome, speech_s=speech_s, speech_end_s=speech_s, rules=RULES))


@pytest.mark.parametrize(
    "text",
    [
        "Guten Morgen, hier ist Clara Wagner aus Lyon.",
        "My order number is 4 4 4 4 4 4 4 4.",  # digits may repeat
        "No, no, no, no!",
        "One two three, one two three.",
        "はい、そうです。",
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
    assert {Doubt.LOOP, Doubt.REPETITIVE} <= found(text, speech_s=20)


def test_nobody_speaks_that_fast() -> None:
    assert found("Good morning, this is Clara Wagner from Lyon, how are you?", speech_s=0.3) == {Doubt.RUNAWAY}


def test_short_words_in_a_breath_are_trusted() -> None:
    assert found("Sí, es correcto.", speech_s=0.1) == set()


@pytest.mark.parametrize("score", [-1.2, float("-inf"), float("nan")])
def test_a_low_score_is_doubted(score: float) -> None:
    assert found("Hello.", avg_log_prob=score) == {Doubt.UNSURE}


def test_the_models_own_doubt_counts_only_with_a_low_score() -> None:
    assert found("Hello.", no_speech=0.9) == set()
    assert found("Hello.", no_speech=0.9, avg_log_prob=-1.5) == {Doubt.UNSURE, Doubt.NO_SPEECH}


@pytest.mark.parametrize(("speech_s", "expected"), [(0.4, set()), (1.0, {Doubt.EMPTY})])
def test_nothing_is_doubted_only_where_something_was_said(speech_s: float, expected: set[Doubt]) -> None:
    assert found("", speech_s=speech_s) == expected


@pytest.mark.parametrize(
    ("until_s", "expected"), [(4.0, set()), (3.6, set()), (3.4, {Doubt.INCOMPLETE}), (None, set())]
)
def test_a_text_that_ends_before_the_speech_is_incomplete(until_s: float | None, expected: set[Doubt]) -> None:
    assert found("Good morning.", until_s=until_s) == expected


def test_a_text_without_an_end_is_incomplete() -> None:
    assert found("Good mor", unfinished=True) == {Doubt.INCOMPLETE}


def test_a_text_that_was_cut_off_is_doubted() -> None:
    assert found("Good morning.", truncated=True) == {Doubt.TRUNCATED}
