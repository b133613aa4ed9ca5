"""One turn: what is asked for, the audio, and what is said of it, in the service's own order."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from dragoman.domain.audio import Span, to_samples
from dragoman.domain.errors import TranslationFailedError
from dragoman.domain.language import LidMode, Locale, TargetLanguage, is_same_language
from dragoman.domain.speech import (
    Heard,
    Hypothesis,
    LanguageDecision,
    Partial,
    Silence,
    SpeechStarted,
    TranscriptionRequest,
)
from dragoman.emulator.audio import TurnAudio
from dragoman.emulator.operation import Mode, Operation
from dragoman.emulator.phrases import Body, end_ticks, hypothesis, identified, phrase, response, status, to_ticks
from dragoman.engines.ports import Transcriber, Translator

Send = Callable[[str, Body | None], Awaitable[None]]
"""Sends a message of this turn: its path and its body."""

_LONGEST_SILENCE: Final = to_samples(15_000)
"""Silence is reported at least so often: a client keeps what is not acknowledged, and gives up after a minute of it."""


@dataclass(frozen=True, slots=True)
class Commit:
    """The client wants a phrase for the audio up to a sample, and to find its token in it."""

    token: str
    sample: int


class Turn:
    """Hears a turn's audio and sends what the service would."""

    def __init__(
        self, operation: Operation, transcriber: Transcriber, translator: Translator | None, send: Send
    ) -> None:
        self.audio = TurnAudio()
        self.is_silent = False
        """Set to say nothing any more."""
        self._operation = operation
        self._targets = operation.targets
        self._transcriber = transcriber
        self._translator = translator
        self._sender = send
        self._commits: list[Commit] = []
        self._acknowledged = 0
        self._heard = 0
        self._has_spoken = False

    def translate_into(self, targets: tuple[TargetLanguage, ...]) -> None:
        """Change the targets, for what is said from now on."""
        self._targets = targets

    async def commit(self, token: str) -> None:
        """Close the open utterance, and answer with a phrase that carries the token."""
        self._commits.append(Commit(token, await self.audio.flush()))

    async def run(self) -> None:
        """Hear the audio to its end, or to that of its first phrase, and say so.

        Raises:
            DragomanError: if the engine fails, or does not know a language.
        """
        heard = self._transcriber.transcribe(self.audio.heard(), self._request())
        async with aclosing(heard):
            async for item in heard:
                if await self._say(item):
                    break
        end = end_ticks(max(self._heard, self._acknowledged))
        await self._send("speech.endDetected", {"Offset": end})
        if self._operation.mode is not Mode.INTERACTIVE:
            await self._send("speech.phrase", status("EndOfDictation", Span(0, 0)) | {"Offset": end})
        await self._send("turn.end", None)

    def _request(self) -> TranscriptionRequest:
        operation = self._operation
        return TranscriptionRequest(
            candidates=operation.candidates,
            lid=operation.lid or LidMode.CONTINUOUS,
            word_times=operation.word_times,
            options=operation.recognition,
            live=True,
            partials=not operation.only_language,
        )

    async def _say(self, item: Heard) -> bool:
        """Send what is said of something heard; return whether the turn is over with it."""
        is_once = self._operation.mode is Mode.INTERACTIVE
        match item:
            case SpeechStarted(at) if not self._has_spoken:
                self._has_spoken = True
                await self._send("speech.startDetected", {"Offset": to_ticks(at)})
            case LanguageDecision():
                if self._operation.only_language and self._operation.lid is LidMode.AT_START:
                    confidence = dict(item.scores).get(item.locale)
                    span = Span(item.since, max(item.since, item.heard))
                    await self._send("speech.phrase", identified(item.locale, confidence, span))
                    self._acknowledged = span.end
                    return True
            case Partial():
                await self._show(item)
            case Hypothesis():
                self._heard = item.covers.end
                if item.text or not is_once:
                    await self._conclude(item)
                return is_once and bool(item.text)
            case Silence(span):
                self._heard = span.end
                return await self._wait(span, is_once=is_once)
            case _:
                pass
        return False

    async def _show(self, partial: Partial) -> None:
        if not self._operation.targets:
            await self._send("speech.hypothesis", hypothesis(partial, self._operation))
        elif (translations := await self._translated(partial.text, partial.locale)) is not None:
            body = response("SpeechHypothesis", hypothesis(partial, self._operation), translations)
            await self._send("translation.response", body)

    async def _conclude(self, heard: Hypothesis) -> None:
        """Say an utterance; what was committed with it is answered."""
        self._acknowledged = heard.speech.end
        body = phrase(heard, self._operation) | self._committed(heard.covers.end)
        if self._operation.targets and heard.text:
            translations = await self._translated(heard.text, heard.locale)
            await self._send("translation.response", response("SpeechPhrase", body, translations))
        else:
            await self._send("speech.phrase", body)

    async def _wait(self, span: Span, *, is_once: bool) -> bool:
        """Say that nothing is said, if that goes on for long; return whether the turn is over with it."""
        patience = to_samples(self._operation.initial_silence_ms)
        if is_once and not self._has_spoken and span.end >= patience:
            await self._send("speech.phrase", status("InitialSilenceTimeout", Span(0, span.end)))
            self._acknowledged = span.end
            return True
        answer = self._committed(span.end)
        if answer or span.end - self._acknowledged >= _LONGEST_SILENCE:
            silence = Span(self._acknowledged, span.end)
            name = "NoMatch" if self._has_spoken else "InitialSilenceTimeout"
            await self._send("speech.phrase", status(name, silence) | answer)
            self._acknowledged = span.end
        return False

    def _committed(self, until: int) -> Body:
        """Return the token of what was committed up to here, the last if there are several."""
        due = [commit for commit in self._commits if commit.sample <= until]
        self._commits = self._commits[len(due) :]
        return {"clientAudioMetadata": {"X-Client-Commit-Token": due[-1].token}} if due else {}

    async def _translated(self, text: str, source: Locale) -> Mapping[TargetLanguage, str] | None:
        """Return a text in every target, or nothing if one could not be made."""
        same = {target: text for target in self._targets if is_same_language(source, target)}
        others = [target for target in self._targets if target not in same]
        if not others:
            return same
        if self._translator is None or not all(self._translator.supports(source, target) for target in others):
            return None
        try:
            made = await self._translator.translate(text, source, others)
        except TranslationFailedError:
            return None
        texts = same | {target: outcome for target, outcome in made.items() if isinstance(outcome, str)}
        return texts if len(texts) == len(self._targets) else None

    async def _send(self, path: str, body: Body | None) -> None:
        if not self.is_silent:
            await self._sender(path, body)
