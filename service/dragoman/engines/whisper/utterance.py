"""One utterance: decode it, doubt it, decode it again in a full window, and give up its text rather than invent one."""

import asyncio
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dragoman.domain.audio import to_ms
from dragoman.domain.language import Locale, base_language
from dragoman.domain.speech import Heard, Hypothesis, Notice, TranscriptionRequest, Word
from dragoman.engines.hearing import Spoken
from dragoman.engines.whisper.guards import Doubt, GuardRules, doubts
from dragoman.engines.whisper.model import Decoded, DecodeJob, Task, TimedWord
from dragoman.engines.whisper.scheduler import Listening, Scheduler

_INVENTED: Final = frozenset({Doubt.LOOP, Doubt.REPETITIVE, Doubt.RUNAWAY})


@dataclass(frozen=True, slots=True)
class SpokenLanguage:
    """The language to decode an utterance in, and how sure that is."""

    locale: Locale
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class _Attempt:
    job: DecodeJob
    decoded: Decoded
    doubts: frozenset[Doubt]

    @property
    def is_invented(self) -> bool:
        return bool(self.doubts & _INVENTED)


class UtteranceDecoder:
    """Decodes the utterances of one session. ``codes`` maps its candidates to Whisper's language codes."""

    def __init__(
        self,
        scheduler: Scheduler,
        request: TranscriptionRequest,
        codes: Mapping[Locale, str],
        *,
        can_translate: bool,
        rules: GuardRules | None = None,
    ) -> None:
        self._scheduler = scheduler
        self._request = request
        self._codes = codes
        self._rules = rules or GuardRules()
        self._english = [target for target in request.targets if can_translate and base_language(target) == "en"]

    async def decode(self, spoken: Spoken, listening: Listening, language: SpokenLanguage) -> list[Heard]:
        """Return the hypothesis of an utterance, after a notice if its text had to be given up."""
        started = time.monotonic()
        targets = self._english if self._codes[language.locale] != "en" else []
        transcript, english = await asyncio.gather(
            self._attempt(spoken, listening, language, "transcribe"),
            self._english_text(spoken, listening, language) if targets else _nothing(),
        )
        if transcript is None or not transcript.decoded.text:
            return self._no_text(spoken, language, invented=transcript is None)
        words = await self._words(spoken, transcript) if self._request.word_times else ()
        segment = spoken.segment
        return [
            Hypothesis(
                covers=segment.covers,
                speech=segment.speech,
                text=transcript.decoded.text,
                locale=language.locale,
                locale_confidence=language.confidence,
                confidence=min(1.0, math.exp(transcript.decoded.avg_log_prob)),
                words=words,
                translations=dict.fromkeys(targets, english or None),
                decode_ms=round((time.monotonic() - started) * 1000),
            )
        ]

    async def _attempt(
        self, spoken: Spoken, listening: Listening, language: SpokenLanguage, task: Task
    ) -> _Attempt | None:
        """Return the better of a right-sized and, if that is doubted, a full window; ``None`` if both are invented."""
        first = await self._decode(spoken, listening, language, task)
        if not first.doubts:
            return first
        full = await self._scheduler.listen(spoken.samples, identify=False, full_window=True)
        second = await self._decode(spoken, full, language, task)
        if Doubt.NO_SPEECH in second.doubts:
            return _Attempt(second.job, _SILENT, frozenset())
        trusted = [attempt for attempt in (second, first) if not attempt.is_invented]
        return max(trusted, key=lambda attempt: attempt.decoded.avg_log_prob, default=None)

    async def _decode(self, spoken: Spoken, listening: Listening, language: SpokenLanguage, task: Task) -> _Attempt:
        job = DecodeJob(listening.encoded, self._codes[language.locale], task)
        decoded = await self._scheduler.decode(job)
        found = doubts(
            decoded.text,
            avg_log_prob=decoded.avg_log_prob,
            no_speech=decoded.no_speech,
            speech_ms=to_ms(spoken.segment.speech.samples),
            rules=self._rules,
        )
        return _Attempt(job, decoded, found)

    async def _english_text(self, spoken: Spoken, listening: Listening, language: SpokenLanguage) -> str | None:
        attempt = await self._attempt(spoken, listening, language, "translate")
        return attempt.decoded.text if attempt else None

    async def _words(self, spoken: Spoken, transcript: _Attempt) -> tuple[Word, ...]:
        timed = await self._scheduler.align(transcript.job, transcript.decoded)
        return tuple(_word(word, spoken) for word in timed)

    def _no_text(self, spoken: Spoken, language: SpokenLanguage, *, invented: bool) -> list[Heard]:
        segment = spoken.segment
        heard: list[Heard] = []
        if invented:
            message = (
                f"The model repeated itself or ran away from {segment.speech.start_ms} to {segment.speech.end_ms} ms, "
                "so its text was left out. A larger model may understand this passage."
            )
            heard.append(Notice("text_suppressed", message))
        heard.append(Hypothesis(segment.covers, segment.speech, "", language.locale, language.confidence))
        return heard


_SILENT: Final = Decoded(text="", tokens=(), avg_log_prob=0.0, no_speech=1.0)


async def _nothing() -> None:
    return None


def _word(word: TimedWord, spoken: Spoken) -> Word:
    """Place a word on the session clock, inside the speech: attention gives leading silence to the first word."""
    speech, origin_ms = spoken.segment.speech, spoken.segment.covers.start_ms
    start_ms = min(max(origin_ms + round(word.start_s * 1000), speech.start_ms), speech.end_ms)
    end_ms = min(max(origin_ms + round(word.end_s * 1000), start_ms), spoken.segment.covers.end_ms)
    return Word(word.text, start_ms, end_ms, min(1.0, word.probability))
