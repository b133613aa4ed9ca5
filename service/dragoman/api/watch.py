"""What operators watch: figures of the live sessions in Prometheus' format, and log lines that hold no speech."""

from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from dragoman.domain.audio import SAMPLE_RATE_HZ
from dragoman.domain.events import (
    DurableEvent,
    ErrorEvent,
    LanguageChanged,
    LanguageDetected,
    SessionEnded,
    TranscriptFinal,
    TranscriptPartial,
    TranslationFailed,
    TranslationFinal,
    WarningEvent,
)
from dragoman.pipeline.hub import Hub

_LATENCIES_S: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30)

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST


class Watch:
    """The observer of a server's sessions."""

    def __init__(self) -> None:
        self._log = structlog.get_logger("dragoman")
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._live = Gauge("dragoman_sessions_live", "Sessions that are live.", registry=self._registry)
        self._behind = Gauge(
            "dragoman_lag_seconds", "Audio that the slowest session has not heard yet.", registry=self._registry
        )
        self._delay = Gauge(
            "dragoman_model_delay_seconds", "How long finals waited for the model of late.", registry=self._registry
        )
        self._opened = Counter(
            "dragoman_sessions_opened", "Sessions begun, or recovered.", ["how"], registry=self._registry
        )
        self._ended = Counter("dragoman_sessions_ended", "Sessions ended.", ["reason"], registry=self._registry)
        self._latency = Histogram(
            "dragoman_final_latency_seconds",
            "From the end of speech to its committed final.",
            buckets=_LATENCIES_S,
            registry=self._registry,
        )
        self._decode = Counter("dragoman_decode_seconds", "Time from heard to text.", registry=self._registry)
        self._speech = Counter("dragoman_speech_seconds", "Speech in finals.", registry=self._registry)
        self._audio = Counter(
            "dragoman_audio_seconds", "Where accepted audio ended (the ledger).", ["outcome"], registry=self._registry
        )
        self._finals = Counter("dragoman_finals", "Finals by language.", ["locale", "engine"], registry=self._registry)
        self._languages = Counter(
            "dragoman_language_decisions", "Languages found or changed to.", ["locale", "how"], registry=self._registry
        )
        self._translations = Counter(
            "dragoman_translations", "Translations by outcome.", ["target", "outcome"], registry=self._registry
        )
        self._warnings = Counter(
            "dragoman_warnings", "Warnings, those of the guards among them.", ["code"], registry=self._registry
        )
        self._errors = Counter("dragoman_errors", "Errors that ended sessions.", ["code"], registry=self._registry)

    def exposition(self, hub: Hub, delay_s: float) -> bytes:
        """Return all figures as text; ``delay_s`` is how long finals wait for the model."""
        self._live.set(hub.count)
        self._behind.set(hub.behind_samples / SAMPLE_RATE_HZ)
        self._delay.set(delay_s)
        return generate_latest(self._registry)

    def opened(self, session_id: str, *, recovered: bool, tenant: str) -> None:
        """Note a session."""
        self._opened.labels("recovered" if recovered else "new").inc()
        self._log.info("session.opened", session_id=session_id, recovered=recovered)

    def shown(
        self, session_id: str, partial: TranscriptPartial, since_start_ms: int | None, since_end_ms: int | None
    ) -> None:
        """Leave drafts to others."""

    def committed(self, session_id: str, event: DurableEvent) -> None:
        """Note an event."""
        match event:
            case TranscriptFinal():
                self._final(event)
            case TranslationFinal() | TranslationFailed():
                self._translations.labels(event.target, event.type.removeprefix("translation.")).inc()
            case LanguageDetected() | LanguageChanged():
                self._languages.labels(event.locale, event.type.removeprefix("language.")).inc()
            case WarningEvent():
                self._warnings.labels(event.code).inc()
                self._log.warning("session.warning", session_id=session_id, code=event.code)
            case ErrorEvent():
                self._errors.labels(event.code).inc()
                self._log.error("session.error", session_id=session_id, code=event.code)
            case SessionEnded():
                self._end(event)
            case _:
                pass

    def closed(self, session_id: str, *, ended: bool) -> None:
        """Note the end of this process's part in a session."""
        self._log.info("session.closed", session_id=session_id, ended=ended)

    def _final(self, final: TranscriptFinal) -> None:
        self._finals.labels(final.locale, final.engine).inc()
        self._speech.inc((final.end_ms - final.start_ms) / 1000)
        if final.latency.decode_ms is not None:
            self._decode.inc(final.latency.decode_ms / 1000)
        if final.latency.since_speech_end_ms is not None:
            self._latency.observe(final.latency.since_speech_end_ms / 1000)

    def _end(self, ended: SessionEnded) -> None:
        ledger = ended.ledger
        self._ended.labels(ended.reason).inc()
        outcomes = {
            "text": ledger.text_samples,
            "no_speech": ledger.final_samples - ledger.text_samples,
            "lost": ledger.lost_samples,
            "discarded": ledger.discarded_samples,
        }
        for outcome, samples in outcomes.items():
            self._audio.labels(outcome).inc(samples / SAMPLE_RATE_HZ)
        self._log.info(
            "session.ended",
            session_id=ended.session_id,
            reason=ended.reason,
            audio_s=round(ledger.accepted_samples / SAMPLE_RATE_HZ, 1),
            lost_s=round(ledger.lost_samples / SAMPLE_RATE_HZ, 1),
            utterances=ended.utterances,
        )
