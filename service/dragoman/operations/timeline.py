"""A session as intervals that cover all its audio, and marks within it. What was said is not in it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from dragoman.domain.audio import to_ms
from dragoman.domain.events import (
    AudioLost,
    DurableEvent,
    EngineChanged,
    ErrorEvent,
    InsightFailed,
    LanguageChanged,
    LanguageDetected,
    SessionStarted,
    TranscriptFinal,
    TranslationFailed,
    WarningEvent,
)
from dragoman.store.ports import Books

Kind = Literal["speech", "no speech", "lost", "discarded"]
MarkKind = Literal["language", "engine", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of audio and where it went; what is ``None`` does not apply, or is not known.

    ``since_speech_end_ms`` is how long its final took.
    """

    kind: Kind
    start_ms: int
    end_ms: int
    utterance_id: str | None = None
    locale: str | None = None
    engine: str | None = None
    speaker: str | None = None
    since_speech_end_ms: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at one place, in a few words, none of which was said by a speaker."""

    kind: MarkKind
    at_ms: int
    label: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """The intervals follow each other from 0 to ``end_ms`` without a gap; speech of two channels may overlap."""

    end_ms: int
    intervals: tuple[Interval, ...]
    marks: tuple[Mark, ...]


def timeline(events: Iterable[DurableEvent], books: Books) -> Timeline:
    """Return the timeline of what is settled of a session."""
    intervals: list[Interval] = []
    marks: list[Mark] = []
    at_ms = 0
    for event in events:
        match event:
            case TranscriptFinal():
                at_ms = max(at_ms, event.end_ms)
                intervals.append(_speech(event))
            case AudioLost():
                at_ms = max(at_ms, event.end_ms)
                intervals.append(Interval("lost", event.start_ms, event.end_ms, reason=event.reason))
            case SessionStarted():
                marks.append(Mark("engine", 0, event.engine))
            case LanguageDetected() | LanguageChanged():
                marks.append(Mark("language", event.at_ms, event.locale))
            case EngineChanged():
                marks.append(Mark("engine", event.at_ms, f"{event.changed_from} → {event.engine}"))
            case ErrorEvent() | InsightFailed() | TranslationFailed():
                marks.append(Mark("error", at_ms, event.code))
            case WarningEvent():
                marks.append(Mark("warning", at_ms, event.code))
            case _:
                pass
    settled_ms = to_ms(books.settled)
    if books.discarded:  # it is always the rest: a session is stopped once
        intervals.append(Interval("discarded", to_ms(books.settled - books.discarded), settled_ms))
    intervals.sort(key=lambda each: (each.start_ms, each.end_ms))
    end_ms = max([settled_ms, *(each.end_ms for each in intervals)], default=0)
    return Timeline(end_ms, tuple(_filled(intervals, end_ms)), tuple(sorted(marks, key=lambda each: each.at_ms)))


def _speech(final: TranscriptFinal) -> Interval:
    return Interval(
        "speech",
        final.start_ms,
        final.end_ms,
        final.utterance_id,
        final.locale,
        final.engine,
        final.speaker,
        final.latency.since_speech_end_ms,
    )


def _filled(intervals: Iterable[Interval], end_ms: int) -> Iterable[Interval]:
    """Yield the intervals with the silence between them."""
    reached_ms = 0
    for each in intervals:
        if each.start_ms > reached_ms:
            yield Interval("no speech", reached_ms, each.start_ms)
        yield each
        reached_ms = max(reached_ms, each.end_ms)
    if end_ms > reached_ms:
        yield Interval("no speech", reached_ms, end_ms)
