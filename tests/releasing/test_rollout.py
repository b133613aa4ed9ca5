"""A rollout goes on when it is sure, goes back when it is sure, and waits in between."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.releasing.confidence import bounds
from dragoman.releasing.live import Answers, AnswerVerdict, Minute, Seen
from dragoman.releasing.rollout import Decision, Stage, judge_stage, slow_limit_ms, stage_at, stages
from dragoman.releasing.rules import RolloutRules

RULES = RolloutRules()
TEN = Stage(0, 10)
FAST = {50: 40.0, 90: 70.0, 95: 90.0, 99: 120.0}
SLOW = {50: 900.0, 90: 1_700.0, 95: 1_900.0, 99: 2_200.0}
GOOD = Answers(judged=150, poor=1, why={"empty": 1}, groundedness=0.98)


def seen(n: float, errors: float = 0, quantiles: dict[int, float] | None = None, answers: Answers = GOOD) -> Seen:
    return Seen([Minute(0, n, errors, FAST if quantiles is None else quantiles)], answers)


LIVE = seen(900, 2)


@pytest.mark.parametrize(
    ("new", "elapsed_s", "decision", "because"),
    [
        (seen(300), 400, "go on", "within its limits"),
        (seen(300), 100, "wait", "watched for 300 s"),
        (seen(99), 400, "wait", "100 are needed"),
        (seen(99), 8_000, "hold", "100 are needed"),
        (Seen(), 400, "wait", "nothing was seen"),
        (Seen(), 8_000, "hold", "nothing was seen"),
        (seen(300, 12), 400, "wait", "errors: 4.0%"),
        (seen(300, 60), 10, "roll back", "errors: 20.0%"),
        (seen(8, 8), 10, "roll back", "errors: 100.0%"),
        (seen(300, 0, SLOW), 400, "roll back", "slower than 500 ms"),
        (seen(300, 0, {}), 400, "wait", "surely between 0.0% and 100.0%"),  # no latencies are no data
        (seen(300, answers=Answers()), 400, "wait", "poor answers: nothing"),
        (seen(300, answers=Answers(40, 0)), 400, "wait", "50 are needed"),
        (seen(300, answers=Answers(150, 60, {"inventing": 60})), 400, "roll back", "60 inventing"),
        (seen(300, answers=Answers(150, 22)), 400, "wait", "poor answers: 14.7%"),
    ],
)
def test_what_is_decided(new: Seen, elapsed_s: float, decision: Decision, because: str) -> None:
    judgement = judge_stage(TEN, new, LIVE, RULES, elapsed_s)
    assert (judgement.decision, because in judgement.reason) == (decision, True), judgement.reason
    assert [check.figure.split()[0] for check in judgement.checks] == ["errors", "slower", "poor"]


def test_worse_than_what_is_live_is_too_bad_even_within_limits() -> None:
    rules = RULES.model_copy(update={"errors": RULES.errors.model_copy(update={"limit": 0.3})})
    new, live = seen(1_000, 120), seen(5_000, 5)
    judgement = judge_stage(TEN, new, live, rules, 400)
    assert judgement.decision == "roll back"
    assert "of the live deployment it is less than" in judgement.reason
    assert judge_stage(TEN, new, seen(5_000, 600), rules, 400).decision == "go on"  # all of them have the same trouble


def test_at_all_of_the_traffic_nothing_is_beside_it() -> None:
    judgement = judge_stage(Stage(0, 100), seen(900), Seen(), RULES, 400)
    assert judgement.decision == "go on"
    assert all(check.live is None for check in judgement.checks)


def test_slow_is_beside_the_live_deployment_or_by_the_limit() -> None:
    assert slow_limit_ms(Seen(), RULES) == 10_000
    assert slow_limit_ms(seen(10), RULES) == 2 * 250  # 90 ms are nothing that anybody waits for
    assert slow_limit_ms(seen(10, 0, SLOW), RULES) == 2 * 1_900
    assert slow_limit_ms(seen(10, 0, {95: 9_000.0}), RULES) == 10_000


@pytest.mark.parametrize(
    ("limit_ms", "low", "high"),
    [(130, 0, 1), (100, 1, 5), (80, 5, 10), (50, 10, 50), (30, 50, 100)],
)
def test_quantiles_say_how_many_are_slow_at_least_and_at_most(limit_ms: float, low: float, high: float) -> None:
    assert Minute(0, 100, 0, FAST).slow(limit_ms) == (low, high)


@given(st.lists(st.floats(1, 1_000), min_size=100, max_size=100), st.floats(1, 1_000))
def test_what_quantiles_say_holds_for_the_requests_that_they_are_of(times: list[float], limit_ms: float) -> None:
    ranked = sorted(times)
    minute = Minute(0, 100, 0, {percent: ranked[percent - 1] for percent in (50, 90, 95, 99)})
    low, high = minute.slow(limit_ms)
    assert low - 1 <= sum(each > limit_ms for each in times) <= high  # a quantile by rank is a request itself


@given(st.integers(0, 500), st.integers(0, 500), st.sampled_from([0.2, 0.05, 0.001]))
def test_bounds_hold_what_was_seen(bad: int, good: int, error: float) -> None:
    low, high = bounds(bad, bad + good, error)
    assert 0 <= low <= high <= 1
    if bad + good:
        assert low <= bad / (bad + good) <= high


@settings(max_examples=20)
@given(st.sampled_from([0.01, 0.05, 0.2]), st.integers(0, 1_000))
def test_more_of_the_same_is_surer(share: float, seed: int) -> None:
    few, many = bounds(100 * share, 100, 0.05), bounds(10_000 * share, 10_000, 0.05)
    assert many[1] - many[0] < few[1] - few[0]


def ever(share: float, limit: float, error: float, looks: int, rollouts: int) -> float:
    """Return in how many rollouts the lower bound is ever above a limit, with a look after every request."""
    random = np.random.default_rng(7)
    alarms = 0
    for _ in range(rollouts):
        bad = np.cumsum(random.random(looks) < share)
        # Only where the share that was seen is above the limit can its bound be.
        suspicious = np.flatnonzero(bad / np.arange(1, looks + 1) > limit)
        alarms += any(bounds(float(bad[at]), float(at + 1), error)[0] > limit for at in suspicious)
    return alarms / rollouts


@pytest.mark.slow
def test_one_may_look_after_every_request_and_is_not_deceived() -> None:
    """The share is exactly at the limit, and 400 looks together deceive no more often than one may."""
    assert ever(share=0.05, limit=0.05, error=0.05, looks=400, rollouts=200) <= 0.05


def test_what_is_bad_is_noticed() -> None:
    assert ever(share=0.3, limit=0.05, error=0.05 / 24, looks=100, rollouts=100) >= 0.99


def test_the_stages_in_their_order() -> None:
    assert [each.name for each in stages(RULES)] == ["mirror 50 %", "10 %", "50 %", "100 %"]
    assert [each.name for each in stages(RULES.model_copy(update={"mirror": 0}))] == ["10 %", "50 %", "100 %"]


@pytest.mark.parametrize(
    ("mirror", "traffic", "at"), [(0, 0, None), (50, 0, 0), (20, 0, 0), (0, 10, 1), (0, 30, 1), (0, 50, 2), (0, 100, 3)]
)
def test_where_a_rollout_is_can_be_seen_by_its_traffic(mirror: int, traffic: int, at: int | None) -> None:
    assert stage_at(RULES, mirror, traffic) == at


@pytest.mark.parametrize("wrong", [(), (10, 50), (50, 10, 100), (10, 10, 100), (0, 100)])
def test_stages_that_do_not_rise_to_all_are_refused(wrong: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"rise|greater"):
        RolloutRules.model_validate({"stages": wrong})


def test_verdicts_add_up() -> None:
    verdicts = [AnswerVerdict(None, 1.0), AnswerVerdict("empty"), AnswerVerdict("inventing", 0.5)]
    assert Answers.of(verdicts) == Answers(3, 2, {"empty": 1, "inventing": 1}, 0.75)
    assert Answers.of([]) == Answers()
