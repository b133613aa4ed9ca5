"""Settings become engines: Azure in front, if it is set, and the local models behind it."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dragoman.domain.errors import DependencyMissingError, DragomanError
from dragoman.engines.ports import ChatModel, Guard, Transcriber, Translator
from dragoman.resources import bundled_translators, flows_folder, resolve_model
from dragoman.settings import Settings

if TYPE_CHECKING:
    from dragoman.engines.azure.access import AzureAccess
    from dragoman.engines.azure.translator import AzureTranslator
    from dragoman.engines.whisper.model import RightSizedWhisper
    from dragoman.engines.whisper.scheduler import Scheduler
    from dragoman.insight.answering import AnswerStep
    from dragoman.insight.client import InsightClient
    from dragoman.insight.judging import Judge
    from dragoman.insight.polishing import PolishStep
    from dragoman.insight.step import InsightStep


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
    accesses = _accesses(settings)
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


def build_insight(settings: Settings, folder: Path | None = None) -> "InsightStep":
    """Return what says what follows from a conversation, in the words of a folder (those that ship, if none is given).

    Raises:
        DependencyMissingError, SettingsError: if the model cannot be asked as it is set, or the words cannot be read.
    """
    from dragoman.insight.content import read_content
    from dragoman.insight.step import InsightStep

    content = read_content(folder or flows_folder() / "insight", "insight")
    return InsightStep(build_chat(settings), build_guard(settings), content)


def build_insight_client(settings: Settings) -> "InsightClient":
    """Return the step, in this process or at the endpoint that is set; raises as ``build_insight``."""
    if settings.insight_endpoint is None:
        return build_insight(settings)
    try:
        from dragoman.engines.azure.access import AzureAccess, Identity, credential_of
        from dragoman.engines.azure.endpoint import SCOPE, EndpointAccess, FlowEndpoint
    except ImportError as error:
        raise DependencyMissingError("Endpoints need the extra 'azure': pip install 'dragoman[azure]'.") from error
    from dragoman.insight.remote import RemoteInsight

    key = settings.insight_key.get_secret_value() if settings.insight_key else None
    access = AzureAccess(settings.insight_endpoint, None, Identity(settings.azure_identity), settings.azure_client_id)
    credential = None if key else credential_of(access, SCOPE)
    return RemoteInsight(FlowEndpoint(EndpointAccess(settings.insight_endpoint, key, credential)))


def build_answer(settings: Settings, folder: Path | None = None) -> "AnswerStep":
    """Return what answers questions about a conversation; as ``build_insight``."""
    from dragoman.insight.answering import AnswerStep
    from dragoman.insight.content import read_content

    content = read_content(folder or flows_folder() / "answer", "answer")
    return AnswerStep(build_chat(settings), build_guard(settings), content)


def build_polish(settings: Settings, folder: Path | None = None) -> "PolishStep":
    """Return what reads finals again; as ``build_insight``."""
    from dragoman.insight.content import read_content
    from dragoman.insight.polishing import PolishStep

    content = read_content(folder or flows_folder() / "polish", "polish")
    return PolishStep(build_chat(settings), build_guard(settings), content)


def build_judge(settings: Settings, folder: Path) -> "Judge":
    """Return what scores what steps say, in the words of a folder; as ``build_insight``."""
    from dragoman.insight.content import read_content
    from dragoman.insight.judging import Judge

    return Judge(build_chat(settings), build_guard(settings), read_content(folder, "judge"))


def build_chat(settings: Settings) -> ChatModel:
    """Return the language model that is set, or what selects and counts without one.

    Raises:
        DependencyMissingError, SettingsError: if it cannot be asked as it is set.
    """
    if settings.chat_endpoint is None or settings.chat_model is None:
        from dragoman.engines.chat.extractive.engine import ExtractiveChat

        return ExtractiveChat()
    try:
        from dragoman.engines.chat.openai import ChatAccess, ChatOptions, OpenAIChat, Prices
    except ImportError as error:
        raise DependencyMissingError("Language models need the extra 'chat': pip install 'dragoman[chat]'.") from error
    key = settings.chat_key.get_secret_value() if settings.chat_key else None
    is_azure = is_azure_openai(settings.chat_endpoint)
    access = ChatAccess(
        settings.chat_endpoint,
        settings.chat_model,
        is_azure=is_azure,
        key=key,
        token=_chat_token(settings, settings.chat_endpoint) if is_azure and key is None else None,
    )
    prices = Prices(*settings.chat_prices) if settings.chat_prices else None
    return OpenAIChat(access, ChatOptions(temperature=settings.chat_temperature, prices=prices))


def build_guard(settings: Settings) -> Guard:
    """Return what judges texts: the offline rules, and behind them Azure, if it is set."""
    from dragoman.engines.safety.rules import RuleGuard

    accesses = _accesses(settings)
    if not accesses:
        return RuleGuard()
    from dragoman.engines.azure.safety import AzureGuard
    from dragoman.engines.safety.several import Guards

    return Guards((RuleGuard(), AzureGuard(accesses[0])))


def reach_chat(settings: Settings) -> str:
    """Find out whether the language model answers; return who it is.

    Raises:
        DragomanError: if it does not.
    """
    from dragoman.domain.chat import ChatRequest, Message

    chat = build_chat(settings)
    if chat.name == "extractive":
        return "sentences are selected and counted; for a language model set DRAGOMAN_CHAT_ENDPOINT"
    reply = asyncio.run(chat.complete(ChatRequest((Message("user", "Say hello."),), max_tokens=100)))
    return f"{reply.engine}, model {reply.model}, answers"


def is_azure_openai(endpoint: str) -> bool:
    """Return whether an endpoint is a resource of Azure, by its host: other servers have a base URL with a path."""
    host = endpoint.partition("://")[2].partition("/")[0].partition(":")[0].lower()
    return host.endswith((".azure.com", ".azure.us", ".azure.cn"))


def _chat_token(settings: Settings, endpoint: str) -> Callable[[], str]:
    from dragoman.engines.azure.access import AzureAccess, Identity, credential_of, scope_of

    access = AzureAccess(endpoint, None, Identity(settings.azure_identity), settings.azure_client_id)
    return lambda: credential_of(access).get_token(scope_of(access)).token


def reach_azure(settings: Settings, endpoint: str) -> str:
    """Find out whether an endpoint answers and lets us in; return what it says.

    Raises:
        DragomanError: if it does not.
    """
    (access,) = (access for access in _accesses(settings) if access.endpoint == endpoint)
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
    accesses = _accesses(settings)
    if not accesses:
        return []
    from dragoman.engines.azure.translator import AzureTranslator, AzureTranslatorOptions

    options = AzureTranslatorOptions(kept=settings.do_not_translate)
    return [AzureTranslator(access, options) for access in accesses]


def _accesses(settings: Settings) -> "list[AzureAccess]":
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
