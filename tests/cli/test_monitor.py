"""What the command line shows of what servers count."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dragoman.cli.main import group
from dragoman.domain.audio import SAMPLE_RATE_HZ
from dragoman.settings import read_settings
from dragoman.storage import open_figures
from dragoman.store.audit import AuditTrail
from dragoman.store.ports import Books, SessionRecord
from dragoman.store.sql import SqlStore
from tests.store.said import ended, final


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data folder in which a session of five minutes was counted."""
    store = SqlStore.open(f"sqlite:///{tmp_path / 'dragoman.db'}")

    async def talk() -> None:
        await store.create(SessionRecord("s_1", time.time_ns() // 1_000_000, "{}", tenant="acme"))
        said = final(1, "u_1").model_copy(update={"confidence": 0.9, "translates_to": ("en",)})
        await store.commit("s_1", [said, ended(2)], Books(settled=300 * SAMPLE_RATE_HZ))

    asyncio.run(talk())
    figures = open_figures(read_settings(data=tmp_path), store.engine)
    figures.monitor.record({})
    yield tmp_path
    store.close()


def called(data: Path, *arguments: str) -> Result:
    where = [] if arguments[0] == "rules" else ["--data", str(data)]
    return CliRunner().invoke(group, ["monitor", *arguments, *where], catch_exceptions=False)


def test_figures_are_shown(data: Path) -> None:
    shown = called(data, "status").output
    assert "Confidence" in shown
    assert "de-DE" in shown
    found = json.loads(called(data, "status", "-f", "json", "--tenant", "acme").output)
    assert {each["signal"]: each["mean"] for each in found["signals"]}["confidence"] == 0.9
    assert called(data, "status", "--tenant", "nobody").output == "Nothing was counted yet.\n"


def test_promises_are_shown(data: Path) -> None:
    assert "Sessions that did not end" in called(data, "slo").output
    found = {each["name"]: each for each in json.loads(called(data, "slo", "-f", "json").output)}
    assert (found["availability"]["attained"], found["finals_in_time"]["attained"]) == (1.0, None)


def test_drift_is_not_known_yet(data: Path) -> None:
    assert called(data, "drift").exit_code == 0
    assert json.loads(called(data, "drift", "-f", "json").output)["findings"] == []


def test_a_budget_is_set_shown_and_entered_into_the_trail(data: Path) -> None:
    (spent,) = json.loads(called(data, "budgets", "-f", "json").output)
    assert (spent["tenant"], spent["limit_usd"]) == ("acme", None)
    assert spent["spent_usd"] == 0.108434  # 5 min at 1.30 an hour, 10 characters at 10 a million; rounded up
    assert called(data, "budget", "acme", "--usd", "20").exit_code == 0
    shown = called(data, "budgets").output.splitlines()
    assert shown[1].split()[:4] == ["acme", "0.1084", "0.0000", "20.00"]
    called(data, "budget", "acme", "--none")
    assert json.loads(called(data, "budgets", "-f", "json").output)[0]["limit_usd"] is None
    store = SqlStore.open(f"sqlite:///{data / 'dragoman.db'}")
    actions = [(each.action, each.resource) for each in AuditTrail(store.engine).entries()]
    store.close()
    assert actions == [("budget.set", "acme")] * 2


@pytest.mark.parametrize("options", [[], ["--usd", "1", "--none"]])
def test_a_budget_is_one_or_none(data: Path, options: list[str]) -> None:
    assert called(data, "budget", "acme", *options).exit_code == 2


def test_rules_are_printed_in_three_forms(data: Path) -> None:
    assert "[[objectives]]" in called(data, "rules").output
    assert "ContainerAppConsoleLogs" in called(data, "rules", "-f", "kql").output
    assert json.loads(called(data, "rules", "-f", "arm").output)["resources"]
