"""The one writer of a session: turns values into events and numbers them."""

import math
from collections.abc import Iterator
from typing import Literal

from dragoman.domain.audio import Span, to_ms
from dragoman.domain.errors import DragomanError, EngineFailedError
from dragoman.domain.events import (
    AudioLost,
    ErrorEvent,
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
    TranslationFailed,
    TranslationFinal,
    TranslationTotals,
    WarningEvent,
    WordTime,
)
from dragoman.domain.language import LidMode, Locale, TargetLanguage
from dragoman.domain.speech import Hypothesis, LanguageDecision, Notice
from dragoman.pipeline.spec import SessionSpec


class EventWriter:
    """Every call makes the next event: ``seq`` is 1, 2, 3, … in the order of the calls, so yield what it returns."""

    def __init__(self, spec: SessionSpec, engine: str) -> None:
        self._spec = spec
        self._engine = engine
        self._id = spec.session_id
        self._seq = 0
        self._utterances = 0
        self._locale: Locale | None = None
        self._changed_from: Locale | None = None

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

    def transcript(self, hypothesis: Hypothesis, translates_to: tuple[TargetLanguage, ...]) -> TranscriptFinal:
        """Write a final, as the next utterance of the session."""
        self._utterances += 1
        changed_from, self._changed_from = self._changed_from, None
        return TranscriptFinal(
            session_id=self._id,
            seq=self._next(),
            utterance_id=f"u_{self._utterances}",
            rev=1,
            text=hypothesis.text,
            start_ms=hypothesis.speech.start_ms,
            end_ms=hypothesis.speech.end_ms,
            locale=hypothesis.locale,
            locale_confidence=_probability(hypothesis.locale_confidence),
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
            latency=Latency(decode_ms=hypothesis.decode_ms),
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
            utterances=self._utterances,
            translations=translations,
        )

    def _next(self) -> int:
        self._seq += 1
        return self._seq


def _probability(value: float | None) -> float | None:
    """Return a probability, or unknown: some engines give no number where they know nothing."""
    return None if value is None or math.isnan(value) else _rounded(value)


def _rounded(probability: float) -> float:
    """Return as many digits as mean anything; engines overshoot 1 by rounding."""
    return round(min(1.0, probability), 4)
