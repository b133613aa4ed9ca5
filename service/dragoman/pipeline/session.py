"""One session: audio in, one ordered stream of events out."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing
from typing import Final, Literal

from dragoman.domain.audio import AudioFrame, to_ms
from dragoman.domain.errors import DragomanError, EngineFailedError, engine_failure
from dragoman.domain.events import DurableEvent, Event, TranslationFinal
from dragoman.domain.insight import Insight
from dragoman.domain.language import Locale, TargetLanguage, parse_locale
from dragoman.domain.speech import (
    AudioInput,
    EngineChange,
    Heard,
    Hypothesis,
    LanguageDecision,
    Notice,
    Partial,
    Silence,
    SpeechEnded,
    SpeechStarted,
    TranscriptionRequest,
)
from dragoman.engines.ports import Transcriber, Translator
from dragoman.insight.client import InsightClient
from dragoman.insight.polishing import Polished
from dragoman.pipeline.drafts import Drafts
from dragoman.pipeline.insights import Insights
from dragoman.pipeline.ledger import Ledger
from dragoman.pipeline.memory import Memory
from dragoman.pipeline.polishes import CONTEXT, Polisher, Polishes
from dragoman.pipeline.spec import SessionSpec
from dragoman.pipeline.translation import OpenTranslation, Outcomes, Translations
from dragoman.pipeline.writer import EventWriter
from dragoman.store.ports import Books

_MAX_OPEN_TRANSLATIONS: Final = 8
"""Finals that may wait for their translation before the next one is taken: back-pressure."""

_RECOVERED: Final = Notice(
    "recovered", "The server went on with this session in another process; speech that had no final is heard again."
)

_Pending = (
    asyncio.Future[Heard | None]
    | asyncio.Future[Literal[True]]
    | asyncio.Task[Outcomes]
    | asyncio.Task[Insight | DragomanError]
    | asyncio.Task[Insight | DragomanError | None]
    | asyncio.Task[Polished | DragomanError]
)


class Session:
    """Runs one stream of audio through a transcriber and, beside it, a translator. Use it once.

    With a ``memory`` it goes on where a session of another process stopped: its audio begins at the first sample that
    was not settled. ``arrived_s`` tells when a sample of a live stream came, on the monotonic clock.
    """

    def __init__(
        self,
        spec: SessionSpec,
        transcriber: Transcriber,
        translator: Translator | None = None,
        memory: Memory | None = None,
        arrived_s: Callable[[int], float | None] = lambda sample: None,
        insight: InsightClient | None = None,
        polisher: Polisher | None = None,
    ) -> None:
        self._spec = spec
        self._memory = memory or Memory()
        self._transcriber = transcriber
        self._translations = Translations(spec.targets, translator, memory)
        self._open: list[OpenTranslation] = []
        self._warned: set[tuple[Locale, TargetLanguage]] = set()
        self._writer = EventWriter(spec, transcriber.name, self._memory)
        self._drafts = Drafts(self._writer, self._translations)
        self._insights = Insights(insight, spec.insight, self._memory.said)
        self._polishes = Polishes(polisher if spec.polish else None, spec.recognition.phrases)
        self._has_warned_of_polish = False
        self._arrived_s = arrived_s
        self._ledger = Ledger(self._memory.books)
        self._notices: deque[Notice] = deque()
        self._noticed = asyncio.Event()
        self._audio_error: DragomanError | None = None
        self._engine_error: DragomanError | None = None
        self._speech_heard = self._memory.speech_ms >= 0
        self._owes_end = self._memory.is_speaking  # the process before this one said that somebody speaks
        self._stopped = asyncio.Event()

    @property
    def settled_samples(self) -> int:
        """Samples whose outcome is certain, for showing progress."""
        return self._ledger.settled

    @property
    def books(self) -> Books:
        """What is booked so far: read it with an event, and both fit together."""
        return self._ledger.books

    def stop(self) -> None:
        """End the session now: audio that is still open is discarded, what was said stands."""
        self._stopped.set()

    async def run(self, audio: AsyncIterator[AudioInput | Notice]) -> AsyncGenerator[Event, None]:
        """Yield the session's events, from ``session.started`` (if this is its beginning) to ``session.ended``.

        Notices in the audio stream become warnings. When the audio ends with an error, everything before it is still
        settled; when the transcriber fails, audio that it left open is lost and named. Either way an ``error`` event
        says why, and the ledger balances.
        """
        yield self._writer.warning(_RECOVERED) if self._memory.seq else self._writer.started()
        for final, targets in self._memory.open_finals:
            source = parse_locale(final.locale)
            self._open.append(self._translations.ask(final.utterance_id, final.text, source, targets))
        async with aclosing(self._work(audio)) as work:
            async for event in work:
                yield event
        if self._stopped.is_set():
            self._ledger.discard_rest()
        elif (lost := self._ledger.lose_rest()) is not None:
            self._engine_error = self._engine_error or EngineFailedError("The engine ended before the audio did.")
            yield self._writer.lost(lost, "engine_failed")
        elif self._ledger.settled and not self._speech_heard:
            yield self._writer.warning(Notice("no_speech", "No speech was heard in this audio."))
        if (outcome := await self._concluded()) is not None:
            yield self._writer.insight(outcome, is_final=True)
        if (error := self._audio_error or self._engine_error) is not None:
            yield self._writer.error(error)
        reason: Literal["completed", "failed", "cancelled"] = (
            "failed" if error else "cancelled" if self._stopped.is_set() else "completed"
        )
        yield self._writer.ended(reason, self._ledger.totals(), self._translations.totals())

    async def _work(self, audio: AsyncIterator[AudioInput | Notice]) -> AsyncGenerator[Event, None]:
        """Take whatever comes first: the next thing heard, or a translation."""
        heard = self._transcriber.transcribe(self._accept(audio), self._request())
        upcoming: asyncio.Future[Heard | None] | None = asyncio.ensure_future(anext(heard, None))
        stopped = asyncio.ensure_future(self._stopped.wait())
        noticed = asyncio.ensure_future(self._noticed.wait())
        try:
            while upcoming or self._open or self._polishes.tasks:
                waiting: set[_Pending] = {stopped, *(translation.task for translation in self._open)}
                waiting |= self._polishes.tasks
                has_room = len(self._open) < _MAX_OPEN_TRANSLATIONS and not (
                    self._polishes.is_full and not self._spec.live
                )
                if upcoming and has_room:
                    waiting.add(upcoming)
                if self._spec.live:  # where nothing may be heard for long
                    waiting.add(noticed)
                if draft := self._drafts.task:
                    waiting.add(draft)
                if insight := self._insights.task:
                    waiting.add(insight)
                done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for translation in [each for each in self._open if each.task in done]:
                    self._open.remove(translation)
                    for outcome in self._outcomes(translation, translation.task.result()):
                        yield outcome
                for task in [each for each in self._polishes.tasks if each in done]:
                    for corrected in self._polished(self._polishes.outcome(task)):
                        yield corrected
                if draft and draft in done:
                    for shown in self._drafts.translated():
                        yield shown
                if insight and insight in done:
                    yield self._writer.insight(self._insights.outcome(), is_final=False)
                if stopped in done:
                    break
                if noticed in done:
                    for warning in self._warnings():
                        yield warning
                    self._noticed.clear()
                    noticed = asyncio.ensure_future(self._noticed.wait())
                if upcoming and upcoming in done:
                    item = self._next(upcoming)
                    for event in self._events(item):
                        yield event
                    goes_on = item is not None and self._engine_error is None
                    upcoming = asyncio.ensure_future(anext(heard, None)) if goes_on else None
            for event in self._warnings():
                yield event
            for translation in self._open:
                for event in self._outcomes(translation, translation.abandon()):
                    yield event
        finally:
            await _cancel(
                upcoming,
                stopped,
                noticed,
                self._drafts.task,
                self._insights.task,
                *self._polishes.tasks,
                *(translation.task for translation in self._open),
            )
            await heard.aclose()

    async def _concluded(self) -> Insight | DragomanError | None:
        """Return what follows from all of it, unless the session is stopped before somebody says so."""
        if self._memory.is_concluded:
            return None
        concluding = asyncio.ensure_future(self._insights.conclude())
        stopped = asyncio.ensure_future(self._stopped.wait())
        try:
            await asyncio.wait({concluding, stopped}, return_when=asyncio.FIRST_COMPLETED)
            return None if stopped.done() else concluding.result()
        finally:
            await _cancel(concluding, stopped)

    def _next(self, upcoming: "asyncio.Future[Heard | None]") -> Heard | None:
        """Return what was heard; ``None`` at the end, or when the transcriber failed."""
        try:
            return upcoming.result()
        except Exception as error:  # noqa: BLE001 - not swallowed: the session ends with it
            self._engine_error = engine_failure(error)
        return None

    async def _accept(self, audio: AsyncIterator[AudioInput | Notice]) -> AsyncGenerator[AudioInput, None]:
        """Book audio as it is taken. An error ends the audio, not the work on what came before it."""
        try:
            async for item in audio:
                if isinstance(item, Notice):
                    self._notices.append(item)
                    self._noticed.set()
                    continue
                if isinstance(item, AudioFrame):
                    self._ledger.accept(item.samples)
                yield item
        except DragomanError as error:
            self._audio_error = error

    def _request(self) -> TranscriptionRequest:
        spec = self._spec
        targets = self._translations.wanted_of_transcriber(spec.candidates)
        return TranscriptionRequest(
            candidates=spec.candidates,
            lid=spec.lid,
            targets=targets,
            word_times=spec.word_times,
            options=spec.recognition,
            live=spec.live,
            partials=spec.partials,
            start=self._memory.books.settled,
            locale=self._memory.locale,
        )

    def _events(self, item: Heard | None) -> Iterator[Event]:
        """Turn what was heard (``None``: the end) into events, after any notices from the audio."""
        yield from self._warnings()
        try:
            yield from self._events_of(item)
        except EngineFailedError as error:  # it broke its contract: what it says from here on cannot be trusted
            self._engine_error = error

    def _events_of(self, item: Heard | None) -> Iterator[Event]:
        match item:
            case SpeechStarted(at):
                self._speech_heard = True
                if not self._owes_end and to_ms(at) > self._memory.speech_ms:
                    yield self._writer.speech_started(at)
            case SpeechEnded(at):
                if self._owes_end or to_ms(at) > self._memory.speech_ms:
                    yield self._writer.speech_ended(at)
                self._owes_end = False
            case Notice():
                yield self._writer.warning(item)
            case EngineChange():
                yield self._writer.engine_changed(item)
            case Silence(span):
                self._ledger.settle(span, has_text=False)
            case LanguageDecision():
                yield from self._writer.language(item)
            case Partial():
                yield from self._drafts.show(item)
            case Hypothesis():
                yield from self._final(item)
            case None:
                pass

    def _warnings(self) -> Iterator[DurableEvent]:
        while self._notices:
            yield self._writer.warning(self._notices.popleft())

    def _final(self, hypothesis: Hypothesis) -> Iterator[Event]:
        if hypothesis.text:
            # An engine that labels utterances without announcing its decisions is announced by its labels.
            label = LanguageDecision(hypothesis.locale, hypothesis.speech.start, hypothesis.covers.end)
            yield from self._writer.language(label)
        self._ledger.settle(hypothesis.covers, has_text=bool(hypothesis.text))
        yield from self._drafts.close(has_final=bool(hypothesis.text))
        if not hypothesis.text:
            return
        self._speech_heard = True
        plan = self._translations.plan(hypothesis)
        for target in plan.unserved:
            yield from self._warn_unserved(hypothesis.locale, target)
        final = self._writer.transcript(hypothesis, plan.targets, self._since_ms(hypothesis.speech.end))
        self._insights.note(final)
        yield final
        self._translations.count(plan.made)
        for target, outcome in plan.made.items():
            yield self._translated(final.utterance_id, target, outcome, self._transcriber.name)
        if plan.ask:
            translation = self._translations.ask(final.utterance_id, hypothesis.text, hypothesis.locale, plan.ask)
            self._open.append(translation)
        else:
            self._is_whole(final.utterance_id)

    def _since_ms(self, sample: int) -> int | None:
        arrived_s = self._arrived_s(sample)
        return None if arrived_s is None else max(0, round((time.monotonic() - arrived_s) * 1000))

    def _outcomes(self, translation: OpenTranslation, outcomes: Outcomes) -> Iterator[DurableEvent]:
        self._translations.count(outcomes)
        for target, outcome in outcomes.items():
            yield self._translated(translation.utterance_id, target, outcome, self._translations.engine)
        self._is_whole(translation.utterance_id)

    def _is_whole(self, utterance_id: str) -> None:
        """Note that an utterance has all its translations: now others may work with it."""
        if self._spec.polish and not (self._polishes.is_full and self._spec.live):  # a live stream waits for nobody
            self._polishes.ask(self._insights.latest(utterance_id, CONTEXT))
        if self._spec.live:
            self._insights.look()

    def _polished(self, outcome: Polished | DragomanError) -> Iterator[DurableEvent]:
        """Say how an utterance should read, if otherwise; that nobody can say is said once."""
        if isinstance(outcome, Polished):
            if outcome.changes:
                yield self._writer.polished(outcome)
        elif not self._has_warned_of_polish:
            self._has_warned_of_polish = True
            yield self._writer.warning(Notice("polish_failed", f"Finals are not read again: {outcome}"))

    def _translated(
        self, utterance_id: str, target: TargetLanguage, outcome: str | DragomanError, engine: str
    ) -> DurableEvent:
        made = self._writer.translation(utterance_id, target, outcome, engine)
        if isinstance(made, TranslationFinal):
            self._insights.note(made)
        return made

    def _warn_unserved(self, source: Locale, target: TargetLanguage) -> Iterator[DurableEvent]:
        """Say once per pair that nobody translates it."""
        if (source, target) in self._warned:
            return
        self._warned.add((source, target))
        message = (
            f"No model here translates {source} into {target}; these utterances stay untranslated. "
            "Add a CTranslate2 translation model that does (--translation-model FOLDER)."
        )
        yield self._writer.warning(Notice("translation_pair_unserved", message))


async def _cancel(*futures: _Pending | None) -> None:
    open_ = [future for future in futures if future is not None]
    for future in open_:
        future.cancel()
    await asyncio.gather(*open_, return_exceptions=True)
