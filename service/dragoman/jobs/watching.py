"""Watches the service while it runs: counts and reserves every few seconds, judges every minute."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Final

from dragoman.domain.errors import DragomanError
from dragoman.monitoring.monitor import Monitor
from dragoman.serving.server import Serving

_COUNT_S: Final = 10.0
_JUDGE_S: Final = 60.0

_KEEP_S: Final = 5.0

_LOG: Final = logging.getLogger(__name__)


async def watch(
    monitor: Monitor,
    turned_away: Callable[[], Mapping[str, int]],
    budgets: Callable[[], Mapping[str, float]],
    count_s: float = _COUNT_S,
) -> None:
    """Watch until it is cancelled; a database that is away is waited for.

    ``turned_away`` tells how often tenants were turned away since it was asked last, and ``budgets`` what share of
    theirs they have used.
    """
    judged_s = -_JUDGE_S
    while True:
        try:
            await asyncio.to_thread(monitor.record, turned_away())
            if time.monotonic() - judged_s >= _JUDGE_S:
                judged_s = time.monotonic()
                await asyncio.to_thread(lambda: monitor.judge(budgets()))
        except DragomanError as error:
            _LOG.warning("what was said is not counted now: %s", error.code)
        await asyncio.sleep(count_s)


async def keep_within_budgets(server: Serving, every_s: float = _KEEP_S) -> None:
    """Reserve money for live sessions, until it is cancelled; while the database is away nothing is ended."""
    while True:
        try:
            await server.keep_within_budgets()
        except DragomanError as error:
            _LOG.warning("money cannot be reserved now: %s", error.code)
        await asyncio.sleep(every_s)
