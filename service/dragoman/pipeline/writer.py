"""The one writer of a session: turns values into events and numbers them."""

import math
from collections.abc import Iterator
from typing import Literal

from dragoman.domain.audio import Span, to_ms
from dragoman.domain.errors import DragomanError, EngineFailedError
from dragoman.domain.events import (
    AudioLost,
    EngineChanged,
    ErrorEvent,
    InsightFailed,
    InsightReady,
    LanguageChanged,
    LanguageDetected,
    Latency,
    LedgerTotals,
    LocaleScore,
    SessionEnded,
    SessionStarted,
    SpeechEndedEvent,
    SpeechStartedEvent,
    TranscriptFinal,
    TranscriptPartial,
    TranscriptPolished,
    TranslationFailed,
    TranslationFinal,
    TranslationPartial,
    TranslationTotals,
    WarningEvent,
    WordTime,
)
from dragoman.domain.insight import Insight
from dragoman.domain.language import LidMode, TargetLanguage
from dragoman.domain.speech import EngineChange, Hypothesis, LanguageDecision, Notice, Partial
from dragoman.insight.polishing import Polished
from dragoman.pipeline.memory import Memory
from dragoman.pipeline.spec import SessionSpec
from dragoman.pipeline.stability import Reading


class EventWriter:
    """Every call makes the next event, with ``seq`` in the order of the calls: yield what it returns."""

    def __init__(self, spec: SessionSpec, engine: str, memory: Memory) -> None:
        self._spec = spec
        self._engine = engine
        self._id = spec.session_id
        self._seq = memory.seq
        self._finals = memory.finals
        self._utterance = memory.utterance
        self._is_shown = False  # the next utterance has its number already
        self._locale = memory.locale
        self._changed_from = memory.changed_from

    def started(self) -> SessionStarted:
        """Announce the session with its effective configuration."""
        spec = self._spec
        return SessionStarted(
            session_id=self._id,
            seq=self._next(),
            engine=self._engine,
            model=spec.model,
            lid=spec.lid,
            candidates=spec.candidates,
            targets=spec.targets,
            source=spec.source,
            channel=spec.channel,
        )

    def speech_started(self, at: int) -> SpeechStartedEvent:
        """Announce speech from sample ``at``."""
        return SpeechStartedEvent(session_id=self._id, seq=self._next(), at_ms=to_ms(at))

    def speech_ended(self, at: int) -> SpeechEndedEvent:
        """Announce the end of speech at sample ``at``."""
        return SpeechEndedEvent(session_id=self._id, seq=self._next(), at_ms=to_ms(at))

    def language(self, decision: LanguageDecision) -> Iterator[LanguageDetected | LanguageChanged]:
        """Announce a language if it is not the current one.

        Raises:
            EngineFailedError: if the engine chose what it may not: no candidate, or a second language at-start.
        """
        before, locale = self._locale, decision.locale
        if locale == before:
            return
        if locale not in self._spec.candidates:
            raise EngineFailedError(f"The engine decided for {locale}, which is not among the candidates.")
        if before is not None and self._spec.lid is LidMode.AT_START:
            raise EngineFailedError(f"The engine changed from {before} to {locale} in at-start identification.")
        self._locale = locale
        scores = tuple(LocaleScore(locale=each, probability=_rounded(score)) for each, score in decision.scores)
        confidence = next((score.probability for score in scores if score.locale == locale), None)
        if before is None:
            yield LanguageDetected(
                session_id=self._id,
                seq=self._next(),
                locale=locale,
                confidence=confidence,
                at_ms=to_ms(decision.heard),
                mode=self._spec.lid,
                candidates=scores,
            )
            return
        self._changed_from = before
        yield LanguageChanged(
            session_id=self._id,
            seq=self._next(),
            locale=locale,
            changed_from=before,
            confidence=confidence,
            at_ms=to_ms(decision.since),
            candidates=scores,
        )

    def partial(self, partial: Partial, reading: Reading, rev: int) -> TranscriptPartial:
        """Show the open utterance."""
        return TranscriptPartial(
            session_id=self._id,
            after_seq=self._seq,
            utterance_id=self._open(),
            rev=rev,
            text=reading.text,
            stable_len=reading.stable_len,
            start_ms=partial.speech.start_ms,
            end_ms=partial.speech.end_ms,
            locale=partial.locale,
            channel=self._spec.channel,
        )

    def translation_partial(self, target: TargetLanguage, reading: Reading, source_rev: int) -> TranslationPartial:
        """Show a translation of the open utterance's stable prefix."""
        return TranslationPartial(
            session_id=self._id,
            after_seq=self._seq,
            utterance_id=self._open(),
            source_rev=source_rev,
            target=target,
            text=reading.text,
            stable_len=reading.stable_len,
        )

    def close_utterance(self) -> None:
        """Let what follows be another utterance."""
        self._is_shown = False

    def transcript(
        self, hypothesis: Hypothesis, translates_to: tuple[TargetLanguage, ...], since_speech_end_ms: int | None
    ) -> TranscriptFinal:
        """Write the final of the open utterance, or of the next one."""
        self._finals += 1
        utterance_id = self._open()
        self.close_utterance()
        changed_from, self._changed_from = self._changed_from, None
        return TranscriptFinal(
            session_id=self._id,
            seq=self._next(),
            utterance_id=utterance_id,
            rev=1,
            text=hypothesis.text,
            start_ms=hypothesis.speech.start_ms,
            end_ms=hypothesis.speech.end_ms,
            locale=hypothesis.locale,
            locale_confidence=_probability(hypothesis.locale_confidence),
            locale_margin=_probability(hypothesis.locale_margin),
            changed_from=changed_from,
            speaker=hypothesis.speaker,
            channel=self._spec.channel,
            confidence=_probability(hypothesis.confidence),
            words=tuple(
                WordTime(
                    text=word.text, start_ms=word.start_ms, end_ms=word.end_ms, confidence=_probability(word.confidence)
                )
                for word in hypothesis.words
            ),
            translates_to=translates_to,
            engine=self._engine,
            latency=Latency(since_speech_end_ms=since_speech_end_ms, decode_ms=hypothesis.decode_ms),
        )

    def translation(
        self, utterance_id: str, target: TargetLanguage, result: str | DragomanError, engine: str
    ) -> TranslationFinal | TranslationFailed:
        """Write the outcome of a translation."""
        if isinstance(result, DragomanError):
            return TranslationFailed(
                session_id=self._id,
                seq=self._next(),
                utterance_id=utterance_id,
                target=target,
                code=result.code,
                message=str(result),
            )
        return TranslationFinal(
            session_id=self._id,
            seq=self._next(),
            utterance_id=utterance_id,
            target=target,
            text=result,
            engine=engine,
        )

    def warning(self, notice: Notice) -> WarningEvent:
        """Pass a notice on."""
        return WarningEvent(session_id=self._id, seq=self._next(), code=notice.code, message=notice.message)

    def engine_changed(self, change: EngineChange) -> EngineChanged:
        """Announce that another engine does the work; finals name it from here on."""
        before, self._engine = self._engine, change.engine
        return EngineChanged(
            session_id=self._id,
            seq=self._next(),
            engine=change.engine,
            changed_from=before,
            reason=change.reason,
            at_ms=to_ms(change.at),
        )

    def lost(self, span: Span, reason: str) -> AudioLost:
        """Own up to audio that nobody settled."""
        return AudioLost(
            session_id=self._id,
            seq=self._next(),
            start_ms=span.start_ms,
            end_ms=span.end_ms,
            samples=span.samples,
            reason=reason,
        )

    def polished(self, polished: Polished) -> TranscriptPolished:
        """Say how a final should read."""
        return TranscriptPolished(
            session_id=self._id,
            seq=self._next(),
            utterance_id=polished.utterance_id,
            text=polished.text,
            translations=dict(polished.translations),
            changes=polished.changes,
            engine=polished.engine,
        )

    def insight(self, outcome: Insight | DragomanError, *, is_final: bool) -> InsightReady | InsightFailed:
        """Say what follows, or why nobody does."""
        if isinstance(outcome, DragomanError):
            return InsightFailed(
                session_id=self._id, seq=self._next(), is_final=is_final, code=outcome.code, message=str(outcome)
            )
        return InsightReady(session_id=self._id, seq=self._next(), is_final=is_final, insight=outcome)

    def error(self, error: DragomanError) -> ErrorEvent:
        """Say why the session ends."""
        return ErrorEvent(
            session_id=self._id, seq=self._next(), code=error.code, message=str(error), retryable=error.retryable
        )

    def ended(
        self,
        reason: Literal["completed", "failed", "cancelled"],
        ledger: LedgerTotals,
        translations: tuple[TranslationTotals, ...],
    ) -> SessionEnded:
        """Close the books."""
        return SessionEnded(
            session_id=self._id,
            seq=self._next(),
            reason=reason,
            ledger=ledger,
            utterances=self._finals,
            translations=translations,
        )

    def _open(self) -> str:
        if not self._is_shown:
            self._utterance += 1
            self._is_shown = True
        return f"u_{self._utterance}"

    def _next(self) -> int:
        self._seq += 1
        return self._seq


def _probability(value: float | None) -> float | None:
    """Return a probability, or unknown: some engines give no number where they know nothing."""
    return None if value is None or math.isnan(value) else _rounded(value)


def _rounded(probability: float) -> float:
    """Return as many digits as mean anything; engines overshoot 1 by rounding."""
    return round(min(1.0, probability), 4)
