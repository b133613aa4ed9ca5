"""Events to put into a store."""

from dragoman.domain.events import LedgerTotals, SessionEnded, TranscriptFinal, TranslationFinal, WarningEvent
from dragoman.store.ports import SessionRecord


def record(session_id: str = "s_1") -> SessionRecord:
    return SessionRecord(session_id, created_ms=1_700_000_000_000, spec_json="{}")


def warning(seq: int, session_id: str = "s_1") -> WarningEvent:
    return WarningEvent(session_id=session_id, seq=seq, code="c", message=f"number {seq}")


def final(seq: int, utterance_id: str, session_id: str = "s_1", text: str = "Guten Tag.") -> TranscriptFinal:
    return TranscriptFinal(
        session_id=session_id,
        seq=seq,
        utterance_id=utterance_id,
        rev=1,
        text=text,
        start_ms=0,
        end_ms=900,
        locale="de-DE",
        engine="whisper",
    )


def translation(seq: int, utterance_id: str, target: str, session_id: str = "s_1") -> TranslationFinal:
    return TranslationFinal(
        session_id=session_id, seq=seq, utterance_id=utterance_id, target=target, text="Good day.", engine="e"
    )


def ended(seq: int, session_id: str = "s_1") -> SessionEnded:
    ledger = LedgerTotals(
        accepted_samples=0,
        final_samples=0,
        text_samples=0,
        lost_samples=0,
        discarded_samples=0,
        sample_rate_hz=16_000,
    )
    return SessionEnded(session_id=session_id, seq=seq, reason="completed", ledger=ledger, utterances=0)
