"""Forgets what was kept long enough."""

import asyncio
import logging
import time
from typing import Final

from sqlalchemy import Engine

from dragoman.domain.errors import DragomanError
from dragoman.store.audit import AuditTrail
from dragoman.store.erasure import RETENTION, begun_before, erase

_DAY_MS: Final = 86_400_000
_LOOK_S: Final = 3_600.0

_LOG: Final = logging.getLogger(__name__)


async def forget_old(engine: Engine, keep_days: float) -> None:
    """Erase sessions that have ended and began more than ``keep_days`` ago, every hour, until it is cancelled."""
    while True:
        try:
            await asyncio.to_thread(forget_before, engine, time.time_ns() // 1_000_000 - round(keep_days * _DAY_MS))
        except DragomanError as error:
            _LOG.warning("what was kept long enough could not be erased: %s", error.code)
        await asyncio.sleep(_LOOK_S)


def forget_before(engine: Engine, before_ms: int) -> int:
    """Erase sessions that have ended and began before a Unix time; return how many."""
    trail, number = AuditTrail(engine), 0
    for session_id, tenant in begun_before(engine, before_ms):
        erase(engine, session_id, RETENTION)
        trail.add(tenant, None, "transcript.erase", session_id, {"reason": RETENTION})
        number += 1
    return number
