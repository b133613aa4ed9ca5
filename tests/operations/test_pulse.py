"""The last hour, interval by interval."""

import pytest

from dragoman.domain.events import (
    AudioLost,
    DurableEvent,
    ErrorEvent,
    Latency,
    TranscriptFinal,
    TranscriptPartial,
    TranslationFailed,
    WarningEvent,
)
from dragoman.operations.pulse import INTERVAL_S, INTERVALS, Pulse, nearest_rank

NOW_S = 1_700_000_000.0


class Clock:
    now_s = NOW_S

    def __call__(self) -> float:
        return self.now_s


def final(since_speech_end_ms: int | None, seq: int = 1) -> TranscriptFinal:
    return TranscriptFinal(
        session_id="s_1",
        seq=seq,
        utterance_id=f"u_{seq}",
        rev=1,
        text="Guten Tag.",
        start_ms=0,
        end_ms=900,
        locale="de-DE",
        engine="whisper",
        latency=Latency(since_speech_end_ms=since_speech_end_ms),
    )


def partial(utterance_id: str, text: str = "Gut") -> TranscriptPartial:
    return TranscriptPartial(
        session_id="s_1",
        after_seq=1,
        utterance_id=utterance_id,
        rev=1,
        text=text,
        stable_len=0,
        start_ms=0,
        end_ms=500,
        locale="de-DE",
    )


def test_each_interval_tells_how_soon_finals_came() -> None:
    clock = Clock()
    pulse = Pulse(clock)
    pulse.opened("s_1", recovered=False, tenant="acme")
    for delay_ms in range(100, 2_100, 100):
        pulse.committed("s_1", final(delay_ms))
    clock.now_s += INTERVAL_S
    pulse.committed("s_1", final(50))
    pulse.committed("s_1", final(None))
    series = pulse.series("acme")
    assert series.at_s[-1] == (NOW_S + INTERVAL_S) // INTERVAL_S * INTERVAL_S
    assert series.finals[-3:] == [None, 20, 2]  # before, the server was not there
    assert series.final_p50_ms[-3:] == [None, 1_000, 50]
    assert series.final_p95_ms[-3:] == [None, 1_900, 50]
    assert {len(values) for values in (series.at_s, series.streams, series.word_p95_ms)} == {INTERVALS}


def test_the_first_word_of_an_utterance_is_told_apart_from_what_follows() -> None:
    pulse = Pulse(Clock())
    pulse.opened("s_1", recovered=False, tenant="acme")
    pulse.shown("s_1", partial("u_1", ""), 100, 10)  # nothing was shown yet
    pulse.shown("s_1", partial("u_1"), 700, 200)
    pulse.shown("s_1", partial("u_1"), 1_200, 300)
    pulse.shown("s_1", partial("u_2"), 900, 250)
    pulse.shown("s_1", partial("u_3"), None, None)  # of audio that another process took
    series = pulse.series("acme")
    assert (series.word_p50_ms[-1], series.word_p95_ms[-1]) == (700, 900)
    assert (series.partial_p50_ms[-1], series.partial_p95_ms[-1]) == (250, 300)


def test_what_goes_wrong_is_counted() -> None:
    pulse = Pulse(Clock())
    pulse.opened("s_1", recovered=False, tenant="acme")
    wrong: list[DurableEvent] = [
        ErrorEvent(session_id="s_1", seq=1, code="engine_failed", message="", retryable=True),
        AudioLost(session_id="s_1", seq=2, start_ms=0, end_ms=1, samples=16, reason="engine_failed"),
        TranslationFailed(session_id="s_1", seq=3, utterance_id="u_1", target="en", code="c", message="m"),
        WarningEvent(session_id="s_1", seq=4, code="lagging", message=""),
    ]
    for event in wrong:
        pulse.committed("s_1", event)
    series = pulse.series("acme")
    assert (series.errors[-1], series.warnings[-1]) == (3, 1)


def test_a_tenant_sees_its_own_and_the_platform_sees_all() -> None:
    clock = Clock()
    pulse = Pulse(clock)
    for session_id, tenant in (("s_1", "acme"), ("s_2", "acme"), ("s_3", "other")):
        pulse.opened(session_id, recovered=False, tenant=tenant)
        pulse.committed(session_id, final(100))
    pulse.sample({"s_1": 300, "s_2": 2_000, "s_3": 5_000})
    pulse.sample({"s_1": 400})  # the most of an interval counts
    seen = {name: pulse.series(name) for name in ("acme", "other", "nobody", None)}
    assert [each.streams[-1] for each in seen.values()] == [2, 1, 0, 3]
    assert [each.behind_ms[-1] for each in seen.values()] == [2_000, 5_000, 0, 5_000]
    assert [each.finals[-1] for each in seen.values()] == [2, 1, 0, 3]
    clock.now_s += 2 * INTERVAL_S
    pulse.closed("s_1", ended=True)
    assert pulse.series("acme").finals[-3:] == [2, 0, 0]


def test_memory_stays_flat() -> None:
    clock = Clock()
    pulse = Pulse(clock)
    for _ in range(INTERVALS + 50):
        pulse.opened("s_1", recovered=False, tenant="acme")
        pulse.committed("s_1", final(100))
        clock.now_s += INTERVAL_S
    assert len(pulse._intervals["acme"]) == INTERVALS
    for delay_ms in range(10_000):
        pulse.committed("s_1", final(delay_ms))
    (interval,) = [each for each in pulse._intervals["acme"].values() if each.finals == 10_000]
    assert len(interval.final_ms.values) == 500
    assert 4_000 < (nearest_rank(interval.final_ms.values, 0.5) or 0) < 6_000
    clock.now_s += 2 * INTERVALS * INTERVAL_S
    pulse.opened("s_2", recovered=False, tenant="other")
    pulse.committed("s_2", final(1))
    assert list(pulse._intervals) == ["other"]


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([], 0.5, None), ([7], 0.95, 7), ([3, 1, 2], 0.5, 2), (list(range(1, 21)), 0.95, 19), ([1, 2], 0.5, 1)],
)
def test_nearest_rank(values: list[int], share: float, expected: int | None) -> None:
    assert nearest_rank(values, share) == expected
