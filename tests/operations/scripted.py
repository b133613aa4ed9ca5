"""A session that speaks two languages, changes its engine, and loses and discards audio: every figure is known."""

from dragoman.domain.events import (
    AudioLost,
    DurableEvent,
    EngineChanged,
    LanguageChanged,
    LanguageDetected,
    Latency,
    LedgerTotals,
    SessionEnded,
    SessionStarted,
    TranscriptFinal,
    TranslationFailed,
    TranslationFinal,
    WarningEvent,
)
from dragoman.domain.language import LidMode
from dragoman.store.ports import Books

BOOKS = Books(settled=10 * 16_000, text=5 * 16_000, lost=2 * 16_000, discarded=16_000)


def _final(
    session_id: str, seq: int, utterance_id: str, span_ms: tuple[int, int], locale: str, engine: str, delay_ms: int
) -> TranscriptFinal:
    return TranscriptFinal(
        session_id=session_id,
        seq=seq,
        utterance_id=utterance_id,
        rev=1,
        text="0123456789",
        start_ms=span_ms[0],
        end_ms=span_ms[1],
        locale=locale,
        translates_to=("en",),
        engine=engine,
        latency=Latency(since_speech_end_ms=delay_ms),
    )


def scripted(session_id: str = "s_1", *, is_over: bool = True) -> list[DurableEvent]:
    """Return its events: 10 s of audio, of which 2 s are lost and the last one is discarded."""
    events: list[DurableEvent] = [
        SessionStarted(
            session_id=session_id,
            seq=1,
            engine="azure",
            lid=LidMode.CONTINUOUS,
            candidates=("de-DE", "es-ES"),
            targets=("en",),
            source="call.wav",
        ),
        LanguageDetected(
            session_id=session_id, seq=2, locale="de-DE", confidence=0.9, at_ms=900, mode=LidMode.CONTINUOUS
        ),
        _final(session_id, 3, "u_1", (500, 2_500), "de-DE", "azure", 300),
        TranslationFinal(session_id=session_id, seq=4, utterance_id="u_1", target="en", text="Good day.", engine="e"),
        EngineChanged(
            session_id=session_id, seq=5, engine="whisper", changed_from="azure", reason="It is silent.", at_ms=2_600
        ),
        LanguageChanged(
            session_id=session_id, seq=6, locale="es-ES", changed_from="de-DE", confidence=None, at_ms=3_000
        ),
        _final(session_id, 7, "u_2", (3_000, 6_000), "es-ES", "whisper", 900),
        TranslationFailed(
            session_id=session_id, seq=8, utterance_id="u_2", target="en", code="translation_failed", message="No."
        ),
        AudioLost(session_id=session_id, seq=9, start_ms=6_000, end_ms=8_000, samples=32_000, reason="engine_failed"),
        WarningEvent(session_id=session_id, seq=10, code="lagging", message="The server is busy."),
    ]
    if is_over:
        ledger = LedgerTotals(
            accepted_samples=160_000,
            final_samples=112_000,
            text_samples=80_000,
            lost_samples=32_000,
            discarded_samples=16_000,
            sample_rate_hz=16_000,
        )
        events.append(SessionEnded(session_id=session_id, seq=11, reason="cancelled", ledger=ledger, utterances=2))
    return events
