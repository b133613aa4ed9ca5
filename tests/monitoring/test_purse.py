"""Money is reserved before anything is taken; what runs is warned, then ended."""

import asyncio
from collections.abc import Coroutine, Iterator
from datetime import date
from pathlib import Path

import pytest

from dragoman.domain.audio import SAMPLE_RATE_HZ
from dragoman.domain.errors import BudgetError
from dragoman.domain.speech import Notice
from dragoman.evaluation.cost import Prices
from dragoman.monitoring.costs import ANSWER, MICRO, Pace, micro_usd
from dragoman.monitoring.purse import AHEAD_S, EXHAUSTED, LEAST_S, Purse
from dragoman.store.budgets import BudgetStore, Consumed
from dragoman.store.database import open_database

CENT_A_SECOND = Prices(
    as_of=date(2026, 11, 1),
    source="a test",
    speech_usd_per_hour=36.0,
    language_identification_usd_per_hour=0.0,
    translation_usd_per_million_characters=10.0,
    prompt_usd_per_million_tokens=1.0,
    completion_usd_per_million_tokens=2.0,
)
CENT = MICRO // 100
TALK = Pace()


@pytest.fixture
def budgets(tmp_path: Path) -> Iterator[BudgetStore]:
    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    yield BudgetStore(engine)
    engine.dispose()


@pytest.fixture
def purse(budgets: BudgetStore) -> Purse:
    return Purse(budgets, CENT_A_SECOND)


def run(body: Coroutine[None, None, None]) -> None:
    asyncio.run(body)


@pytest.mark.parametrize(
    ("consumed", "micro"),
    [
        (Consumed(samples=SAMPLE_RATE_HZ), CENT),
        (Consumed(characters=1_000), CENT),
        (Consumed(prompt_tokens=1, completion_tokens=1), 3),
        (Consumed(samples=1), 1),  # rounded up: nothing is for nothing
        (Consumed(), 0),
    ],
)
def test_prices(consumed: Consumed, micro: int) -> None:
    assert micro_usd(consumed, CENT_A_SECOND) == micro


def test_what_is_reserved_grows_with_what_is_wished() -> None:
    plain, wished = Pace().ahead(SAMPLE_RATE_HZ), Pace(targets=2, has_insight=True).ahead(SAMPLE_RATE_HZ)
    assert plain == Consumed(samples=SAMPLE_RATE_HZ)
    assert (wished.characters, wished.prompt_tokens > 0) == (40, True)


def test_without_money_nothing_begins_and_the_refusal_says_what_to_do(budgets: BudgetStore, purse: Purse) -> None:
    async def body() -> None:
        budgets.limit("acme", AHEAD_S * CENT)
        await purse.open("s_1", "acme", TALK, is_live=True)
        with pytest.raises(BudgetError, match=r"0\.60 reserved.*dragoman monitor budget acme --usd"):
            await purse.open("s_2", "acme", TALK, is_live=True)
        await purse.open("s_3", "other", TALK, is_live=True)

    run(body())


def test_what_came_to_nothing_is_given_back_at_once(budgets: BudgetStore, purse: Purse) -> None:
    async def body() -> None:
        budgets.limit("acme", AHEAD_S * CENT)
        await purse.open("s_1", "acme", TALK, is_live=True)
        await purse.drop("s_1")
        await purse.open("s_2", "acme", TALK, is_live=True)

    run(body())


def test_a_live_session_is_warned_once_and_then_ended(budgets: BudgetStore, purse: Purse) -> None:
    told: list[str] = []

    async def body() -> None:
        budgets.limit("acme", 100 * CENT)
        await purse.open("s_1", "acme", TALK, is_live=True)
        for second in range(0, 100, 5):
            notice = await purse.keep("s_1", "acme", TALK, second * SAMPLE_RATE_HZ)
            told.append(notice.code if notice else "")
            if notice and notice.code == EXHAUSTED:
                break

    run(body())
    assert told[:9] == [""] * 9  # 40 s taken and 60 s ahead are all there is
    assert told[9:] == ["budget_low", *[""] * 7, EXHAUSTED]
    taken_s = 5 * (len(told) - 1)
    assert 100 - taken_s == LEAST_S - 5  # so much is left for what was taken on the way: nothing is overspent


def test_a_file_goes_through_as_far_as_it_is_paid_for(budgets: BudgetStore, purse: Purse) -> None:
    async def body() -> None:
        budgets.limit("acme", 700 * CENT)
        gate = purse.gate("s_1", "acme", TALK)
        second, notices = 0, list[Notice]()
        while True:
            may, notice = await gate(second * SAMPLE_RATE_HZ)
            notices += [notice] if notice else []
            if not may:
                break
            second += 1
        assert 700 - LEAST_S <= second <= 700
        assert [each.code for each in notices] == ["budget_low", EXHAUSTED]
        await purse.close("s_1")

    run(body())


def test_an_answer_is_paid_for_when_it_is_there(budgets: BudgetStore, purse: Purse) -> None:
    async def body() -> None:
        budgets.limit("acme", purse.price(ANSWER))
        async with purse.spending("acme", ANSWER) as receipt:
            with pytest.raises(BudgetError):
                await purse.check("acme")  # all of it is reserved
            receipt.consumed = Consumed(prompt_tokens=100, completion_tokens=10)
        account = budgets.account("acme")
        assert (account.spent_micro, account.reserved_micro) == (120, 0)
        with pytest.raises(BudgetError):
            async with purse.spending("acme", ANSWER):
                pytest.fail("there is less than an answer may take")

    run(body())


def test_what_fails_costs_nothing(budgets: BudgetStore, purse: Purse) -> None:
    async def body() -> None:
        budgets.limit("acme", purse.price(ANSWER))
        with pytest.raises(RuntimeError):
            async with purse.spending("acme", ANSWER):
                raise RuntimeError
        await purse.check("acme")

    run(body())
