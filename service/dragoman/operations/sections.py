"""The sections of a board's answer: values in, JSON out."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Final

from pydantic import JsonValue

from dragoman.domain.audio import to_ms
from dragoman.domain.feedback import Rating
from dragoman.engines.breaker import Health
from dragoman.operations.pulse import nearest_rank
from dragoman.operations.tally import Tally
from dragoman.store.feedback import FeedbackRecord
from dragoman.store.overview import SessionRow, TenantSums

_SHOWN_PROBLEMS: Final = 50


@dataclass(frozen=True, slots=True)
class Here:
    """A live session of this server, in samples: taken, and with an outcome."""

    written: int
    settled: int


def session(row: SessionRow, tally: Tally, here: Here | None) -> JsonValue:
    """Return where a session is; what waits at another server is not known."""
    return {
        "session_id": row.session_id,
        "tenant": row.tenant,
        "created_ms": row.created_ms,
        "is_open": row.is_open,
        "reason": tally.reason,
        "kind": "file" if row.uploaded_bytes else "stream",
        "source": tally.source,
        "lid": tally.lid,
        "locale": tally.locale,
        "engine": tally.engine,
        "engine_changes": tally.engine_changes,
        "finals": tally.finals,
        "settled_ms": to_ms(max(row.books.settled, here.settled if here else 0)),
        "lost_ms": to_ms(row.books.lost),
        "discarded_ms": to_ms(row.books.discarded),
        "waiting_ms": to_ms(max(0, here.written - here.settled)) if here else (None if row.is_open else 0),
        "final_p50_ms": nearest_rank(tally.final_ms, 0.5),
        "final_p95_ms": nearest_rank(tally.final_ms, 0.95),
        "errors": sum(number for (severity, _), number in tally.codes.items() if severity == "error"),
        "warnings": sum(number for (severity, _), number in tally.codes.items() if severity == "warning"),
        "holder": row.holder,
    }


def latency(tallies: Iterable[Tally]) -> JsonValue:
    """Return how long finals took after the end of speech, all of them."""
    found = [value for tally in tallies for value in tally.final_ms]
    return {"finals": len(found), "p50_ms": nearest_rank(found, 0.5), "p95_ms": nearest_rank(found, 0.95)}


def languages(tallies: Iterable[Tally]) -> JsonValue:
    """Return how much was spoken in which language, most first."""
    speech_ms = Counter[str]()
    for tally in tallies:
        speech_ms.update(tally.speech_ms)
    total = speech_ms.total()
    return [
        {"locale": locale, "speech_ms": ms, "share": round(ms / total, 6) if total else 0.0}
        for locale, ms in sorted(speech_ms.items(), key=lambda each: (-each[1], each[0]))
    ]


def translations(tallies: Iterable[Tally]) -> JsonValue:
    """Return what became of translations, by target."""
    counts = Counter[tuple[str, str]]()
    for tally in tallies:
        counts.update(tally.translations)
    return [
        {"target": target, "final": counts[target, "final"], "failed": counts[target, "failed"]}
        for target in sorted({target for target, _ in counts})
    ]


def engines(tallied: Iterable[tuple[SessionRow, Tally]], health: Mapping[str, tuple[Health, ...]]) -> JsonValue:
    """Return how engines are, and how much each has heard."""
    speech_ms, changes = Counter[str](), 0
    for _, tally in tallied:
        speech_ms.update(tally.engine_ms)
        changes += tally.engine_changes
    return {
        "health": {work: [asdict(each) for each in found] for work, found in health.items()},
        "failovers": changes,
        "speech_ms": dict(speech_ms.most_common()),
    }


def ledger(each: TenantSums, waiting: int) -> JsonValue:
    """Return where a tenant's audio went, in samples: accepted = final + lost + discarded + waiting."""
    books = each.books
    return {
        "tenant": each.tenant,
        "sessions": each.sessions,
        "open": each.open,
        "accepted": books.settled + waiting,
        "final": books.settled - books.lost - books.discarded,
        "text": books.text,
        "lost": books.lost,
        "discarded": books.discarded,
        "waiting": waiting,
    }


def codes(tallies: Iterable[Tally]) -> JsonValue:
    """Return how often what went wrong."""
    codes = Counter[tuple[str, str]]()
    for tally in tallies:
        codes.update(tally.codes)
    return [
        {"severity": severity, "code": code, "number": number}
        for (severity, code), number in sorted(codes.items(), key=lambda each: (each[0][0], -each[1], each[0][1]))
    ]


def problems(tallied: Iterable[tuple[SessionRow, Tally]]) -> JsonValue:
    """Return the latest problems, those of the newest sessions first."""
    found = [(row, each) for row, tally in tallied for each in tally.problems]
    found.sort(key=lambda each: (each[0].created_ms + each[1].at_ms, each[1].seq), reverse=True)
    return [
        {
            "session_id": row.session_id,
            "tenant": row.tenant,
            "session_created_ms": row.created_ms,
            "at_ms": each.at_ms,
            "severity": each.severity,
            "code": each.code,
            "message": each.message,
        }
        for row, each in found[:_SHOWN_PROBLEMS]
    ]


def replicas(rows: Iterable[SessionRow], now_ms: int) -> JsonValue:
    """Return the servers that hold open sessions, where there may be several; clocks of two machines may differ."""
    held = [row for row in rows if row.is_open and row.holder is not None]
    return [
        {
            "holder": holder,
            "sessions": sum(row.holder == holder for row in held),
            "is_heard_of": max(row.held_until_ms or 0 for row in held if row.holder == holder) >= now_ms,
        }
        for holder in sorted({row.holder for row in held if row.holder is not None})
    ]


def feedback(records: list[FeedbackRecord]) -> JsonValue:
    """Return what people said of it."""
    ratings = Counter[int](each.said.rating for each in records if isinstance(each.said, Rating))
    number = ratings.total()
    return {
        "ratings": {str(points): ratings[points] for points in range(1, 6)},
        "mean": round(sum(points * count for points, count in ratings.items()) / number, 3) if number else None,
        "corrections": len(records) - number,
    }
