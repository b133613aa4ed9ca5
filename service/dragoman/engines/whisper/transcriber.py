"""Whisper, an utterance engine, lifted into a stream: hear, decide the language, decode, in that order.

The stages run ahead of each other, so that a file keeps the model busy; a live stream waits for none of them. On a live
stream an utterance is decoded in the silence that will close it, so that its text is there when it closes, and shown
before that as often as the model finds time.
"""

import asyncio
import math
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from dragoman.audio.segmenter import EndpointRules
from dragoman.domain.audio import Flush, to_ms, to_samples
from dragoman.domain.language import LidMode, Locale
from dragoman.domain.speech import (
    AudioInput,
    Heard,
    Hypothesis,
    LanguageDecision,
    Silence,
    SpeechStarted,
    TranscriptionRequest,
)
from dragoman.engines.hearing import Beginning, Closing, Growing, Hearing, Sound, Spoken
from dragoman.engines.language import Continuous, Evidence, LanguageRules, decide_at_start, decide_continuous, normalise
from dragoman.engines.ports import SpeechDetector
from dragoman.engines.unserved import unserved
from dragoman.engines.whisper.detector import SileroDetector
from dragoman.engines.whisper.languages import codes_of
from dragoman.engines.whisper.model import RightSizedWhisper
from dragoman.engines.whisper.previews import Decoding, Encoding, Previews, settling, shown
from dragoman.engines.whisper.scheduler import Listening, OvertakenError, Scheduler, Urgency
from dragoman.engines.whisper.utterance import SpokenLanguage, UtteranceDecoder
from dragoman.streams import ahead

R = TypeVar("R")

_AHEAD: Final = 64
"""Items that may wait between two stages; an utterance is three of them."""

_MAX_WAITING_SAMPLES: Final = to_samples(60_000)
"""Speech that may wait for its text before no more audio is taken: enough for a full batch, little enough to stay
close behind a live stream.
"""

_LEAST_PROBABILITY: Final = 1e-9


@dataclass(frozen=True, slots=True)
class TranscriberRules:
    """The rules of endpointing and of language decisions."""

    endpoint: EndpointRules = EndpointRules()
    language: LanguageRules = LanguageRules()


class WhisperTranscriber:
    """A ``Transcriber`` on one shared model; the scheduler serves all its sessions."""

    name = "whisper"

    def __init__(
        self,
        model: RightSizedWhisper,
        scheduler: Scheduler,
        rules: TranscriberRules | None = None,
        detector: Callable[[], SpeechDetector] = SileroDetector,
    ) -> None:
        self._model = model
        self._scheduler = scheduler
        self._rules = rules or TranscriberRules()
        self._detector = detector

    async def transcribe(
        self, audio: AsyncIterator[AudioInput], request: TranscriptionRequest
    ) -> AsyncGenerator[Heard, None]:
        """Yield what is heard; see the ``Transcriber`` port.

        Raises:
            LanguageUnsupportedError: if the model does not know a candidate.
            EngineFailedError: if the model fails.
        """
        for notice in unserved(request.options, {"end_silence_ms"}, self.name):
            yield notice
        run = _Run(self._model, self._scheduler, self._rules, request)
        rules = self._endpoint_rules(request.options.end_silence_ms)
        hearing = Hearing(self._detector(), rules, run.beginnings_ms, live=request.live, start=request.start)
        try:
            async with (
                aclosing(ahead(run.listen(_hear(audio, hearing)), _AHEAD)) as heard,
                aclosing(ahead(run.decide(heard), _AHEAD)) as decided,
            ):
                async for item in decided:
                    if not isinstance(item, Decoding):
                        yield item
                        continue
                    for each in await item.outcome():
                        yield each
                    run.make_room(item)
        finally:
            await run.close()

    def _endpoint_rules(self, end_silence_ms: int | None) -> EndpointRules:
        rules = self._rules.endpoint
        return replace(
            rules,
            min_silence_ms=end_silence_ms or rules.min_silence_ms,
            max_segment_ms=min(rules.max_segment_ms, self._model.max_segment_ms),
        )


_Decided = Heard | Decoding


class _Run:
    """One stream on its way through the stages."""

    def __init__(
        self, model: RightSizedWhisper, scheduler: Scheduler, rules: TranscriberRules, request: TranscriptionRequest
    ) -> None:
        self._scheduler = scheduler
        self._rules = rules.language
        self._codes = codes_of(request.candidates, model.languages, model.name)
        self._at_start = request.lid is LidMode.AT_START
        decided = request.locale if self._at_start else None
        only = request.candidates[0] if len(request.candidates) == 1 else decided
        self._fixed = SpokenLanguage(only) if only else None
        self._utterances = UtteranceDecoder(scheduler, request, self._codes, can_translate=model.can_translate)
        self._locale = request.locale
        self._shows = request.partials
        self._urgency = Urgency.FINAL if request.live else Urgency.FILE
        self._tasks: set[asyncio.Task[Listening] | asyncio.Task[list[Heard]]] = set()
        self._waiting_samples = 0  # in segments whose text is not out yet
        self._room = asyncio.Event()
        self._previews = Previews()

    @property
    def beginnings_ms(self) -> tuple[int, ...]:
        """When to look at speech that still goes on: only to decide at the start, and only until that is done."""
        if self._fixed or not self._at_start:
            return ()
        return (self._rules.min_speech_ms, self._rules.enough_speech_ms)

    async def close(self) -> None:
        """Cancel what nobody waits for any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def listen(self, sounds: AsyncIterator[Sound]) -> AsyncGenerator[Heard | Encoding, None]:
        """Begin to encode each segment as soon as it is heard; wait while too much speech waits for its text."""
        async for sound in sounds:
            match sound:
                case Spoken():
                    self._waiting_samples += sound.segment.covers.samples
                    begun = self._previews.begun(sound)
                    yield Encoding(sound, begun, time.monotonic()) if begun else self._listen(sound, self._urgency)
                case Closing():
                    yield self._previews.close(self._listen(sound, Urgency.EARLY))
                case Growing():
                    if self._shows and self._previews.may_grow():
                        yield self._previews.grow(self._listen(sound, Urgency.PARTIAL))
                case Beginning():
                    yield self._listen(sound, self._urgency)
                case _:
                    yield sound
            while self._waiting_samples > _MAX_WAITING_SAMPLES:
                self._room.clear()
                await self._room.wait()

    def make_room(self, decoding: Decoding) -> None:
        """Note that a text is out."""
        if isinstance(decoding.sound, Spoken):
            self._waiting_samples -= decoding.sound.segment.covers.samples
            self._room.set()
        elif isinstance(decoding.sound, Growing):
            self._previews.shown(decoding.sound)

    def decide(self, heard: AsyncIterator[Heard | Encoding]) -> AsyncGenerator[_Decided, None]:
        """Decide the language of utterances in order, and begin to decode each as soon as its language is known."""
        if self._fixed:
            return self._decode_all(heard, self._fixed)
        return self._decide_once(heard) if self._at_start else self._decide_each(heard)

    async def _decide_each(self, heard: AsyncIterator[Heard | Encoding]) -> AsyncGenerator[_Decided, None]:
        state = Continuous(self._locale) if self._locale else None
        async for item in heard:
            if not isinstance(item, Encoding):
                yield item
                continue
            try:
                listening = await item.outcome()
            except OvertakenError:
                self._previews.pass_over(item)
                continue
            if listening is None:
                continue
            evidence = self._evidence(item.sound, listening)
            decided = decide_continuous(state, evidence, self._rules)
            language = _spoken(decided.locale, evidence)
            if isinstance(item.sound, Spoken):
                state = decided
            decision = LanguageDecision(decided.locale, item.sound.speech.start, item.sound.heard, evidence.scores)
            for decoding in self._take(item, language, decision):
                yield decoding

    async def _decide_once(self, heard: AsyncIterator[Heard | Encoding]) -> AsyncGenerator[_Decided, None]:
        whole: list[Evidence] = []  # of finished utterances
        held: list[Heard | Encoding] = []  # these utterances, and whatever came after the first of them
        decision: Evidence | None = None
        since: int | None = None  # where speech began
        at = 0
        async for item in heard:
            if isinstance(item, SpeechStarted) and since is None:
                since = item.at
            if isinstance(item, Encoding) and isinstance(item.sound, Growing | Closing):
                self._previews.pass_over(item)  # nothing is shown while the language is not decided
            elif isinstance(item, Encoding):
                at = item.sound.heard
                evidence = self._evidence(item.sound, await item.listening)
                decision = decide_at_start([*whole, evidence], self._rules)
                if isinstance(item.sound, Spoken):
                    whole.append(evidence)
                    held.append(item)
            elif held:
                held.append(item)
                if isinstance(item, Silence) and to_ms(item.span.end - (since or 0)) >= self._rules.patience_ms:
                    at = item.span.end
                    decision = decide_at_start(whole, self._rules, no_more=True)
            else:
                yield item
            if decision:
                break
        decision = decision or decide_at_start(whole, self._rules, no_more=True)
        if decision is None:
            return
        yield LanguageDecision(decision.best, since or 0, at, decision.scores)
        language = _spoken(decision.best, decision)
        async with aclosing(self._decode_all(_chain(held, heard), language)) as rest:
            async for decoded in rest:
                yield decoded

    async def _decode_all(
        self, heard: AsyncIterator[Heard | Encoding], language: SpokenLanguage
    ) -> AsyncGenerator[_Decided, None]:
        async for item in heard:
            if not isinstance(item, Encoding):
                yield item
                continue
            for decoding in self._take(item, language):
                yield decoding

    def _evidence(self, sound: Spoken | Beginning | Growing | Closing, listening: Listening) -> Evidence:
        weights = {
            locale: math.log(max(listening.languages.get(code, 0.0), _LEAST_PROBABILITY))
            for locale, code in self._codes.items()
        }
        return Evidence(normalise(weights), to_ms(sound.speech.samples))

    def _listen(self, sound: Spoken | Beginning | Growing | Closing, urgency: Urgency) -> Encoding:
        begun = threading.Event()
        listening = self._scheduler.listen(sound.samples, urgency, identify=self._fixed is None, begun=begun)
        task = asyncio.create_task(listening)
        self._keep(task)
        return Encoding(sound, task, time.monotonic(), begun)

    def _take(
        self, encoding: Encoding, language: SpokenLanguage, decision: LanguageDecision | None = None
    ) -> Iterator[Decoding]:
        """Begin to decode what was heard, for a final or only to show it."""
        sound = encoding.sound
        match sound:
            case Spoken():
                early = self._previews.adopt(sound, language)
                yield self._start(sound, language, self._final(encoding, sound, language, decision, early))
            case Closing(spoken):
                text = self._utterances.decode(spoken, encoding.listening, language, encoding.at_s, Urgency.EARLY)
                early = self._previews.begin(self._start(sound, language, text))
                if self._shows:
                    yield self._start(sound, language, shown(early))
            case Growing():
                text = self._utterances.glimpse(sound, encoding.listening, language)
                yield self._previews.show(self._start(sound, language, text))
            case Beginning():  # heard before the decision, and not needed after it
                encoding.listening.cancel()

    async def _final(
        self,
        encoding: Encoding,
        spoken: Spoken,
        language: SpokenLanguage,
        decision: LanguageDecision | None,
        early: Decoding | None,
    ) -> list[Heard]:
        """Decode an utterance; a decision goes with it if there is text that bears it out."""
        if early:
            found = [settling(heard, spoken, encoding.at_s) for heard in await early.outcome()]
        else:
            found = await self._utterances.decode(spoken, encoding.listening, language, encoding.at_s, self._urgency)
        has_text = any(isinstance(heard, Hypothesis) and heard.text for heard in found)
        return [decision, *found] if decision and has_text else found

    def _start(
        self, sound: Spoken | Growing | Closing, language: SpokenLanguage, text: Coroutine[None, None, list[Heard]]
    ) -> Decoding:
        task = asyncio.create_task(text)
        self._keep(task)
        return Decoding(sound, language, task)

    def _keep(self, task: asyncio.Task[Listening] | asyncio.Task[list[Heard]]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[Listening] | asyncio.Task[list[Heard]]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # whoever awaits the task raises it; when the first failure ends the run, nobody does


def _spoken(locale: Locale, evidence: Evidence) -> SpokenLanguage:
    """Return a decision with how probable it is, and how far the likeliest of the others is behind."""
    confidence = math.exp(evidence.log_probs[locale])
    others = [math.exp(log_prob) for other, log_prob in evidence.log_probs.items() if other != locale]
    return SpokenLanguage(locale, confidence, confidence - max(others) if others else None)


async def _hear(audio: AsyncIterator[AudioInput], hearing: Hearing) -> AsyncGenerator[Sound, None]:
    async for item in audio:
        for sound in hearing.flush() if isinstance(item, Flush) else hearing.frame(item):
            yield sound
    for sound in hearing.end():
        yield sound


async def _chain(first: list[R], rest: AsyncIterator[R]) -> AsyncGenerator[R, None]:
    for item in first:
        yield item
    async for item in rest:
        yield item
