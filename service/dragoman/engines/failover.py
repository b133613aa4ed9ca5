"""One transcriber of several: when the first fails, the next goes on from the last sample that was settled."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from dragoman.domain.errors import DragomanError, EngineSilentError, engine_failure
from dragoman.domain.speech import (
    AudioInput,
    EngineChange,
    Heard,
    Hypothesis,
    Partial,
    Silence,
    SpeechEnded,
    SpeechStarted,
    TranscriptionRequest,
)
from dragoman.engines.breaker import Breaker, Health
from dragoman.engines.ports import SpeechDetector, Transcriber
from dragoman.engines.replay import ReplayedAudio
from dragoman.engines.watch import Watch, WatchRules


@dataclass(frozen=True, slots=True)
class Route:
    """An engine and what is known of it. The breaker is shared by all sessions."""

    transcriber: Transcriber
    breaker: Breaker


class FailoverTranscriber:
    """A ``Transcriber`` that tries engines in order, several regions before the local one.

    It goes back to an earlier one, when its breaker allows, between two utterances. The last one is never watched or
    given up: with it the session ends. Without ``rules`` none is watched: an engine that hears a whole recording before
    it says a word looks as if it hung.
    """

    def __init__(
        self,
        routes: Sequence[Transcriber],
        detector: Callable[[], SpeechDetector],
        rules: WatchRules | None = WatchRules(),
        breaker: Callable[[], Breaker] = Breaker,
    ) -> None:
        self._routes = [Route(transcriber, breaker()) for transcriber in routes]
        self._detector = detector
        self._rules = rules

    @property
    def name(self) -> str:
        """The engine that a session would begin with now."""
        return self._routes[self._choose()].transcriber.name

    @property
    def health(self) -> tuple[Health, ...]:
        """How the engines are, best first."""
        return tuple(route.breaker.health(route.transcriber.name) for route in self._routes)

    async def transcribe(
        self, audio: AsyncIterator[AudioInput], request: TranscriptionRequest
    ) -> AsyncGenerator[Heard, None]:
        """Yield what is heard; see the ``Transcriber`` port. A change of engines is announced."""
        run = _Run(self._routes, self._detector, self._rules, ReplayedAudio(audio), request)
        chosen = self._choose()
        try:
            while True:
                async with aclosing(run.attempt(chosen)) as heard:
                    async for item in heard:
                        yield item
                if run.is_over:
                    return
                if run.failure and run.had_progress:
                    continue  # it worked a moment ago: a connection broke, not the engine
                before, chosen = chosen, self._choose(after=chosen if run.failure else -1)
                if chosen != before:
                    reason = str(run.failure) if run.failure else "The engine that is preferred can be tried again."
                    yield EngineChange(self._routes[chosen].transcriber.name, run.settled, reason)
        finally:
            await run.close()

    def _choose(self, after: int = -1) -> int:
        """Return the first route that may be tried, not looking at those up to ``after``."""
        last = len(self._routes) - 1
        return next((at for at in range(after + 1, last) if self._routes[at].breaker.allows), last)


class _Run:
    """One session on its way over the routes."""

    def __init__(
        self,
        routes: Sequence[Route],
        detector: Callable[[], SpeechDetector],
        rules: WatchRules | None,
        audio: ReplayedAudio,
        request: TranscriptionRequest,
    ) -> None:
        self.settled = request.start
        self.failure: DragomanError | None = None
        self.had_progress = False
        """Whether the engine that failed had settled something, and may be tried again at once."""
        self.is_over = False
        self._speaking_since: int | None = None
        self._routes = routes
        self._detector = detector
        self._rules = rules
        self._audio = audio
        self._request = request
        self._locale = request.locale

    async def close(self) -> None:
        """Let go of the audio."""
        await self._audio.close()

    async def attempt(self, chosen: int) -> AsyncGenerator[Heard, None]:
        """Yield what one engine hears, until the audio ends, it fails, or a better one may be tried.

        Raises:
            Exception: that of the last engine, or of the audio.
        """
        route = self._routes[chosen]
        is_last = chosen == len(self._routes) - 1
        self.failure, self.had_progress = None, False
        tries = not route.breaker.is_closed
        route.breaker.begin()
        watch = None if is_last or self._rules is None else Watch(self._detector(), self._rules)
        try:
            async with aclosing(self._heard(route.transcriber, watch)) as heard:
                async for item in heard:
                    self._note(item)
                    if isinstance(item, Hypothesis | Silence):
                        route.breaker.succeeded()
                    if self._request.partials or not isinstance(item, Partial):
                        yield item
                    if isinstance(item, Hypothesis) and self._may_go_back(chosen):
                        return
            self.is_over = True
        except Exception as error:
            if is_last or error is self._audio.error:
                raise
            self.had_progress &= not isinstance(error, EngineSilentError)
            if not self.had_progress:
                route.breaker.failed()
            self.failure = engine_failure(error)
        finally:
            if tries:
                route.breaker.over()
        if self._speaking_since is not None:  # the next one says anew when somebody speaks
            yield SpeechEnded(max(self._speaking_since, self.settled))
            self._speaking_since = None

    async def _heard(self, transcriber: Transcriber, watch: Watch | None) -> AsyncGenerator[Heard, None]:
        """Yield what an engine hears.

        Raises:
            EngineSilentError: if it says nothing any more.
        """
        request = replace(self._request, start=self.settled, locale=self._locale, partials=True)
        audio = self._audio.read(self.settled)
        if watch is None:
            heard = transcriber.transcribe(audio, replace(request, partials=self._request.partials))
            async with aclosing(heard):
                async for item in heard:
                    yield item
            return
        async with watch.on(), aclosing(transcriber.transcribe(watch.over(audio), request)) as heard:
            while (said := await watch.next(heard)) is not None:
                yield said

    def _note(self, item: Heard) -> None:
        match item:
            case SpeechStarted(at):
                self._speaking_since = at
            case SpeechEnded():
                self._speaking_since = None
            case Hypothesis(covers=span) | Silence(span):
                self.settled, self.had_progress = span.end, True
                self._audio.forget(span.end)
        if isinstance(item, Hypothesis) and item.text:
            self._locale = item.locale

    def _may_go_back(self, chosen: int) -> bool:
        return any(route.breaker.allows for route in self._routes[:chosen])
