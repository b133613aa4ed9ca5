"""Whisper, an utterance engine, lifted into a stream: hear, decide the language, decode, in that order.

The stages run ahead of each other, so that a file keeps the model busy; a live stream waits for none of them.
"""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from dragoman.audio.segmenter import EndpointRules
from dragoman.domain.audio import Flush, to_ms, to_samples
from dragoman.domain.language import LidMode
from dragoman.domain.speech import (
    AudioInput,
    Heard,
    Hypothesis,
    LanguageDecision,
    Silence,
    SpeechStarted,
    TranscriptionRequest,
)
from dragoman.engines.hearing import Beginning, Hearing, Sound, Spoken
from dragoman.engines.language import Continuous, Evidence, LanguageRules, decide_at_start, decide_continuous, normalise
from dragoman.engines.ports import SpeechDetector
from dragoman.engines.whisper.detector import SileroDetector
from dragoman.engines.whisper.languages import codes_of
from dragoman.engines.whisper.model import RightSizedWhisper
from dragoman.engines.whisper.scheduler import Listening, Scheduler
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
        run = _Run(self._model, self._scheduler, self._rules, request)
        hearing = Hearing(self._detector(), self._endpoint_rules(), run.beginnings_ms)
        try:
            async with (
                aclosing(ahead(run.listen(_hear(audio, hearing)), _AHEAD)) as heard,
                aclosing(ahead(run.decide(heard), _AHEAD)) as decided,
            ):
                async for item in decided:
                    if not isinstance(item, asyncio.Task):
                        yield item
                        continue
                    for each in await item:
                        yield each
                        run.make_room(each)
        finally:
            await run.close()

    def _endpoint_rules(self) -> EndpointRules:
        rules = self._rules.endpoint
        return replace(rules, max_segment_ms=min(rules.max_segment_ms, self._model.max_segment_ms))


@dataclass(frozen=True, slots=True)
class _Encoding:
    """A sound that is being encoded; ``at_s`` is when it had been heard, on the monotonic clock."""

    sound: Spoken | Beginning
    listening: asyncio.Task[Listening]
    at_s: float


_Decoding = asyncio.Task[list[Heard]]
_Decided = Heard | _Decoding


class _Run:
    """One stream on its way through the stages."""

    def __init__(
        self, model: RightSizedWhisper, scheduler: Scheduler, rules: TranscriberRules, request: TranscriptionRequest
    ) -> None:
        self._scheduler = scheduler
        self._rules = rules.language
        self._codes = codes_of(request.candidates, model.languages, model.name)
        self._fixed = SpokenLanguage(request.candidates[0]) if len(request.candidates) == 1 else None
        self._at_start = request.lid is LidMode.AT_START
        self._utterances = UtteranceDecoder(scheduler, request, self._codes, can_translate=model.can_translate)
        self._tasks: set[asyncio.Task[Listening] | _Decoding] = set()
        self._waiting_samples = 0  # in segments whose text is not out yet
        self._room = asyncio.Event()

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

    async def listen(self, sounds: AsyncIterator[Sound]) -> AsyncGenerator[Heard | _Encoding, None]:
        """Begin to encode each segment as soon as it is heard; wait while too much speech waits for its text."""
        async for sound in sounds:
            if isinstance(sound, Spoken | Beginning):
                self._waiting_samples += sound.segment.covers.samples if isinstance(sound, Spoken) else 0
                yield self._listen(sound)
            else:
                yield sound
            while self._waiting_samples > _MAX_WAITING_SAMPLES:
                self._room.clear()
                await self._room.wait()

    def make_room(self, heard: Heard) -> None:
        """Note that the text of a segment is out."""
        if isinstance(heard, Hypothesis):
            self._waiting_samples -= heard.covers.samples
            self._room.set()

    def decide(self, heard: AsyncIterator[Heard | _Encoding]) -> AsyncGenerator[_Decided, None]:
        """Decide the language of utterances in order, and begin to decode each as soon as its language is known."""
        if self._fixed:
            return self._decode_all(heard, self._fixed)
        return self._decide_once(heard) if self._at_start else self._decide_each(heard)

    async def _decide_each(self, heard: AsyncIterator[Heard | _Encoding]) -> AsyncGenerator[_Decided, None]:
        state: Continuous | None = None
        async for item in heard:
            if not isinstance(item, _Encoding):
                yield item
                continue
            evidence = await self._evidence(item)
            state = decide_continuous(state, evidence, self._rules)
            language = SpokenLanguage(state.locale, math.exp(evidence.log_probs[state.locale]))
            decision = LanguageDecision(state.locale, item.sound.speech.start, item.sound.heard, evidence.scores)
            yield self._decode(item, language, decision)

    async def _decide_once(self, heard: AsyncIterator[Heard | _Encoding]) -> AsyncGenerator[_Decided, None]:
        whole: list[Evidence] = []  # of finished utterances
        held: list[Heard | _Encoding] = []  # these utterances, and whatever came after the first of them
        decision: Evidence | None = None
        since: int | None = None  # where speech began
        at = 0
        async for item in heard:
            if isinstance(item, SpeechStarted) and since is None:
                since = item.at
            if isinstance(item, _Encoding):
                at = item.sound.heard
                evidence = await self._evidence(item)
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
        language = SpokenLanguage(decision.best, decision.scores[0][1])
        async with aclosing(self._decode_all(_chain(held, heard), language)) as rest:
            async for decoded in rest:
                yield decoded

    async def _decode_all(
        self, heard: AsyncIterator[Heard | _Encoding], language: SpokenLanguage
    ) -> AsyncGenerator[_Decided, None]:
        async for item in heard:
            if not isinstance(item, _Encoding):
                yield item
            elif isinstance(item.sound, Spoken):
                yield self._decode(item, language)
            else:  # a beginning that was heard before the decision and is not needed after it
                item.listening.cancel()

    async def _evidence(self, encoding: _Encoding) -> Evidence:
        languages = (await encoding.listening).languages
        weights = {
            locale: math.log(max(languages.get(code, 0.0), _LEAST_PROBABILITY)) for locale, code in self._codes.items()
        }
        return Evidence(normalise(weights), to_ms(encoding.sound.speech.samples))

    def _listen(self, sound: Spoken | Beginning) -> _Encoding:
        task = asyncio.create_task(self._scheduler.listen(sound.samples, identify=self._fixed is None))
        self._keep(task)
        return _Encoding(sound, task, time.monotonic())

    def _decode(
        self, encoding: _Encoding, language: SpokenLanguage, decision: LanguageDecision | None = None
    ) -> _Decoding:
        """Begin to decode an utterance; a decision goes with it if there is text that bears it out."""

        async def decode() -> list[Heard]:
            assert isinstance(encoding.sound, Spoken)
            found = await self._utterances.decode(encoding.sound, await encoding.listening, language, encoding.at_s)
            has_text = any(isinstance(heard, Hypothesis) and heard.text for heard in found)
            return [decision, *found] if decision and has_text else found

        task = asyncio.create_task(decode())
        self._keep(task)
        return task

    def _keep(self, task: asyncio.Task[Listening] | _Decoding) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[Listening] | _Decoding) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # whoever awaits the task raises it; when the first failure ends the run, nobody does


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
