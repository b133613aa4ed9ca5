"""What a session's events add up to: languages, engines, what it would cost, and what went wrong."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from dragoman.domain.events import (
    AudioLost,
    DurableEvent,
    EngineChanged,
    ErrorEvent,
    InsightFailed,
    InsightReady,
    LanguageChanged,
    LanguageDetected,
    SessionEnded,
    SessionStarted,
    TranscriptFinal,
    TranslationFailed,
    TranslationFinal,
    WarningEvent,
)

_MOST_PROBLEMS: Final = 20
Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that went wrong; ``at_ms`` is where the session was."""

    severity: Severity
    code: str
    message: str
    at_ms: int
    seq: int


@dataclass
class Tally:
    """Sums over the events of one session up to ``seq``; add them in order.

    ``speech_ms`` is by locale; ``final_ms`` are the delays of its finals; ``problems`` are the latest, and ``codes``
    counts all of them.
    """

    seq: int = 0
    engine: str | None = None
    model: str | None = None
    lid: str | None = None
    source: str | None = None
    locale: str | None = None
    reason: str | None = None
    at_ms: int = 0
    finals: int = 0
    engine_changes: int = 0
    characters: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    speech_ms: Counter[str] = field(default_factory=Counter)
    engine_ms: Counter[str] = field(default_factory=Counter)
    final_ms: list[int] = field(default_factory=list)
    translations: Counter[tuple[str, str]] = field(default_factory=Counter)
    codes: Counter[tuple[Severity, str]] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)

    def add(self, events: Iterable[DurableEvent]) -> None:
        """Add the next events."""
        for event in events:
            self.seq = event.seq
            self._add(event)

    def _add(self, event: DurableEvent) -> None:
        match event:
            case SessionStarted():
                self.engine, self.model, self.lid, self.source = event.engine, event.model, event.lid, event.source
            case LanguageDetected() | LanguageChanged():
                self.locale, self.at_ms = event.locale, max(self.at_ms, event.at_ms)
            case TranscriptFinal():
                self._final(event)
            case TranslationFinal():
                self.translations[event.target, "final"] += 1
            case TranslationFailed():
                self.translations[event.target, "failed"] += 1
                self._problem("error", event.code, f"Translation into {event.target}: {event.message}", event.seq)
            case EngineChanged():
                self.engine, self.at_ms = event.engine, max(self.at_ms, event.at_ms)
                self.engine_changes += 1
                changed = f"{event.changed_from} → {event.engine}: {event.reason}"
                self._problem("warning", "engine_changed", changed, event.seq)
            case AudioLost():
                self.at_ms = max(self.at_ms, event.end_ms)
                self._problem("error", "audio_lost", f"{event.samples} samples: {event.reason}", event.seq)
            case InsightReady():
                self.prompt_tokens += sum(each.prompt_tokens for each in event.insight.costs)
                self.completion_tokens += sum(each.completion_tokens for each in event.insight.costs)
            case InsightFailed() | ErrorEvent():
                self._problem("error", event.code, event.message, event.seq)
            case WarningEvent():
                self._problem("warning", event.code, event.message, event.seq)
            case SessionEnded():
                self.reason = event.reason
            case _:
                pass

    def _final(self, final: TranscriptFinal) -> None:
        self.finals += 1
        self.locale, self.at_ms = final.locale, max(self.at_ms, final.end_ms)
        self.speech_ms[final.locale] += final.end_ms - final.start_ms
        self.engine_ms[final.engine] += final.end_ms - final.start_ms
        self.characters += len(final.text) * len(final.translates_to)
        if final.latency.since_speech_end_ms is not None:
            self.final_ms.append(final.latency.since_speech_end_ms)

    def _problem(self, severity: Severity, code: str, message: str, seq: int) -> None:
        self.codes[severity, code] += 1
        self.problems.append(Problem(severity, code, message, self.at_ms, seq))
        del self.problems[:-_MOST_PROBLEMS]
