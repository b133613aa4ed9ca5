"""The last hour of this server's live sessions, in intervals: how much was said, how soon, and how far behind.

Events carry no wall-clock time, and partials are not stored at all, so this is measured when it happens, and kept in
memory: it outlives the pages that show it, and begins anew with the process. Longer times are Prometheus' work.
"""

import math
import random
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from dragoman.domain.events import (
    AudioLost,
    DurableEvent,
    ErrorEvent,
    InsightFailed,
    TranscriptFinal,
    TranscriptPartial,
    TranslationFailed,
    WarningEvent,
)

INTERVAL_S: Final = 10
INTERVALS: Final = 360
_MOST_VALUES: Final = 500
"""Of one kind, in one interval of one tenant; of more, so many by chance."""


@dataclass
class _Sample:
    """Values, or as many of them as are kept, each with the same chance (Vitter's algorithm R, 1985)."""

    values: list[int] = field(default_factory=list)
    seen: int = 0

    def add(self, value: int | None, chance: random.Random) -> None:
        if value is None:
            return
        self.seen += 1
        if len(self.values) < _MOST_VALUES:
            self.values.append(value)
        elif (at := chance.randrange(self.seen)) < _MOST_VALUES:
            self.values[at] = value


@dataclass
class _Interval:
    finals: int = 0
    errors: int = 0
    warnings: int = 0
    streams: int = 0
    behind_ms: int = 0
    final_ms: _Sample = field(default_factory=_Sample)
    partial_ms: _Sample = field(default_factory=_Sample)
    word_ms: _Sample = field(default_factory=_Sample)


@dataclass(frozen=True, slots=True)
class Series:
    """One value per interval, oldest first; ``None`` where nothing was measured.

    ``at_s`` is when an interval begins (Unix time). ``final_…`` is from the end of speech to its committed final,
    ``partial_…`` from audio to a partial that covers it, ``word_…`` from the first audio of an utterance to its first
    text. ``streams`` and ``behind_ms`` are the most at one time.
    """

    interval_s: int
    at_s: list[int]
    streams: list[int | None]
    behind_ms: list[int | None]
    finals: list[int | None]
    errors: list[int | None]
    warnings: list[int | None]
    final_p50_ms: list[int | None]
    final_p95_ms: list[int | None]
    partial_p50_ms: list[int | None]
    partial_p95_ms: list[int | None]
    word_p50_ms: list[int | None]
    word_p95_ms: list[int | None]


class Pulse:
    """An observer of sessions that remembers the last hour, tenant by tenant."""

    def __init__(self, clock_s: Callable[[], float] = time.time) -> None:
        self._clock_s = clock_s
        self._began = self._now()
        self._tenants: dict[str, str] = {}
        self._utterances: dict[str, str] = {}
        self._intervals: dict[str, dict[int, _Interval]] = {}
        self._chance = random.Random(0)  # noqa: S311 - which values are kept is no secret

    def opened(self, session_id: str, *, recovered: bool, tenant: str) -> None:
        """Remember whose session it is."""
        self._tenants[session_id] = tenant

    def shown(
        self, session_id: str, partial: TranscriptPartial, since_start_ms: int | None, since_end_ms: int | None
    ) -> None:
        """Note how late a partial is, and how late the first word of an utterance."""
        if not partial.text:
            return
        interval = self._interval(session_id)
        interval.partial_ms.add(since_end_ms, self._chance)
        if self._utterances.get(session_id) != partial.utterance_id:
            self._utterances[session_id] = partial.utterance_id
            interval.word_ms.add(since_start_ms, self._chance)

    def committed(self, session_id: str, event: DurableEvent) -> None:
        """Count what was said, and what went wrong."""
        match event:
            case TranscriptFinal():
                interval = self._interval(session_id)
                interval.finals += 1
                interval.final_ms.add(event.latency.since_speech_end_ms, self._chance)
            case ErrorEvent() | AudioLost() | TranslationFailed() | InsightFailed():
                self._interval(session_id).errors += 1
            case WarningEvent():
                self._interval(session_id).warnings += 1
            case _:
                pass

    def closed(self, session_id: str, *, ended: bool) -> None:
        """Forget whose session it was."""
        self._tenants.pop(session_id, None)
        self._utterances.pop(session_id, None)

    def sample(self, behind_ms: Mapping[str, int]) -> None:
        """Note how far behind each live session is."""
        by_tenant: dict[str, list[int]] = {}
        for session_id, each_ms in behind_ms.items():
            by_tenant.setdefault(self._tenants.get(session_id, ""), []).append(each_ms)
        for tenant, found in by_tenant.items():
            interval = self._of(tenant)
            interval.streams = max(interval.streams, len(found))
            interval.behind_ms = max(interval.behind_ms, *found)

    def series(self, tenant: str | None) -> Series:
        """Return the last hour of a tenant, or of all (whose streams are counted together)."""
        last = self._now()
        numbers = range(last - INTERVALS + 1, last + 1)
        shown = [self._intervals.get(tenant, {})] if tenant is not None else list(self._intervals.values())
        found = [[each[number] for each in shown if number in each] for number in numbers]
        is_up = [number >= self._began for number in numbers]

        def most(value: Callable[[_Interval], int]) -> list[int | None]:
            return [sum(map(value, each)) if up else None for each, up in zip(found, is_up, strict=True)]

        def percentile(sample: Callable[[_Interval], _Sample], share: float) -> list[int | None]:
            return [nearest_rank([value for one in each for value in sample(one).values], share) for each in found]

        return Series(
            interval_s=INTERVAL_S,
            at_s=[number * INTERVAL_S for number in numbers],
            streams=most(lambda each: each.streams),
            behind_ms=[
                max((one.behind_ms for one in each), default=0) if up else None
                for each, up in zip(found, is_up, strict=True)
            ],
            finals=most(lambda each: each.finals),
            errors=most(lambda each: each.errors),
            warnings=most(lambda each: each.warnings),
            final_p50_ms=percentile(lambda each: each.final_ms, 0.5),
            final_p95_ms=percentile(lambda each: each.final_ms, 0.95),
            partial_p50_ms=percentile(lambda each: each.partial_ms, 0.5),
            partial_p95_ms=percentile(lambda each: each.partial_ms, 0.95),
            word_p50_ms=percentile(lambda each: each.word_ms, 0.5),
            word_p95_ms=percentile(lambda each: each.word_ms, 0.95),
        )

    def _now(self) -> int:
        return int(self._clock_s() // INTERVAL_S)

    def _interval(self, session_id: str) -> _Interval:
        return self._of(self._tenants.get(session_id, ""))

    def _of(self, tenant: str) -> _Interval:
        now = self._now()
        intervals = self._intervals.setdefault(tenant, {})
        if now not in intervals:
            intervals[now] = _Interval()
            self._forget(now - INTERVALS)
        return intervals[now]

    def _forget(self, last: int) -> None:
        for tenant, intervals in list(self._intervals.items()):
            for number in list(_up_to(intervals, last)):
                del intervals[number]
            if not intervals:
                del self._intervals[tenant]


def nearest_rank(values: Collection[int], share: float) -> int | None:
    """Return the least value that so large a share of them does not exceed; ``None`` of none."""
    return sorted(values)[math.ceil(share * len(values)) - 1] if values else None


def _up_to(intervals: Mapping[int, _Interval], last: int) -> Iterator[int]:
    for number in intervals:  # they were added in order
        if number > last:
            return
        yield number
