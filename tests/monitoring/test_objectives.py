"""What is promised, and how fast its budget burns."""

import pytest

from dragoman.domain.events import (
    DurableEvent,
    ErrorEvent,
    LedgerTotals,
    SessionEnded,
    TranscriptFinal,
    TranslationFailed,
    TranslationFinal,
)
from dragoman.monitoring.objectives import Burn, Counted, Objective, SessionOutcomes, burn_rate, status
from dragoman.monitoring.rules import read_rules

RULES = read_rules()
MINUTE_MS = 60_000
NOW_MS = 1_700_049_600_000


def objective(name: str) -> Objective:
    return next(each for each in RULES.objectives if each.name == name)


def kept(*events: DurableEvent) -> dict[str, list[bool]]:
    reader, found = SessionOutcomes(RULES.objectives), dict[str, list[bool]]()
    for event in events:
        for each in reader.observe(event):
            found.setdefault(each.objective, []).append(each.is_good)
    return found


def final(since_speech_end_ms: int | None) -> TranscriptFinal:
    fields = {"start_ms": 0, "end_ms": 900, "locale": "en-US", "engine": "e", "utterance_id": "u_1", "text": "Yes."}
    latency = {"since_speech_end_ms": since_speech_end_ms}
    return TranscriptFinal.model_validate({"session_id": "s", "seq": 2, "rev": 1, "latency": latency, **fields})


def ended(reason: str, lost: int = 0) -> SessionEnded:
    ledger = LedgerTotals(
        accepted_samples=100,
        final_samples=100 - lost,
        text_samples=0,
        lost_samples=lost,
        discarded_samples=0,
        sample_rate_hz=16_000,
    )
    return SessionEnded.model_validate(
        {"session_id": "s", "seq": 9, "reason": reason, "ledger": ledger, "utterances": 0}
    )


def error(code: str) -> ErrorEvent:
    return ErrorEvent(session_id="s", seq=8, code=code, message="m", retryable=False)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([ended("completed")], {"availability": [True], "nothing_lost": [True]}),
        ([ended("cancelled")], {"availability": [True], "nothing_lost": [True]}),
        ([error("engine_failed"), ended("failed", 20)], {"availability": [False], "nothing_lost": [False]}),
        ([error("audio_unreadable"), ended("failed")], {"nothing_lost": [True]}),  # the caller's fault
        ([final(2_000), final(2_001), final(None)], {"finals_in_time": [True, False]}),
    ],
)
def test_what_events_say_of_what_is_promised(events: list[DurableEvent], expected: dict[str, list[bool]]) -> None:
    assert kept(*events) == expected


def test_translations() -> None:
    made = TranslationFinal(session_id="s", seq=3, utterance_id="u", target="de", text="Ja.", engine="e")
    failed = TranslationFailed(session_id="s", seq=4, utterance_id="u", target="fr", code="c", message="m")
    assert kept(made, failed) == {"translations": [True, False]}


@pytest.mark.parametrize(
    ("good", "total", "expected"), [(100, 100, 0.0), (99, 100, 1.0), (90, 100, 10.0), (0, 0, None)]
)
def test_burn_rates(good: int, total: int, expected: float | None) -> None:
    found = burn_rate(Counted(good, total), 0.99)
    assert found == (None if expected is None else pytest.approx(expected))


def at(*minutes: tuple[int, int, int]) -> dict[int, Counted]:
    """Return counts by how many minutes ago: ``(minutes, good, total)``."""
    return {NOW_MS - ago * MINUTE_MS: Counted(good, total) for ago, good, total in minutes}


@pytest.mark.parametrize(
    ("windows", "burning"),
    [
        (at((0, 80, 100)), [True, True, True]),  # all of it is now
        (at((50, 0, 100), (0, 100, 100)), [False, False, True]),  # it was bad, and is well again
        (at((50, 0, 100), (20, 80, 100), (0, 100, 100)), [False, True, True]),
        (at((4_000, 0, 1_000), (0, 98, 100)), [False, False, True]),
        (at((0, 100, 100)), [False, False, False]),
        ({}, [False, False, False]),
    ],
)
def test_both_windows_must_burn(windows: dict[int, Counted], burning: list[bool]) -> None:
    promised = Objective(name="a", title="a", of="sessions", goal=0.99)
    found = status(promised, windows, RULES.burns, NOW_MS)
    assert [each.is_burning for each in found.burnings] == burning


def test_the_budget_that_is_left() -> None:
    promised = Objective(name="a", title="a", of="sessions", goal=0.99, days=1)
    found = status(promised, at((5, 995, 1_000), (3_000, 0, 500)), [], NOW_MS)
    assert (found.counted, found.attained) == (Counted(995, 1_000), 0.995)
    assert found.budget_left == pytest.approx(0.5)
    assert status(promised, {}, [Burn(rate=1, long_s=600, short_s=300, severity=1)], NOW_MS).budget_left is None
