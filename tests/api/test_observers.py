"""What figures and traces tell of a session, and what they do not."""

import json

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from dragoman.api.traces import Traces
from dragoman.domain.events import ErrorEvent, Latency, LedgerTotals, SessionEnded, TranscriptFinal
from dragoman.pipeline.observer import Observers

ID = "s_01"
TOTALS = LedgerTotals(
    accepted_samples=32_000,
    final_samples=16_000,
    text_samples=16_000,
    lost_samples=16_000,
    discarded_samples=0,
    sample_rate_hz=16_000,
)


def final(text: str) -> TranscriptFinal:
    return TranscriptFinal(
        session_id=ID,
        seq=1,
        utterance_id="u_1",
        rev=1,
        text=text,
        start_ms=0,
        end_ms=1_000,
        locale="de-DE",
        engine="whisper",
        latency=Latency(since_speech_end_ms=400),
    )


def test_a_session_is_a_span_with_a_span_per_utterance() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    observer = Observers(Traces(provider.get_tracer("test")), None)
    observer.opened(ID, recovered=False, tenant="default")
    observer.committed(ID, final("Streng geheim."))
    observer.committed(ID, ErrorEvent(session_id=ID, seq=2, code="engine_failed", message="", retryable=True))
    observer.committed(ID, SessionEnded(session_id=ID, seq=3, reason="failed", ledger=TOTALS, utterances=1))
    observer.closed(ID, ended=True)
    utterance, session = exporter.get_finished_spans()
    assert (utterance.name, session.name) == ("utterance", "session")
    assert utterance.parent is not None
    assert session.context is not None
    assert utterance.parent.span_id == session.context.span_id
    assert utterance.end_time is not None
    assert utterance.start_time is not None
    assert utterance.end_time - utterance.start_time == 400_000_000
    assert session.attributes is not None
    assert session.attributes["session.lost_samples"] == 16_000
    assert session.status.description == "engine_failed"
    assert "geheim" not in json.dumps([json.loads(span.to_json()) for span in (utterance, session)])
