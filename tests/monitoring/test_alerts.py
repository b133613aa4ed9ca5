"""Somebody is told once when something is wrong, and once when it is well again."""

from pathlib import Path

import pytest

from dragoman.domain.errors import SettingsError
from dragoman.monitoring.alerts import (
    AlertState,
    Condition,
    Reading,
    budget_readings,
    burn_readings,
    drift_readings,
    signal_readings,
    step,
)
from dragoman.monitoring.drift import Finding
from dragoman.monitoring.objectives import Burn, Counted, Objective, status
from dragoman.monitoring.rules import DEFAULT_FILE, BudgetAlert, SignalAlert, read_rules
from dragoman.monitoring.signals import SIGNALS

UNSURE = SignalAlert(name="unsure", title="Unsure", signal="confidence", hours=1, below=0.5, clear=0.6, least_n=2)
CONFIDENCE = SIGNALS["confidence"].bins


def reading(condition: Condition) -> Reading:
    return Reading("r", "s", 2, condition, "m")


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("well bad bad bad", ["fired"]),
        ("bad between bad well well", ["fired", "resolved"]),  # between the limits nothing changes
        ("bad unknown unknown", ["fired"]),
        ("well between unknown", []),
        ("bad well bad", ["fired", "resolved", "fired"]),
    ],
)
def test_what_is_told(pattern: str, told: list[str]) -> None:
    state, found = AlertState(), []
    for now_ms, condition in enumerate(pattern.split()):
        state, change = step(state, reading(condition), now_ms)  # type: ignore[arg-type] # one of four words
        found += [change] if change else []
    assert found == told


@pytest.mark.parametrize(
    ("values", "expected"),
    [((0.1, 0.2), "bad"), ((0.55, 0.55), "between"), ((0.9, 0.8), "well"), ((0.1,), "unknown")],
)
def test_figures_have_two_limits(values: tuple[float, ...], expected: str) -> None:
    (found,) = signal_readings(UNSURE, [("en-US", CONFIDENCE.tally(each)) for each in values])
    assert (found.subject, found.condition) == ("en-US", expected)


def test_budgets_that_burn() -> None:
    promised = Objective(name="availability", title="Sessions", of="sessions", goal=0.99)
    burn = Burn(rate=6, long_s=3_600, short_s=300, severity=1)

    def of(windows: dict[int, Counted]) -> list[str]:
        return [each.condition for each in burn_readings([status(promised, windows, [burn], 7_200_000)])]

    assert of({7_200_000: Counted(50, 100)}) == ["bad"]
    assert of({7_200_000: Counted(1, 2)}) == ["unknown"]  # two sessions are no reason to wake anybody
    assert of({7_200_000: Counted(100, 100), 5_000_000: Counted(0, 100)}) == ["between"]
    assert of({7_200_000: Counted(100, 100)}) == of({}) == ["well"]


def test_what_drifts_is_named_with_its_place_and_its_means() -> None:
    finding = Finding(
        ("confidence", "en-US", "whisper"), "ks", "drift", 400, 28, 0.31, 0.05, 1e-9, before=0.9, after=0.7
    )
    (found,) = drift_readings([finding], 3)
    assert (found.condition, found.subject) == ("bad", "confidence/en-US/whisper")
    assert found.message == "Confidence (en-US, whisper): KS 0.31 (an ordinary day 0.05), mean 0.9 before, 0.7 now."


def test_money() -> None:
    found = budget_readings({"acme": 0.85, "other": 0.1}, BudgetAlert(warn_at=0.8))
    assert [(each.subject, each.condition) for each in found] == [("acme", "bad"), ("other", "well")]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("[[objectives]]\nname = 'a'\ntitle = 'a'\nof = 'finals'\ngoal = 0.9", "within_ms"),
        ("[[alerts]]\nname = 'a'\ntitle = 'a'\nsignal = 'mood'\nhours = 1\nabove = 1\nclear = 0", "mood"),
        ("[[alerts]]\nname = 'a'\ntitle = 'a'\nsignal = 'lost'\nhours = 1\nclear = 0", "above"),
        ("[[alerts]]\nname = 'a'\ntitle = 'a'\nsignal = 'lost'\nhours = 1\nabove = 1\nclear = 2", "clear"),
        ("[drift]\nalpha = 2", "drift.alpha"),
        ("[budget", "cannot be read"),
    ],
)
def test_rules_that_make_no_sense_are_refused(tmp_path: Path, wrong: str, said: str) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(wrong)
    with pytest.raises(SettingsError, match=said):
        read_rules(file)


def test_the_rules_that_ship() -> None:
    rules = read_rules(DEFAULT_FILE)
    assert [each.name for each in rules.objectives] == [
        "availability",
        "finals_in_time",
        "translations",
        "nothing_lost",
    ]
    assert [(each.rate, each.long_s, each.short_s) for each in rules.burns] == [
        (14.4, 3_600, 300),
        (6.0, 21_600, 1_800),
        (1.0, 259_200, 21_600),
    ]
