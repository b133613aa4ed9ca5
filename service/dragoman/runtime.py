"""The one composition root: settings become engines, recordings become events."""

import asyncio
import math
import os
import secrets
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Self

from dragoman.assembly import Transcribers, Translators, build_transcribers, health_of
from dragoman.audio.decode import AudioInfo, DecodeLimits, RawFormat, open_audio
from dragoman.domain.audio import AudioFrame
from dragoman.domain.events import DurableEvent, EphemeralEvent
from dragoman.domain.language import (
    LidMode,
    Locale,
    TargetLanguage,
    parse_candidates,
    parse_lid,
    parse_target,
    split_tags,
)
from dragoman.domain.recognition import DEFAULT_RECOGNITION, RecognitionOptions
from dragoman.domain.speech import AudioInput, Notice
from dragoman.engines.breaker import Health
from dragoman.engines.ports import Transcriber, Translator
from dragoman.engines.whisper.languages import choose_candidates, usual_locales
from dragoman.pipeline.memory import Memory
from dragoman.pipeline.session import Session
from dragoman.pipeline.spec import SessionSpec
from dragoman.resources import BUNDLED_MODELS, samples_folder
from dragoman.settings import Settings, read_settings
from dragoman.steps import Steps
from dragoman.store.ports import Books
from dragoman.streams import blocking

if TYPE_CHECKING:
    from dragoman.engines.whisper.model import RightSizedWhisper

Gate = Callable[[int], Awaitable[tuple[bool, Notice | None]]]
"""Says whether a recording may be taken up to a sample, and what there is to know about that."""

Source = Path | str | bytes | BinaryIO

DEMO_MODEL = Notice(
    "demo_model",
    "The bundled micro model knows only the synthetic voices of the samples; for human speech choose another one, "
    "for example model 'small' (--model small).",
)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a caller wants from a recording. Without ``languages``, all of the model's are candidates.

    ``polish`` has finals read again, with the phrases of ``recognition`` as the words to expect.
    ``insight`` is the language in which to say what follows from it; what was said is translated into it too, for that
    is what a model's claims are compared with.
    """

    languages: Sequence[str] | None = None
    lid: LidMode = LidMode.CONTINUOUS
    translate: Sequence[str] = ()
    word_times: bool = False
    recognition: RecognitionOptions = DEFAULT_RECOGNITION
    insight: str | None = None
    polish: bool = False


@dataclass(frozen=True, slots=True)
class Recording:
    """One input. ``channel`` picks one channel; without it all are mixed. ``raw`` describes headerless audio."""

    source: Source
    name: str | None = None
    channel: int | None = None
    raw: RawFormat | None = None


class Transcription:
    """A recording on its way through a session: read ``events`` once; stop it, or ask how far it is, at any time."""

    def __init__(
        self, spec: SessionSpec, session: Session, recording: Recording, limits: DecodeLimits, notice: Notice | None
    ) -> None:
        self.spec = spec
        self._session = session
        self._recording = recording
        self._limits = limits
        self._notice = notice
        self._info: AudioInfo | None = None
        self.gate: Gate | None = None
        """Asked before audio is taken, if there is one."""

    @property
    def settled_samples(self) -> int:
        """Samples whose outcome is certain."""
        return self._session.settled_samples

    @property
    def books(self) -> Books:
        """What is booked so far: read it with an event, and both fit together."""
        return self._session.books

    @property
    def duration_ms(self) -> int | None:
        """How long the recording says it is, once that is known, if it says so."""
        return self._info.duration_ms if self._info else None

    def stop(self) -> None:
        """End it now: what was said stands."""
        self._session.stop()

    async def events(self) -> AsyncGenerator[DurableEvent, None]:
        """Yield the events, ``session.started`` to ``session.ended``; what goes wrong is an ``error`` among them."""
        audio = self._audio()
        async with aclosing(audio), aclosing(self._session.run(audio)) as events:
            async for event in events:
                if not isinstance(event, EphemeralEvent):
                    yield event

    async def _audio(self) -> AsyncGenerator[AudioInput | Notice, None]:
        recording = self._recording
        source = Path(recording.source) if isinstance(recording.source, str) else recording.source
        async with open_audio(source, channel=recording.channel, raw=recording.raw, limits=self._limits) as audio:
            self._info = audio.info
            if self._notice:
                yield self._notice
            async for item in audio:
                if self.gate and isinstance(item, AudioFrame):
                    may, notice = await self.gate(item.end)
                    if notice:
                        yield notice
                    if not may:
                        return
                yield item


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """A loaded model: its name, the languages it knows by their usual locales, and what they are translated into."""

    model: str
    locales: tuple[Locale, ...]
    targets: tuple[TargetLanguage, ...]


class Runtime:
    """Owns the engines of a process. The model is loaded at first use; close it, or use it as a context manager.

    Event loops and threads may share one.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or read_settings()
        self._transcribers: Transcribers | None = None
        self._loading = threading.Lock()
        self._translators = Translators(self.settings)
        self.steps = Steps(self.settings)
        """What language models do with what was said."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the engine's thread; sessions under way fail."""
        if self._transcribers is not None:
            self._transcribers.scheduler.close()
        self._translators.close()
        self.steps.close()

    async def ready(self) -> EngineInfo:
        """Load the model if need be, and say what it is.

        Raises:
            ModelMissingError, ModelInvalidError: if it cannot be loaded.
        """
        model = (await asyncio.to_thread(self._load)).model
        await self._translators.ready()
        targets = set(self.translator.targets if self.translator else ())
        if len(model.languages) > 1:
            targets.add(parse_target("en"))  # Whisper translates into English by itself
        return EngineInfo(model.name, usual_locales(model.languages), tuple(sorted(targets)))

    @property
    def delay_s(self) -> float:
        """How long finals of live streams waited for the model of late."""
        return self._transcribers.scheduler.delay_s if self._transcribers else 0.0

    @property
    def health(self) -> dict[str, tuple[Health, ...]]:
        """How what transcribes (once it is loaded), recordings apart, and what translates is; each best first."""
        engines = self._transcribers
        health = {"transcription": health_of(engines.live if engines else None)}
        if engines and engines.recorded is not engines.live:
            health["transcription of files"] = health_of(engines.recorded)
        return {**health, "translation": health_of(self.translator)}

    async def transcriber(self) -> Transcriber:
        """Load the model if need be, and return the engine that hears live streams. Raises as ``ready``."""
        return (await asyncio.to_thread(self._load)).live

    @property
    def translator(self) -> Translator | None:
        """The engine that translates, if there is one."""
        return self._translators.all

    async def check(self, wishes: Wishes) -> None:
        """Find out whether wishes can be met, before any recording is touched; raises as ``start``."""
        self._spec((await asyncio.to_thread(self._load)).model, wishes)

    async def start(self, recording: Recording, wishes: Wishes) -> Transcription:
        """Return a new session for a recording, loading the model if need be; nothing is read yet.

        Raises:
            DragomanError: if the model is missing or invalid, or the wishes cannot be met.
        """
        source = recording.name or _name(recording.source)
        spec = replace(await self.plan(wishes), source=source, channel=recording.channel)
        notice = DEMO_MODEL if self.is_demo and not _is_sample(recording.source) else None
        return Transcription(spec, await self.session(spec), recording, self._limits(), notice)

    @property
    def is_demo(self) -> bool:
        """Whether nothing but the bundled model does the work."""
        return self.settings.model in BUNDLED_MODELS and not self.settings.azure_endpoints

    async def plan(self, wishes: Wishes) -> SessionSpec:
        """Return what a session with these wishes is asked to do, under a new id; raises as ``start``."""
        return self._spec((await asyncio.to_thread(self._load)).model, wishes)

    async def session(
        self,
        spec: SessionSpec,
        memory: Memory | None = None,
        arrived_s: Callable[[int], float | None] = lambda sample: None,
    ) -> Session:
        """Return a session on the engines of this process; see ``Session``. Raises as ``start``."""
        engines = await asyncio.to_thread(self._load)
        transcriber = engines.live if spec.live else engines.recorded
        insight = self.steps.insight_client if spec.insight else None
        polisher = self.steps.polish() if spec.polish else None
        return Session(spec, transcriber, self.translator, memory, arrived_s, insight, polisher)

    async def transcribe(self, recording: Recording, wishes: Wishes) -> AsyncGenerator[DurableEvent, None]:
        """Yield the events of one recording; raises as ``start``."""
        async with aclosing((await self.start(recording, wishes)).events()) as events:
            async for event in events:
                yield event

    def _spec(self, model: "RightSizedWhisper", wishes: Wishes) -> SessionSpec:
        is_cloud = bool(self.settings.azure_endpoints)
        if is_cloud and wishes.languages is not None:  # Azure knows more than the model that stands by
            candidates = parse_candidates(wishes.languages, wishes.lid)
        else:
            candidates = choose_candidates(wishes.languages, wishes.lid, model.languages, model.name)
        return SessionSpec(
            session_id=f"s_{secrets.token_hex(16)}",
            candidates=candidates,
            lid=wishes.lid,
            targets=tuple(dict.fromkeys(map(parse_target, (*wishes.translate, *filter(None, [wishes.insight]))))),
            word_times=wishes.word_times,
            recognition=wishes.recognition,
            insight=parse_target(wishes.insight) if wishes.insight else None,
            polish=wishes.polish,
            model="azure-speech" if is_cloud else model.name,
        )

    def _limits(self) -> DecodeLimits:
        defaults, hours = DecodeLimits(), self.settings.max_audio_hours
        cpu_s = max(defaults.cpu_s, math.ceil(hours * 3600 * defaults.cpu_s / defaults.max_audio_s))
        return replace(defaults, max_audio_s=hours * 3600, cpu_s=cpu_s)

    def _load(self) -> Transcribers:
        with self._loading:
            self._transcribers = self._transcribers or build_transcribers(self.settings)
            return self._transcribers


def transcribe(
    source: Source,
    *,
    languages: Sequence[str] | str | None = None,
    lid: str = "continuous",
    translate: Sequence[str] | str = (),
    word_times: bool = False,
    recognition: RecognitionOptions = DEFAULT_RECOGNITION,
    insight: str | None = None,
    channel: int | None = None,
    model: str | None = None,
) -> Generator[DurableEvent, None, None]:
    """Yield the events of one recording; the blocking twin of ``transcribe_async``, usable in notebooks too.

    To transcribe many recordings with one loaded model, share a ``Runtime``.
    """
    return blocking(
        lambda: transcribe_async(
            source,
            languages=languages,
            lid=lid,
            translate=translate,
            word_times=word_times,
            recognition=recognition,
            insight=insight,
            channel=channel,
            model=model,
        )
    )


async def transcribe_async(
    source: Source,
    *,
    languages: Sequence[str] | str | None = None,
    lid: str = "continuous",
    translate: Sequence[str] | str = (),
    word_times: bool = False,
    recognition: RecognitionOptions = DEFAULT_RECOGNITION,
    insight: str | None = None,
    channel: int | None = None,
    model: str | None = None,
) -> AsyncGenerator[DurableEvent, None]:
    """Yield the events of one recording.

    Args:
        source: a path, the bytes of a file, or an open binary file (pipes stream).
        languages: candidate locales, ``["en-US", "de-DE"]`` or ``"en-US,de-DE"``; without it all of the model's.
        lid: ``"at-start"`` (at most 4 candidates, decided once) or ``"continuous"`` (at most 10, per utterance).
        translate: target languages, ``["en"]``.
        word_times: whether finals carry the time of each word.
        recognition: phrases, speakers and the like, as far as the engine can.
        insight: the language in which to say what follows (summary, action items and the like), ``"en"``.
        channel: the channel to hear; without it all are mixed.
        model: see ``Settings.model``.

    Raises:
        DragomanError: if the model or the languages cannot be used; trouble with the audio is an ``error`` event.
    """
    with Runtime(read_settings(model=model)) as runtime:
        wishes = Wishes(
            split_tags(languages), parse_lid(lid), split_tags(translate) or (), word_times, recognition, insight
        )
        async with aclosing(runtime.transcribe(Recording(source, channel=channel), wishes)) as events:
            async for event in events:
                yield event


def _name(source: Source) -> str | None:
    # A name that is no valid text must not keep an event from being written.
    return os.fsencode(Path(source).name).decode(errors="replace") if isinstance(source, Path | str) else None


def _is_sample(source: Source) -> bool:
    return isinstance(source, Path | str) and Path(source).resolve().is_relative_to(samples_folder().resolve())
