"""The one layer of retries in front of Azure's HTTP services."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from azure.core.exceptions import AzureError, HttpResponseError

from dragoman.domain.errors import DragomanError, EngineFailedError, EngineRefusedError

T = TypeVar("T")

_RETRIED: Final = frozenset({408, 429, 500, 502, 503, 504})
_REFUSALS: Final = frozenset({400, 401, 403, 404, 413, 415, 422})


class RetryBudget:
    """What calls may be made again, for all who share it: one of ten, and ten at once.

    A service that is down is not asked three times as often by those who wait for it.
    """

    def __init__(self, share: float = 0.1, most: float = 10.0) -> None:
        self._share, self._most = share, most
        self._left = most

    def earn(self) -> None:
        """Note a call."""
        self._left = min(self._most, self._left + self._share)

    def spend(self) -> bool:
        """Return whether one more may be made again."""
        if self._left < 1:
            return False
        self._left -= 1
        return True


@dataclass(frozen=True, slots=True)
class Retries:
    """A call is made ``attempts`` times at most and within ``deadline_s``, while the ``budget`` lasts.

    It waits between them as long as the service asks (``Retry-After``), or ``first_pause_s`` and twice as long each
    time.
    """

    attempts: int = 4
    deadline_s: float = 10.0
    first_pause_s: float = 0.25
    budget: RetryBudget = field(default_factory=RetryBudget, compare=False)

    async def call(self, once: Callable[[], Awaitable[T]]) -> T:
        """Return what a call returns, made again as often as there is a point in it.

        Raises:
            AzureError: that of the last attempt.
        """
        until_s = time.monotonic() + self.deadline_s
        attempt = 1
        self.budget.earn()
        while True:
            try:
                return await once()
            except AzureError as error:
                pause_s = self.pause_s(error, attempt)
                if pause_s is None or time.monotonic() + pause_s > until_s or not self.budget.spend():
                    raise
            attempt += 1
            await asyncio.sleep(pause_s)

    def pause_s(self, error: AzureError, attempt: int) -> float | None:
        """Return how long to wait after an attempt, counted from 1; nothing if there is no point in another."""
        if attempt >= self.attempts:
            return None
        pause_s: float = self.first_pause_s * 2 ** (attempt - 1) * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
        if not isinstance(error, HttpResponseError) or error.response is None:
            return pause_s
        if error.status_code not in _RETRIED:
            return None
        headers: dict[str, str] = getattr(error.response, "headers", {})
        asked = headers.get("Retry-After", "")
        return max(pause_s, float(asked)) if asked.replace(".", "", 1).isdecimal() else pause_s


def failure(error: AzureError, service: str) -> DragomanError:
    """Return an error of ours that says what went wrong, and nothing of what was sent."""
    message = f"{service}: {said(error)}"
    status = error.status_code if isinstance(error, HttpResponseError) else None
    return EngineRefusedError(message) if status in _REFUSALS else EngineFailedError(message)


def said(error: AzureError) -> str:
    """Return what went wrong in a few words."""
    if isinstance(error, HttpResponseError) and error.status_code:
        return f"HTTP {error.status_code}"
    return f"no answer ({type(error).__name__})"
