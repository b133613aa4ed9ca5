"""Traces of live sessions by OpenTelemetry: a span per session, one per utterance, none with what was said."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Span, Tracer

from dragoman import __version__
from dragoman.domain.errors import DependencyMissingError
from dragoman.domain.events import DurableEvent, ErrorEvent, SessionEnded, TranscriptFinal, TranscriptPartial
from dragoman.engines.azure.access import Identity
from dragoman.engines.azure.telemetry import CONNECTION, span_exporter
from dragoman.settings import Settings

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


class Traces:
    """An observer that writes spans."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._sessions: dict[str, Span] = {}

    def opened(self, session_id: str, *, recovered: bool, tenant: str) -> None:
        """Begin the span of a session; a recovered one has a span per process."""
        attributes: dict[str, str | bool] = {"session.id": session_id, "session.recovered": recovered}
        self._sessions[session_id] = self._tracer.start_span("session", attributes=attributes)

    def shown(
        self, session_id: str, partial: TranscriptPartial, since_start_ms: int | None, since_end_ms: int | None
    ) -> None:
        """Leave drafts to others."""

    def committed(self, session_id: str, event: DurableEvent) -> None:
        """Write the span of an utterance; note an error and the books."""
        session = self._sessions.get(session_id)
        if session is None:
            return
        match event:
            case TranscriptFinal():
                self._utterance(session, event)
            case ErrorEvent():
                session.set_status(trace.StatusCode.ERROR, event.code)
            case SessionEnded():
                session.set_attribute("session.accepted_samples", event.ledger.accepted_samples)
                session.set_attribute("session.lost_samples", event.ledger.lost_samples)
                session.set_attribute("session.reason", event.reason)
            case _:
                pass

    def closed(self, session_id: str, *, ended: bool) -> None:
        """End the span of a session."""
        if session := self._sessions.pop(session_id, None):
            session.set_attribute("session.ended", ended)
            session.end()

    def _utterance(self, session: Span, final: TranscriptFinal) -> None:
        """Write a span from the end of speech to the committed final: what a listener waited for."""
        now_ns = time.time_ns()
        waited_ms = final.latency.since_speech_end_ms or final.latency.decode_ms or 0
        span = self._tracer.start_span(
            "utterance",
            trace.set_span_in_context(session),
            start_time=now_ns - waited_ms * 1_000_000,
            attributes={
                "utterance.id": final.utterance_id,
                "utterance.locale": final.locale,
                "utterance.engine": final.engine,
                "utterance.speech_ms": final.end_ms - final.start_ms,
                "utterance.characters": len(final.text),
            },
        )
        span.end(now_ns)


@contextmanager
def tracing(settings: Settings) -> Iterator[Traces | None]:
    """Give an observer that sends spans to where the variables of OpenTelemetry and of Azure Monitor say.

    ``None`` if they say nothing. Leaving the context sends what was not sent yet: a signal ends the process at once.

    Raises:
        DependencyMissingError: if they do, and there is no exporter.
        SettingsError: if what they say is none.
    """
    exporters = list(_exporters(settings))
    if not exporters:
        yield None
        return
    provider = TracerProvider(resource=Resource.create({"service.name": "dragoman", "service.version": __version__}))
    for exporter in exporters:
        provider.add_span_processor(BatchSpanProcessor(exporter))
    try:
        yield Traces(provider.get_tracer("dragoman"))
    finally:
        provider.shutdown()


def _exporters(settings: Settings) -> Iterator[SpanExporter]:
    if any(os.environ.get(name) for name in _ENDPOINTS):
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        except ImportError as error:
            raise DependencyMissingError(
                f"{_ENDPOINTS[0]} is set, but there is no exporter; install it with: "
                "pip install opentelemetry-exporter-otlp-proto-http"
            ) from error
        yield OTLPSpanExporter()
    if connection := os.environ.get(CONNECTION):
        yield span_exporter(connection, Identity(settings.azure_identity), settings.azure_client_id)
