"""Nobody spends what another has reserved, on any server; what nobody renews is free again."""

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from dragoman.store.budgets import BudgetStore, Consumed, month_of
from dragoman.store.database import open_database

NOON_MS = 1_700_049_600_000  # 15 November 2023
DAY_MS = 86_400_000


class Clock:
    def __init__(self) -> None:
        self.now_ms = NOON_MS

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = open_database(url)
    yield engine
    engine.dispose()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def budgets(engine: Engine, clock: Clock) -> BudgetStore:
    return BudgetStore(engine, clock)


def test_what_is_reserved_is_not_free(budgets: BudgetStore) -> None:
    budgets.limit("acme", 100)
    assert budgets.hold("a", "acme", 60, 1_000, all_or_nothing=True).is_whole
    refused = budgets.hold("b", "acme", 60, 1_000, all_or_nothing=True)
    assert (refused.granted_micro, refused.account.free_micro) == (0, 40)
    assert budgets.hold("b", "acme", 60, 1_000, all_or_nothing=False).granted_micro == 40
    assert budgets.hold("c", "other", 10**9, 1_000, all_or_nothing=True).is_whole  # who has no budget
    budgets.release("a")
    assert budgets.account("acme").free_micro == 60
    again = budgets.hold("b", "acme", 90, 1_000, all_or_nothing=True)  # in place of what it had
    assert again.is_whole
    budgets.limit("acme", None)
    assert budgets.account("acme").free_micro is None


def test_a_reservation_that_nobody_renews_ends(budgets: BudgetStore, clock: Clock) -> None:
    budgets.limit("acme", 100)
    budgets.hold("dead", "acme", 100, 60_000, all_or_nothing=True)
    budgets.hold("done", "other", 5, 60_000, all_or_nothing=True)
    budgets.release("done", in_ms=5_000)
    clock.now_ms += 60_001
    assert budgets.account("acme").free_micro == 100
    assert budgets.hold("b", "acme", 100, 60_000, all_or_nothing=True).is_whole


def test_many_at_once_never_have_more_than_there_is(engine: Engine) -> None:
    budgets, granted = BudgetStore(engine), list[int]()
    budgets.limit("acme", 1_000)

    def reserve(number: int) -> None:
        granted.append(budgets.hold(f"s_{number}", "acme", 150, 60_000, all_or_nothing=True).granted_micro)

    threads = [threading.Thread(target=reserve, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(granted) == [0] * 14 + [150] * 6


def test_money_is_of_a_month(budgets: BudgetStore, clock: Clock) -> None:
    budgets.limit("acme", 100)
    budgets.spend("acme", Consumed(prompt_tokens=7), 90)
    budgets.spend("acme", Consumed(samples=3), 20)
    (account,) = budgets.accounts()
    assert (account.free_micro, account.used, account.consumed) == (0, 1.1, Consumed(samples=3, prompt_tokens=7))
    clock.now_ms += 20 * DAY_MS
    (account,) = budgets.accounts()
    assert (account.free_micro, account.spent_micro, account.month_ms) == (100, 0, month_of(clock.now_ms))
