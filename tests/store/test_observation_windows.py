"""What was said is counted once, whoever counts and whoever dies; an alert is told of once."""

import asyncio
import json
import threading
from collections.abc import Iterator

import pytest

from dragoman.domain.events import DurableEvent
from dragoman.domain.tally import Cell
from dragoman.monitoring.monitor import Line, Monitor
from dragoman.monitoring.objectives import Objective
from dragoman.monitoring.recorder import Recorder
from dragoman.monitoring.rules import MonitoringRules, SignalAlert
from dragoman.store.alerts import AlertRecord, AlertStore
from dragoman.store.budgets import BudgetStore, Consumed
from dragoman.store.ports import Books, SessionRecord
from dragoman.store.sql import SqlStore
from dragoman.store.windows import HOUR_MS, Windows
from tests.store.said import ended, final, translation

NOON_MS = 1_700_049_600_000
OBJECTIVES = (
    Objective(name="availability", title="a", of="sessions", goal=0.99),
    Objective(name="translations", title="t", of="translations", goal=0.99),
)


def price(consumed: Consumed) -> int:
    return consumed.samples + 1_000 * consumed.characters


class Clock:
    def __init__(self) -> None:
        self.now_ms = NOON_MS

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    store = SqlStore.open(url)
    yield store
    store.close()


@pytest.fixture
def windows(store: SqlStore) -> Windows:
    return Windows(store.engine)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def begin(store: SqlStore, session_id: str, tenant: str = "acme") -> None:
    asyncio.run(store.create(SessionRecord(session_id, NOON_MS, "{}", tenant=tenant)))


def commit(store: SqlStore, session_id: str, *events: DurableEvent) -> None:
    asyncio.run(store.commit(session_id, events, Books(settled=events[-1].seq)))


def finals(session_id: str, *seqs: int, targets: tuple[str, ...] = ()) -> list[DurableEvent]:
    return [
        final(seq, f"u_{seq}", session_id).model_copy(update={"confidence": 0.5, "translates_to": targets})
        for seq in seqs
    ]


def counted(windows: Windows, tenant: str | None = None) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in windows.signals(0, 2 * NOON_MS, tenant):
        found[each.cell.signal] = found.get(each.cell.signal, 0) + each.tally.n
    return found


def test_events_are_counted_once_and_by_hour_and_tenant(store: SqlStore, windows: Windows, clock: Clock) -> None:
    recorder = Recorder(windows, OBJECTIVES, price, clock)
    for session_id, tenant in (("s_1", "acme"), ("s_2", "other")):
        begin(store, session_id, tenant)
        commit(store, session_id, *finals(session_id, 1, 2))
    news = recorder.record()
    assert news.signals[Cell("confidence", "de-DE", "whisper")].n == 4
    assert not recorder.record().signals
    clock.now_ms += HOUR_MS
    commit(store, "s_1", *finals("s_1", 3), ended(4, "s_1"))
    recorder.record()
    confidence = [
        (each.start_ms, each.tenant, each.tally.n) for each in windows.signals(0, 2 * NOON_MS, names=["confidence"])
    ]
    assert confidence == [(NOON_MS, "acme", 2), (NOON_MS, "other", 2), (NOON_MS + HOUR_MS, "acme", 1)]
    assert counted(windows, "other")["confidence"] == 2
    (kept,) = windows.outcomes(0)
    assert (kept.objective, kept.tenant, kept.good, kept.total) == ("availability", "acme", 1, 1)


def test_another_server_goes_on_where_one_stopped(store: SqlStore, windows: Windows, clock: Clock) -> None:
    first = Recorder(windows, OBJECTIVES, price, clock)
    begin(store, "s_1")
    commit(store, "s_1", *finals("s_1", 1, targets=("en",)))
    first.record()
    commit(store, "s_1", translation(2, "u_1", "en", "s_1"))
    Recorder(windows, OBJECTIVES, price, clock).record()  # it knows the final that the translation is of
    commit(store, "s_1", *finals("s_1", 3))
    first.record()  # and this one, that somebody else read on meanwhile
    assert {name: counted(windows)[name] for name in ("confidence", "length_ratio", "untranslated")} == {
        "confidence": 2,
        "length_ratio": 1,
        "untranslated": 1,
    }
    assert [(each.objective, each.total) for each in windows.outcomes(0)] == [("translations", 1)]


def test_many_servers_at_once_count_everything_once(store: SqlStore, windows: Windows, clock: Clock) -> None:
    for number in range(20):
        begin(store, f"s_{number}")
        commit(store, f"s_{number}", *finals(f"s_{number}", 1, 2, 3), ended(4, f"s_{number}"))
    threads = [threading.Thread(target=Recorder(windows, OBJECTIVES, price, clock).record) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted(windows)["confidence"] == 60
    assert sum(each.total for each in windows.outcomes(0)) == 20


def test_what_it_cost_is_entered_once_with_what_it_was_for(store: SqlStore, windows: Windows, clock: Clock) -> None:
    budgets = BudgetStore(store.engine, clock)
    begin(store, "s_1")
    commit(store, "s_1", *finals("s_1", 1, targets=("en", "fr")))  # 10 letters each, and one sample was heard
    threads = [threading.Thread(target=Recorder(windows, OBJECTIVES, price, clock).record) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    account = budgets.account("acme")
    assert (account.consumed, account.spent_micro) == (Consumed(samples=1, characters=20), 20_001)
    commit(store, "s_1", ended(2, "s_1"))
    Recorder(windows, OBJECTIVES, price, clock).record()
    assert budgets.account("acme").consumed == Consumed(samples=2, characters=20)
    assert (budgets.metered("s_1"), budgets.account("other").spent_micro) == (2, 0)


def test_who_found_no_room_counts(windows: Windows, clock: Clock) -> None:
    news = Recorder(windows, OBJECTIVES, price, clock).refused({"acme": 3})
    (kept,) = windows.outcomes(0)
    assert (kept.objective, kept.good, kept.total) == ("availability", 0, 3)
    assert news.outcomes["availability"].total == 3


def test_what_is_old_is_forgotten(store: SqlStore, windows: Windows, clock: Clock) -> None:
    begin(store, "s_1")
    commit(store, "s_1", *finals("s_1", 1), ended(2, "s_1"))
    Recorder(windows, OBJECTIVES, price, clock).record()
    assert windows.forget(NOON_MS) == 0
    assert windows.forget(NOON_MS + 1) > 0
    assert (windows.signals(0, 2 * NOON_MS), windows.outcomes(0)) == ([], [])


def monitored(store: SqlStore, clock: Clock, told: list[tuple[str, Line]]) -> Monitor:
    alert = SignalAlert(name="unsure", title="Unsure", signal="confidence", hours=1, below=0.6, clear=0.7, least_n=2)
    rules = MonitoringRules(objectives=OBJECTIVES, alerts=(alert,))
    alerts = AlertStore(store.engine, clock)
    urls = ["https://hooks.example.org/a"]
    return Monitor(Windows(store.engine), alerts, rules, price, lambda *line: told.append(line), urls, clock)


def test_an_alert_is_told_of_once_by_all_servers_and_again_when_it_is_over(store: SqlStore, clock: Clock) -> None:
    told: list[tuple[str, Line]] = []
    servers = [monitored(store, clock, told) for _ in range(2)]
    begin(store, "s_1")
    commit(store, "s_1", *finals("s_1", 1, 2))
    for _ in range(3):
        for server in servers:
            server.record({})
            server.judge({})
    calls = [call for _ in range(3) if (call := servers[0].alerts.due_hook(60_000))]
    assert [name for name, _ in told if name.startswith("alert")] == ["alert.fired"]
    (call,) = calls
    body = json.loads(call.body)
    assert (body["state"], body["rule"], body["subject"]) == ("fired", "unsure", "de-DE")
    assert "0.5" in body["message"]
    assert [line for name, line in told if name == "monitor.signal" and line["signal"] == "confidence"] == [
        {"signal": "confidence", "locale": "de-DE", "engine": "whisper", "n": 2, "total": 1.0}
    ]
    servers[0].alerts.told(call.about)
    clock.now_ms += 3 * HOUR_MS  # nobody speaks any more
    for server in servers:
        server.judge({})
    (over,) = [call for _ in range(3) if (call := servers[0].alerts.due_hook(60_000))]
    assert json.loads(over.body)["state"] == "resolved"
    assert [each.is_firing for each in servers[0].alerts.all()] == [False]


def test_a_call_that_was_not_heard_is_due_again_later_and_later(store: SqlStore, clock: Clock) -> None:
    alerts = AlertStore(store.engine, clock)

    def fire(_: AlertRecord | None) -> AlertRecord:
        return AlertRecord("r", "s", True, clock(), 1, "m")

    alerts.change("r", "s", fire, ["https://a.example/", "https://b.example/"])
    assert {call.url for _ in range(2) if (call := alerts.due_hook(1_000))} == {
        "https://a.example/",
        "https://b.example/",
    }
    assert alerts.due_hook(1_000) is None
    clock.now_ms += 1_000
    again = alerts.due_hook(1_000)
    assert again is not None
    assert again.attempts == 2
