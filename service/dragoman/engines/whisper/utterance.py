"""One utterance: decode it, doubt it, decode it again another way, and leave its text out rather than invent one."""

import asyncio
import math
import time
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from dragoman.domain.audio import SAMPLE_RATE_HZ
from dragoman.domain.errors import EngineFailedError
from dragoman.domain.language import Locale, base_language
from dragoman.domain.speech import Heard, Hypothesis, Notice, Partial, TranscriptionRequest, Word
from dragoman.engines.hearing import Growing, Spoken
from dragoman.engines.whisper.committed import CommittedTokens
from dragoman.engines.whisper.guards import Doubt, GuardRules, Outcome, doubts
from dragoman.engines.whisper.model import FULL_WINDOW_FRAMES, Decoded, DecodeJob, Encoded, Task, TimedWord
from dragoman.engines.whisper.scheduler import Listening, OvertakenError, Scheduler, Urgency

_INVENTED: Final = frozenset({Doubt.LOOP, Doubt.REPETITIVE, Doubt.RUNAWAY, Doubt.TRUNCATED})

_MARGINS: Final = (None, 50, FULL_WINDOW_FRAMES)
"""Windows, by margin, that are tried until a text is beyond doubt: the usual one, a narrower one that costs little and
repairs most (docs/decisions/0003), and the full 30 s.
"""


@dataclass(frozen=True, slots=True)
class SpokenLanguage:
    """The language to decode an utterance in, how sure that is, and by how much it leads (see ``Hypothesis``)."""

    locale: Locale
    confidence: float | None = None
    margin: float | None = None


@dataclass(frozen=True, slots=True)
class _Attempt:
    job: DecodeJob
    decoded: Decoded
    doubts: frozenset[Doubt]


class _Windows:
    """The encodings of one utterance by margin, each made when it is first needed, and once."""

    def __init__(self, scheduler: Scheduler, spoken: Spoken, usual: Encoded, urgency: Urgency) -> None:
        self._scheduler = scheduler
        self.urgency = urgency
        self._spoken = spoken
        self._encoded: dict[int | None, Encoded] = {None: usual}
        self._turn = asyncio.Lock()

    async def encoded(self, margin_frames: int | None) -> Encoded:
        async with self._turn:
            if margin_frames not in self._encoded:
                listening = await self._scheduler.listen(
                    self._spoken.samples, self.urgency, identify=False, margin_frames=margin_frames
                )
                self._encoded[margin_frames] = listening.encoded
            return self._encoded[margin_frames]


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
        self._committed = CommittedTokens()
        self._scheduler = scheduler
        self._request = request
        self._codes = codes
        self._rules = rules or GuardRules()
        self._english = [target for target in request.targets if can_translate and base_language(target) == "en"]

    async def glimpse(self, growing: Growing, listening: Awaitable[Listening], language: SpokenLanguage) -> list[Heard]:
        """Return a partial of speech that goes on; nothing if it reads as if it were invented, or comes too late."""
        prefix = self._committed.prefix(growing.speech.start, language.locale)
        try:
            encoded = (await listening).encoded
            job = DecodeJob(encoded, self._codes[language.locale], timestamps=False, prefix=prefix, quick=True)
            decoded = await self._scheduler.decode(job, Urgency.PARTIAL)
        except OvertakenError:
            return []
        length_s = growing.speech.samples / SAMPLE_RATE_HZ
        if not decoded.text or self._doubts(decoded, length_s, length_s) & _INVENTED:
            self._committed.forget()
            return []
        self._committed.read(decoded.tokens)
        return [Partial(growing.speech, decoded.text, language.locale)]

    async def decode(
        self,
        spoken: Spoken,
        listening: Awaitable[Listening],
        language: SpokenLanguage,
        heard_at_s: float,
        urgency: Urgency,
    ) -> list[Heard]:
        """Return the hypothesis of an utterance, after notices about what could not be done for it."""
        targets = self._english if self._codes[language.locale] != "en" else []
        windows = _Windows(self._scheduler, spoken, (await listening).encoded, urgency)
        transcript, english = await asyncio.gather(
            self._best(spoken, windows, language, "transcribe"),
            self._best(spoken, windows, language, "translate") if targets else _nothing(),
        )
        if transcript is None or not transcript.decoded.text:
            return self._no_text(spoken, language, invented=transcript is None)
        text = transcript.decoded.text
        notices, words = await self._words(spoken, transcript, urgency) if self._request.word_times else ([], ())
        segment = spoken.segment
        hypothesis = Hypothesis(
            covers=segment.covers,
            speech=segment.speech,
            text=text,
            locale=language.locale,
            locale_confidence=language.confidence,
            locale_margin=language.margin,
            confidence=min(1.0, math.exp(transcript.decoded.avg_log_prob)),
            words=words,
            translations=dict.fromkeys(targets, _translation(english, text)),
            decode_ms=round((time.monotonic() - heard_at_s) * 1000),
        )
        return [*notices, hypothesis]

    async def _best(self, spoken: Spoken, windows: _Windows, language: SpokenLanguage, task: Task) -> _Attempt | None:
        """Return the first text beyond doubt, or the likeliest that is not invented; ``None`` if all are."""
        attempts: list[_Attempt] = []
        # With timestamps the model leaves out a sentence that is cut off, and this cut was ours.
        segment = spoken.segment
        timestamps = segment.reason != "max"
        speech_s = segment.speech.samples / SAMPLE_RATE_HZ
        speech_end_s = (segment.speech.end - segment.covers.start) / SAMPLE_RATE_HZ
        for margin_frames in _MARGINS:
            encoded = await windows.encoded(margin_frames)
            job = DecodeJob(encoded, self._codes[language.locale], task, timestamps)
            decoded = await self._scheduler.decode(job, windows.urgency)
            attempt = _Attempt(job, decoded, self._doubts(decoded, speech_s, speech_end_s))
            if not attempt.doubts:
                return attempt
            attempts.append(attempt)
        if Doubt.NO_SPEECH in attempt.doubts:
            return _Attempt(job, replace(decoded, text=""), frozenset())
        trusted = [attempt for attempt in attempts if not attempt.doubts & _INVENTED]
        whole = [attempt for attempt in trusted if Doubt.INCOMPLETE not in attempt.doubts]
        if whole:
            return max(whole, key=lambda attempt: attempt.decoded.avg_log_prob)
        return max(trusted, key=lambda attempt: len(attempt.decoded.text), default=None)

    def _doubts(self, decoded: Decoded, speech_s: float, speech_end_s: float) -> frozenset[Doubt]:
        outcome = Outcome(
            decoded.text,
            decoded.avg_log_prob,
            decoded.no_speech,
            decoded.until_s,
            decoded.unfinished,
            decoded.truncated,
        )
        return doubts(outcome, speech_s=speech_s, speech_end_s=speech_end_s, rules=self._rules)

    async def _words(
        self, spoken: Spoken, transcript: _Attempt, urgency: Urgency
    ) -> tuple[list[Heard], tuple[Word, ...]]:
        try:
            timed = await self._scheduler.align(transcript.job, transcript.decoded, urgency)
        except EngineFailedError:
            at_ms = spoken.segment.speech.start_ms
            return [Notice("word_times_failed", f"The utterance at {at_ms} ms has no word times.")], ()
        return [], tuple(_word(word, spoken) for word in timed)

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


async def _nothing() -> None:
    return None


def _translation(english: _Attempt | None, transcript: str) -> str | None:
    """Return the English text; one that repeats the transcript was not translated."""
    text = english.decoded.text if english else ""
    return None if text.casefold() == transcript.casefold() else text or None


def _word(word: TimedWord, spoken: Spoken) -> Word:
    """Place a word on the session clock, inside the speech: attention gives leading silence to the first word."""
    speech, origin_ms = spoken.segment.speech, spoken.segment.covers.start_ms
    start_ms = min(max(origin_ms + round(word.start_s * 1000), speech.start_ms), speech.end_ms)
    end_ms = min(max(origin_ms + round(word.end_s * 1000), start_ms), spoken.segment.covers.end_ms)
    return Word(word.text, start_ms, end_ms, min(1.0, word.probability))
