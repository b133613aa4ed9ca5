"""The one composition root: settings become engines, recordings become events."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Self

from dragoman.audio.decode import AudioInfo, DecodeLimits, RawFormat, open_audio
from dragoman.domain.errors import LanguageLimitError
from dragoman.domain.events import DurableEvent
from dragoman.domain.language import CANDIDATE_LIMITS, LidMode, Locale, parse_candidates, parse_target
from dragoman.domain.speech import AudioInput, Notice
from dragoman.engines.ports import Transcriber, Translator
from dragoman.pipeline.session import Session
from dragoman.pipeline.spec import SessionSpec
from dragoman.resources import BUNDLED_MODELS, resolve_model, samples_folder
from dragoman.settings import Settings, read_settings
from dragoman.streams import blocking

if TYPE_CHECKING:
    from dragoman.engines.whisper.model import RightSizedWhisper
    from dragoman.engines.whisper.scheduler import Scheduler

Source = Path | str | bytes | BinaryIO

_DEMO_MODEL = Notice(
    "demo_model",
    "The bundled micro model knows only the synthetic voices of the samples. For human speech choose another one, "
    "for example '--model small'.",
)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a caller wants from a recording. Without ``languages``, all of the model's are candidates."""

    languages: Sequence[str] | None = None
    lid: LidMode = LidMode.CONTINUOUS
    translate: Sequence[str] = ()
    word_times: bool = False


@dataclass(frozen=True, slots=True)
class Recording:
    """One input. ``channel`` picks one channel; without it all are mixed. ``raw`` describes headerless audio."""

    source: Source
    name: str | None = None
    channel: int | None = None
    raw: RawFormat | None = None


@dataclass(frozen=True, slots=True)
class _Engine:
    model: "RightSizedWhisper"
    scheduler: "Scheduler"
    transcriber: Transcriber


class Runtime:
    """Owns the engines of a process. The model is loaded at first use; close it, or use it as a context manager."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or read_settings()
        self._engine: _Engine | None = None
        self._loading = asyncio.Lock()
        self._translator = self._build_translator()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the engine's thread; sessions under way fail."""
        if self._engine is not None:
            self._engine.scheduler.close()

    async def ready(self) -> str:
        """Load the model if need be; return its name.

        Raises:
            ModelMissingError, ModelInvalidError: if it cannot be loaded.
        """
        return (await self._load()).model.name

    async def session(self, wishes: Wishes, *, source: str | None = None, channel: int | None = None) -> Session:
        """Return a new session, loading the model if need be.

        Raises:
            DragomanError: if the model is missing or invalid, or the languages cannot be served.
        """
        engine = await self._load()
        spec = SessionSpec(
            session_id=f"s_{secrets.token_hex(8)}",
            candidates=_candidates(wishes, engine.model),
            lid=wishes.lid,
            targets=tuple(dict.fromkeys(parse_target(target) for target in wishes.translate)),
            word_times=wishes.word_times,
            model=engine.model.name,
            source=source,
            channel=channel,
        )
        return Session(spec, engine.transcriber, self._translator)

    async def transcribe(
        self, recording: Recording, wishes: Wishes, *, watch: Callable[[Session, AudioInfo], None] | None = None
    ) -> AsyncGenerator[DurableEvent, None]:
        """Yield the events of one recording, from ``session.started`` to ``session.ended``.

        ``watch`` is called with the session and what the file says of itself, once that is known, and again with every
        frame: the place to show progress or to stop.

        Raises:
            DragomanError: as ``session``; what goes wrong later is an ``error`` event.
        """
        name = recording.name or _name(recording.source)
        session = await self.session(wishes, source=name, channel=recording.channel)
        audio = self._audio(recording, session, watch)
        async with aclosing(audio), aclosing(session.run(audio)) as events:
            async for event in events:
                yield event

    async def _audio(
        self, recording: Recording, session: Session, watch: Callable[[Session, AudioInfo], None] | None
    ) -> AsyncGenerator[AudioInput | Notice, None]:
        limits = replace(DecodeLimits(), max_audio_s=self.settings.max_audio_hours * 3600)
        source = Path(recording.source) if isinstance(recording.source, str) else recording.source
        async with open_audio(source, channel=recording.channel, raw=recording.raw, limits=limits) as audio:
            if self.settings.model in BUNDLED_MODELS and not _is_sample(source):
                yield _DEMO_MODEL
            async for item in audio:
                if watch:
                    watch(session, audio.info)
                yield item

    async def _load(self) -> _Engine:
        async with self._loading:
            if self._engine is None:
                self._engine = await asyncio.to_thread(self._build_engine)
            return self._engine

    def _build_engine(self) -> _Engine:
        from dragoman.engines.whisper.folder import WhisperOptions
        from dragoman.engines.whisper.model import RightSizedWhisper
        from dragoman.engines.whisper.scheduler import Scheduler
        from dragoman.engines.whisper.transcriber import WhisperTranscriber

        settings = self.settings
        options = WhisperOptions(
            model=resolve_model(settings.model),
            device=settings.device,
            compute_type=settings.compute_type,
            threads=settings.threads,
            beam_size=settings.beam_size,
        )
        model = RightSizedWhisper(options)
        scheduler = Scheduler(model, options.max_batch)
        return _Engine(model, scheduler, WhisperTranscriber(model, scheduler))

    def _build_translator(self) -> Translator | None:
        if not self.settings.translation_models:
            return None
        from dragoman.engines.ctranslate.folder import describe
        from dragoman.engines.ctranslate.translator import CTranslate2Translator

        return CTranslate2Translator([describe(folder) for folder in self.settings.translation_models])


def transcribe(
    source: Source,
    *,
    languages: Sequence[str] | None = None,
    lid: str = "continuous",
    translate: Sequence[str] = (),
    word_times: bool = False,
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
            channel=channel,
            model=model,
        )
    )


async def transcribe_async(
    source: Source,
    *,
    languages: Sequence[str] | None = None,
    lid: str = "continuous",
    translate: Sequence[str] = (),
    word_times: bool = False,
    channel: int | None = None,
    model: str | None = None,
) -> AsyncGenerator[DurableEvent, None]:
    """Yield the events of one recording.

    Args:
        source: a path, the bytes of a file, or an open binary file (pipes stream).
        languages: candidate locales, ``["en-US", "de-DE"]``; without it every language of the model.
        lid: ``"at-start"`` (at most 4 candidates, decided once) or ``"continuous"`` (at most 10, per utterance).
        translate: target languages, ``["en"]``.
        word_times: whether finals carry the time of each word.
        channel: the channel to hear; without it all are mixed.
        model: see ``Settings.model``.

    Raises:
        DragomanError: if the model or the languages cannot be used; trouble with the audio is an ``error`` event.
    """
    with Runtime(read_settings(model=model)) as runtime:
        wishes = Wishes(languages, LidMode(lid), translate, word_times)
        async with aclosing(runtime.transcribe(Recording(source, channel=channel), wishes)) as events:
            async for event in events:
                yield event


def _candidates(wishes: Wishes, model: "RightSizedWhisper") -> tuple[Locale, ...]:
    from dragoman.engines.whisper.languages import codes_of, locale_of

    if wishes.languages is not None:
        candidates = parse_candidates(wishes.languages, wishes.lid)
        codes_of(candidates, model.languages, model.name)
        return candidates
    locales = [locale_of(code) for code in sorted(model.languages)]
    if len(locales) > (limit := CANDIDATE_LIMITS[wishes.lid]):
        raise LanguageLimitError(
            f"Model '{model.name}' knows {len(locales)} languages, and {wishes.lid} identification chooses among at "
            f"most {limit}; name them with '--languages', for example '--languages en-US,es-ES'."
        )
    return tuple(locales)


def _name(source: Source) -> str | None:
    return Path(source).name if isinstance(source, Path | str) else None


def _is_sample(source: Path | bytes | BinaryIO) -> bool:
    return isinstance(source, Path) and source.resolve().is_relative_to(samples_folder().resolve())
