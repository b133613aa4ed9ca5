"""The LLM steps on one chat model and one guard: settings become engines when they are first needed."""

import asyncio
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dragoman.assembly import azure_accesses
from dragoman.domain.errors import DependencyMissingError
from dragoman.engines.ports import ChatModel, Guard, close
from dragoman.resources import flows_folder
from dragoman.settings import Settings

if TYPE_CHECKING:
    from dragoman.insight.answering import AnswerStep
    from dragoman.insight.client import InsightClient
    from dragoman.insight.judging import Judge
    from dragoman.insight.polishing import PolishStep
    from dragoman.insight.step import InsightStep


class Steps:
    """Makes every step in the words of a folder; those that ship, if none is given.

    Whatever makes one raises DependencyMissingError or SettingsError if it cannot be made as it is set.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def chat(self) -> ChatModel:
        """The language model that is set, or what selects and counts without one."""
        return _chat(self._settings)

    @cached_property
    def guard(self) -> Guard:
        """What judges texts: the offline rules, and behind them Azure, if it is set."""
        return _guard(self._settings)

    @cached_property
    def insight_client(self) -> "InsightClient":
        """What says what follows from a conversation: in this process, or at the endpoint that is set."""
        return self.insight() if self._settings.insight_endpoint is None else _remote_insight(self._settings)

    def insight(self, folder: Path | None = None) -> "InsightStep":
        """Return what says what follows from a conversation."""
        from dragoman.insight.content import read_content
        from dragoman.insight.step import InsightStep

        return InsightStep(self.chat, self.guard, read_content(folder or flows_folder() / "insight", "insight"))

    def answer(self, folder: Path | None = None) -> "AnswerStep":
        """Return what answers questions about a conversation."""
        from dragoman.insight.answering import AnswerStep
        from dragoman.insight.content import read_content

        return AnswerStep(self.chat, self.guard, read_content(folder or flows_folder() / "answer", "answer"))

    def polish(self, folder: Path | None = None) -> "PolishStep":
        """Return what reads finals again."""
        from dragoman.insight.content import read_content
        from dragoman.insight.polishing import PolishStep

        return PolishStep(self.chat, self.guard, read_content(folder or flows_folder() / "polish", "polish"))

    def judge(self, folder: Path) -> "Judge":
        """Return what scores what steps say."""
        from dragoman.insight.content import read_content
        from dragoman.insight.judging import Judge

        return Judge(self.chat, self.guard, read_content(folder, "judge"))

    def reach_chat(self) -> str:
        """Find out whether the language model answers; return who it is.

        Raises:
            DragomanError: if it does not.
        """
        from dragoman.domain.chat import ChatRequest, Message

        if self.chat.name == "extractive":
            return "sentences are selected and counted; for a language model set DRAGOMAN_CHAT_ENDPOINT"
        reply = asyncio.run(self.chat.complete(ChatRequest((Message("user", "Say hello."),), max_tokens=100)))
        return f"{reply.engine}, model {reply.model}, answers"

    def close(self) -> None:
        """Let go of connections."""
        for name in ("chat", "guard", "insight_client"):
            close(self.__dict__.get(name))


def is_azure_openai(endpoint: str) -> bool:
    """Return whether an endpoint is a resource of Azure, by its host."""
    return (urlsplit(endpoint).hostname or "").endswith((".azure.com", ".azure.us", ".azure.cn"))


def _chat(settings: Settings) -> ChatModel:
    if settings.chat_endpoint is None or settings.chat_model is None:
        from dragoman.engines.chat.extractive.engine import ExtractiveChat

        return ExtractiveChat()
    try:
        from dragoman.engines.chat.openai import ChatAccess, ChatOptions, OpenAIChat, Prices
    except ImportError as error:
        raise DependencyMissingError("Language models need the extra 'chat': pip install 'dragoman[chat]'.") from error
    key = settings.chat_key.get_secret_value() if settings.chat_key else None
    prices = Prices(*settings.chat_prices) if settings.chat_prices else None
    options = ChatOptions(temperature=settings.chat_temperature, prices=prices)
    if not is_azure_openai(settings.chat_endpoint):
        return OpenAIChat(ChatAccess(settings.chat_endpoint, settings.chat_model, key=key), options)
    place = urlsplit(settings.chat_endpoint)
    resource = f"{place.scheme}://{place.netloc}"  # a path of it may be named, and is the SDK's to choose
    token = None if key else _token(settings, resource)
    return OpenAIChat(ChatAccess(resource, settings.chat_model, is_azure=True, key=key, token=token), options)


def _token(settings: Settings, endpoint: str) -> Callable[[], str]:
    from dragoman.engines.azure.access import AzureAccess, Identity, credential_of, scope_of

    access = AzureAccess(endpoint, None, Identity(settings.azure_identity), settings.azure_client_id)
    return lambda: credential_of(access).get_token(scope_of(access)).token


def _guard(settings: Settings) -> Guard:
    from dragoman.engines.safety.rules import RuleGuard

    accesses = azure_accesses(settings)
    if not accesses:
        return RuleGuard()
    from dragoman.engines.azure.safety import AzureGuard
    from dragoman.engines.safety.several import Guards

    return Guards((RuleGuard(), AzureGuard(accesses[0])))


def _remote_insight(settings: Settings) -> "InsightClient":
    assert settings.insight_endpoint
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
