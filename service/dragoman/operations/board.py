"""How everything is doing, in one answer: sessions, delays, languages, engines, the ledger, trouble, costs.

What can be had from the stored events is: it is exact, holds for all servers of a database, and outlives them. What
only a process knows (what is behind, how soon words came, breakers) is this server's.
"""

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Final

from pydantic import JsonValue

from dragoman.domain.audio import SAMPLE_RATE_HZ
from dragoman.engines.breaker import Health
from dragoman.evaluation.cost import Prices, Usage
from dragoman.operations import sections
from dragoman.operations.pulse import Pulse
from dragoman.operations.sections import Here
from dragoman.operations.tally import Tally
from dragoman.store.feedback import FeedbackStore
from dragoman.store.overview import Overview, SessionRow, TenantSums

MOST_SESSIONS: Final = 500
"""Sessions whose events are added up: the open ones, and the newest of the others."""

MOST_READ: Final = 20_000
"""Events that one answer reads: after a start there may be many, and live sessions need the processor too."""

_SHOWN_SESSIONS: Final = 100
_FRESH_S: Final = 1.0
_MOST_TALLIES: Final = 4 * MOST_SESSIONS
_MOST_FEEDBACK: Final = 1_000


class Board:
    """Puts the answer together. Calls wait for the database, and raise ``StoreFailedError`` if it does not work."""

    def __init__(
        self,
        overview: Overview,
        feedback: FeedbackStore,
        pulse: Pulse,
        prices: Prices,
        clock_s: Callable[[], float] = time.time,
        most_read: int = MOST_READ,
    ) -> None:
        self._most_read = most_read
        self._overview = overview
        self._feedback = feedback
        self._pulse = pulse
        self._prices = prices
        self._clock_s = clock_s
        self._tallies: OrderedDict[str, Tally] = OrderedDict()
        self._made: dict[tuple[str | None, int], tuple[float, dict[str, JsonValue]]] = {}
        self._making = threading.Lock()

    def snapshot(
        self,
        tenant: str | None,
        hours: int,
        here: Mapping[str, Here],
        health: Mapping[str, tuple[Health, ...]],
    ) -> dict[str, JsonValue]:
        """Return how a tenant, or everybody, is doing, with sums over the sessions of the last hours.

        Whoever asks within a second gets the same answer.
        """
        with self._making:
            made_s, made = self._made.get((tenant, hours), (0.0, {}))
            if not made or abs(self._clock_s() - made_s) >= _FRESH_S:
                made = self._make(tenant, hours, here, health)
                self._made = {
                    key: each for key, each in self._made.items() if abs(self._clock_s() - each[0]) < 60 * _FRESH_S
                }
                self._made[tenant, hours] = (self._clock_s(), made)
            return made

    def _make(
        self,
        tenant: str | None,
        hours: int,
        here: Mapping[str, Here],
        health: Mapping[str, tuple[Health, ...]],
    ) -> dict[str, JsonValue]:
        now_ms = round(self._clock_s() * 1_000)
        since_ms = now_ms - hours * 3_600_000
        sums = self._overview.sums(tenant, since_ms)
        rows = self._overview.sessions(tenant, since_ms, MOST_SESSIONS)
        tallied = self._added_up(rows)
        waiting = Counter[str]()
        for row in rows:
            if known := here.get(row.session_id):
                waiting[row.tenant] += max(0, known.written - row.books.settled)
        series = asdict(self._pulse.series(tenant))
        return {
            "at_ms": now_ms,
            "tenant": tenant,
            "hours": hours,
            "sessions": [
                sections.session(row, tally, here.get(row.session_id)) for row, tally in tallied[:_SHOWN_SESSIONS]
            ],
            "counted": {
                "sessions": sum(each.sessions for each in sums),
                "open": sum(each.open for each in sums),
                "added_up": len(tallied),
            },
            "series": series,
            "latency": sections.latency(tally for _, tally in tallied),
            "languages": sections.languages(tally for _, tally in tallied),
            "translations": sections.translations(tally for _, tally in tallied),
            "engines": sections.engines(tallied, health),
            "ledger": [sections.ledger(each, waiting[each.tenant]) for each in sums],
            "codes": sections.codes(tally for _, tally in tallied),
            "problems": sections.problems(tallied),
            "costs": self._costs(sums, tallied),
            "replicas": sections.replicas(rows, now_ms),
            "jobs": {**self._overview.jobs(tenant)},
            "feedback": sections.feedback(self._feedback.since(since_ms, tenant, _MOST_FEEDBACK)),
        }

    def _added_up(self, rows: Iterable[SessionRow]) -> list[tuple[SessionRow, Tally]]:
        """Return the sums of sessions, adding what is new; what would be too much now comes with the next answers."""
        found, left = [], self._most_read
        for row in rows:
            tally = self._tallies.setdefault(row.session_id, Tally())
            self._tallies.move_to_end(row.session_id)
            if tally.seq < row.last_seq and left > 0:
                events = self._overview.events(row.session_id, tally.seq)
                tally.add(events)
                left -= len(events)
            if tally.seq or not row.last_seq:
                found.append((row, tally))
        while len(self._tallies) > _MOST_TALLIES:
            self._tallies.popitem(last=False)
        return found

    def _costs(self, sums: Iterable[TenantSums], tallied: Iterable[tuple[SessionRow, Tally]]) -> JsonValue:
        """Return what each tenant would pay in the cloud: audio of all sessions, texts of those that were added up."""
        characters, prompt, completion = Counter[str](), Counter[str](), Counter[str]()
        for row, tally in tallied:
            characters[row.tenant] += tally.characters
            prompt[row.tenant] += tally.prompt_tokens
            completion[row.tenant] += tally.completion_tokens
        tenants: list[JsonValue] = []
        for each in sums:
            audio_s = each.books.settled / SAMPLE_RATE_HZ
            used = Usage(audio_s, audio_s, characters[each.tenant], prompt[each.tenant], completion[each.tenant])
            tenants.append(
                {
                    "tenant": each.tenant,
                    "audio_s": round(audio_s, 3),
                    "characters": used.translated_characters,
                    "prompt_tokens": used.prompt_tokens,
                    "completion_tokens": used.completion_tokens,
                    "usd": round(used.cost_usd(self._prices), 6),
                }
            )
        return {"as_of": self._prices.as_of.isoformat(), "source": self._prices.source, "tenants": tenants}
