"""Settings become engines: Azure in front, if it is set, and the local models behind it."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dragoman.domain.errors import DependencyMissingError, DragomanError
from dragoman.engines.breaker import Health
from dragoman.engines.ports import Transcriber, Translator
from dragoman.resources import bundled_translators, resolve_model
from dragoman.settings import Settings

if TYPE_CHECKING:
    from dragoman.engines.azure.access import AzureAccess
    from dragoman.engines.azure.translator import AzureTranslator
    from dragoman.engines.whisper.model import RightSizedWhisper
    from dragoman.engines.whisper.scheduler import Scheduler


@dataclass(frozen=True, slots=True)
class Transcribers:
    """What hears: live streams, and recordings. The model is the local one."""

    model: "RightSizedWhisper"
    scheduler: "Scheduler"
    live: Transcriber
    recorded: Transcriber


def build_transcribers(settings: Settings) -> Transcribers:
    """Load the local model, and put Azure in front of it.

    Raises:
        ModelMissingError, ModelInvalidError: if the model cannot be loaded.
        DependencyMissingError, SettingsError: if Azure cannot be used as it is set.
    """
    from dragoman.engines.whisper.folder import WhisperOptions
    from dragoman.engines.whisper.model import RightSizedWhisper
    from dragoman.engines.whisper.scheduler import Scheduler
    from dragoman.engines.whisper.transcriber import WhisperTranscriber

    options = WhisperOptions(
        model=resolve_model(settings.model),
        device=settings.device,
        compute_type=settings.compute_type,
        threads=settings.threads,
        workers=settings.workers,
        beam_size=settings.beam_size,
    )
    accesses = azure_accesses(settings)
    model = RightSizedWhisper(options)
    scheduler = Scheduler(model, options.max_batch, model.workers)
    local = WhisperTranscriber(model, scheduler)
    if not accesses:
        return Transcribers(model, scheduler, local, local)
    from dragoman.engines.azure.files import AzureFileTranscriber
    from dragoman.engines.azure.speech import AzureSpeechOptions, AzureTranscriber
    from dragoman.engines.failover import FailoverTranscriber
    from dragoman.engines.whisper.detector import SileroDetector

    speech = AzureSpeechOptions(max_recognizers=settings.azure_recognizers)
    live = FailoverTranscriber([*(AzureTranscriber(access, speech) for access in accesses), local], SileroDetector)
    recorded = FailoverTranscriber([*map(AzureFileTranscriber, accesses), local], SileroDetector, rules=None)
    return Transcribers(model, scheduler, live, recorded)


class Translators:
    """What translates: Azure, if it is set, then the local models."""

    def __init__(self, settings: Settings) -> None:
        self._azure = _azure_translators(settings)
        self.all = _in_turn([*self._azure, *_local_translators(settings)])
        """The translator to use, if there is any."""

    async def ready(self) -> None:
        """Ask Azure what it translates; without an answer, texts that it cannot translate fail one by one."""
        for translator in self._azure:
            with contextlib.suppress(DragomanError):
                await translator.ready()

    def close(self) -> None:
        """Let go of connections."""
        for translator in self._azure:
            translator.close()


def health_of(engine: Transcriber | Translator | None) -> tuple[Health, ...]:
    """Return how an engine is, or each of those that it is made of."""
    if engine is None:
        return ()
    from dragoman.engines.failover import FailoverTranscriber
    from dragoman.engines.failover_translator import FailoverTranslator

    return engine.health if isinstance(engine, FailoverTranscriber | FailoverTranslator) else (Health(engine.name),)


def reach_azure(settings: Settings, endpoint: str) -> str:
    """Find out whether an endpoint answers and lets us in; return what it says.

    Raises:
        DragomanError: if it does not.
    """
    (access,) = (access for access in azure_accesses(settings) if access.endpoint == endpoint)
    from dragoman.engines.azure.access import prove
    from dragoman.engines.azure.translator import AzureTranslator

    translator = AzureTranslator(access)
    try:
        asyncio.run(translator.ready())
        return f"translates {len(translator.targets)} languages, {prove(access)}"
    finally:
        translator.close()


def translators_of(settings: Settings) -> tuple[Path, ...]:
    """Return the folders of the translation models to use: those set, or what is bundled with the Whisper model."""
    chosen = settings.translation_models
    return bundled_translators(settings.model) if chosen is None else chosen


def _in_turn(translators: Sequence[Translator]) -> Translator | None:
    if len(translators) <= 1:
        return translators[0] if translators else None
    from dragoman.engines.failover_translator import FailoverTranslator

    return FailoverTranslator(translators)


def _local_translators(settings: Settings) -> list[Translator]:
    folders = translators_of(settings)
    if not folders:
        return []
    from dragoman.engines.ctranslate.folder import describe
    from dragoman.engines.ctranslate.translator import CTranslate2Translator

    return [CTranslate2Translator([describe(folder) for folder in folders])]


def _azure_translators(settings: Settings) -> "list[AzureTranslator]":
    accesses = azure_accesses(settings)
    if not accesses:
        return []
    from dragoman.engines.azure.translator import AzureTranslator, AzureTranslatorOptions

    options = AzureTranslatorOptions(kept=settings.do_not_translate)
    return [AzureTranslator(access, options) for access in accesses]


def azure_accesses(settings: Settings) -> "list[AzureAccess]":
    """Return how the endpoints of Azure are reached, best first.

    Raises:
        DependencyMissingError: if Azure's SDKs are not installed.
        SettingsError: if an endpoint is none.
    """
    if not settings.azure_endpoints:
        return []
    try:
        import azure.cognitiveservices.speech  # noqa: F401 - only to know that it is there
    except ImportError as error:
        raise DependencyMissingError("Azure needs the extra 'azure': pip install 'dragoman[azure]'.") from error
    from dragoman.engines.azure.access import AzureAccess, Identity

    key = settings.azure_key.get_secret_value() if settings.azure_key else None
    identity = Identity(settings.azure_identity)
    return [AzureAccess(endpoint, key, identity, settings.azure_client_id) for endpoint in settings.azure_endpoints]
