"""A server's hand in the tenants' purses: money is reserved before anything is taken, and given back after."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

from dragoman.domain.audio import SAMPLE_RATE_HZ
from dragoman.domain.errors import BudgetError
from dragoman.domain.speech import Notice
from dragoman.evaluation.cost import Prices
from dragoman.monitoring.costs import MICRO, Pace, micro_usd
from dragoman.store.budgets import Account, BudgetStore, Consumed

EXHAUSTED: Final = "budget_exhausted"
"""The notice after which a session takes no more."""

AHEAD_S: Final = 60
"""What a live session has reserved beyond what it has taken."""

LEAST_S: Final = 20
"""With less than that reserved it is ended, before it takes what nobody pays for."""

_AHEAD_OF_FILE_S: Final = 300
_LIVE_MS: Final = 60_000
_FILE_MS: Final = 600_000
_COUNTED_MS: Final = 60_000
"""How long a reservation stays after its session, which is entered as spent within seconds."""


class Purse:
    """Reserves and gives back; every call asks the database, and raises ``StoreFailedError`` if it does not work."""

    def __init__(self, store: BudgetStore, prices: Prices) -> None:
        self.store = store
        self.prices = prices
        self._warned: set[str] = set()

    def price(self, consumed: Consumed) -> int:
        """Return what something costs, in millionths of a US dollar."""
        return micro_usd(consumed, self.prices)

    async def open(self, session_id: str, tenant: str, pace: Pace, *, is_live: bool) -> None:
        """Reserve what a new session needs to begin with.

        Raises:
            BudgetError: if there is not so much.
        """
        seconds = AHEAD_S if is_live else LEAST_S
        await self._reserve(session_id, tenant, pace.ahead(seconds * SAMPLE_RATE_HZ), _LIVE_MS)

    async def keep(self, session_id: str, tenant: str, pace: Pace, written: int) -> Notice | None:
        """Reserve for what a live session has taken and will take next; return what its listeners must know.

        ``budget_low`` is said once; ``budget_exhausted`` says that it must take no more.
        """
        _, notice = await self._extend(session_id, tenant, pace, written, AHEAD_S, _LIVE_MS)
        return notice

    def gate(self, session_id: str, tenant: str, pace: Pace) -> "Gate":
        """Return what a file's audio goes through."""
        return Gate(self, session_id, tenant, pace)

    async def extend_file(self, session_id: str, tenant: str, pace: Pace, written: int) -> tuple[float, Notice | None]:
        """Reserve for what a file has taken and its next minutes; return for how many seconds, and as ``keep``."""
        return await self._extend(session_id, tenant, pace, written, _AHEAD_OF_FILE_S, _FILE_MS)

    async def close(self, session_id: str) -> None:
        """Give back what is reserved for a session, once it is entered as spent."""
        self._warned.discard(session_id)
        await asyncio.to_thread(self.store.release, session_id, _COUNTED_MS)

    async def drop(self, session_id: str) -> None:
        """Give back at once what is reserved for a session that came to nothing."""
        await asyncio.to_thread(self.store.release, session_id)

    @asynccontextmanager
    async def spending(self, tenant: str, expected: Consumed) -> AsyncIterator["Receipt"]:
        """Reserve for something short, and enter what it took as it ends.

        Raises:
            BudgetError: if there is not so much.
        """
        resource_id, receipt = f"q_{secrets.token_hex(16)}", Receipt()
        await self._reserve(resource_id, tenant, expected, _FILE_MS)
        try:
            yield receipt
        finally:
            if receipt.consumed != Consumed():
                price = self.price(receipt.consumed)
                await asyncio.to_thread(self.store.spend, tenant, receipt.consumed, price)
            await asyncio.to_thread(self.store.release, resource_id)

    async def check(self, tenant: str) -> None:
        """Find out whether a tenant has anything left.

        Raises:
            BudgetError: if not.
        """
        account = await asyncio.to_thread(self.store.account, tenant)
        if account.free_micro == 0:
            raise BudgetError(_refusal(account))

    async def _reserve(self, resource_id: str, tenant: str, expected: Consumed, for_ms: int) -> None:
        micro = self.price(expected)
        hold = await asyncio.to_thread(lambda: self.store.hold(resource_id, tenant, micro, for_ms, all_or_nothing=True))
        if not hold.is_whole:
            raise BudgetError(_refusal(hold.account))

    async def _extend(
        self, session_id: str, tenant: str, pace: Pace, written: int, ahead_s: int, for_ms: int
    ) -> tuple[float, Notice | None]:
        metered = await asyncio.to_thread(self.store.metered, session_id)
        open_samples = max(0, written - metered)
        taken = self.price(pace.ahead(open_samples))
        wanted = self.price(pace.ahead(open_samples + ahead_s * SAMPLE_RATE_HZ))
        hold = await asyncio.to_thread(
            lambda: self.store.hold(session_id, tenant, wanted, for_ms, all_or_nothing=False)
        )
        if hold.is_whole:
            self._warned.discard(session_id)
            return ahead_s, None
        left_s = (hold.granted_micro - taken) / max(1, wanted - taken) * ahead_s
        if left_s < LEAST_S:
            return left_s, Notice(EXHAUSTED, f"{_refusal(hold.account)} What was taken is heard to its end.")
        if session_id in self._warned:
            return left_s, None
        self._warned.add(session_id)
        message = f"The budget of this tenant is nearly used up: it lasts for about {left_s:.0f} s."
        return left_s, Notice("budget_low", message)


class Receipt:
    """What something took, filled in while it is done."""

    def __init__(self) -> None:
        self.consumed = Consumed()


class Gate:
    """Lets a file's audio through as far as it is paid for."""

    def __init__(self, purse: Purse, session_id: str, tenant: str, pace: Pace) -> None:
        self._purse = purse
        self._who = session_id, tenant, pace
        self._until = 0

    async def __call__(self, written: int) -> tuple[bool, Notice | None]:
        """Return whether a recording may come so far (in samples), and what its listeners must know."""
        if written <= self._until:
            return True, None
        lasts_s, notice = await self._purse.extend_file(*self._who, written)
        if notice is not None and notice.code == EXHAUSTED:
            return False, notice
        self._until = written + round((lasts_s - LEAST_S / 2) * SAMPLE_RATE_HZ)
        return True, notice


def _refusal(account: Account) -> str:
    month = datetime.fromtimestamp(account.month_ms / 1_000, UTC)
    limit, spent = (account.limit_micro or 0) / MICRO, account.spent_micro / MICRO
    held = f", {account.reserved_micro / MICRO:.2f} reserved" if account.reserved_micro else ""
    return (
        f"The budget of tenant '{account.tenant}' for {month:%B %Y} is used up: {spent:.2f} of {limit:.2f} US dollars "
        f"spent{held}. It begins anew with the next month (UTC), or its operator raises it: "
        f"dragoman monitor budget {account.tenant} --usd AMOUNT."
    )
