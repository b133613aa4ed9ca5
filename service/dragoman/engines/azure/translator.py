"""Azure Translator as an engine: many texts and targets in a call, one layer of retries."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakKeyDictionary

from azure.ai.translation.text import TextTranslationClient
from azure.ai.translation.text.models import (
    GetSupportedLanguagesResult,
    TranslatedTextItem,
    TranslateInputItem,
    TranslationTarget,
)
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import AzureError

from dragoman.domain.errors import EngineFailedError, TranslationFailedError
from dragoman.domain.language import Locale, TargetLanguage, parse_target
from dragoman.engines.azure.access import AzureAccess, credential_of, scope_of
from dragoman.engines.azure.retries import Retries, said
from dragoman.engines.azure.texts import code_of, marked, unmarked

Outcome = str | TranslationFailedError

_MOST_TEXTS: Final = 50
_MOST_CHARACTERS: Final = 50_000
"""Of one request, all its targets counted. Source: Translator service limits (docs/azure-fidelity.md)."""


@dataclass(frozen=True, slots=True)
class AzureTranslatorOptions:
    """How Azure translates.

    ``kept`` words stay as they are. A call waits ``timeout_s`` for an answer. At most ``calls`` are under way at once,
    for each event loop: texts that come meanwhile go together in the next.
    """

    kept: tuple[str, ...] = ()
    timeout_s: float = 5.0
    calls: int = 4


@dataclass(slots=True, eq=False)
class _Waiting:
    text: str
    source: Locale
    targets: tuple[TargetLanguage, ...]
    outcomes: "asyncio.Future[dict[TargetLanguage, Outcome]]" = field(init=False)

    def __post_init__(self) -> None:
        self.outcomes = asyncio.get_running_loop().create_future()

    @property
    def characters(self) -> int:
        return len(self.text) * len(self.targets)


@dataclass(slots=True)
class _Queue:
    """The texts of one event loop that wait, and the calls under way for it."""

    waiting: list[_Waiting] = field(default_factory=list)
    calls: int = 0

    def batch(self) -> list[_Waiting]:
        """Take as many as may go together."""
        batch: list[_Waiting] = []
        characters = 0
        while self.waiting and len(batch) < _MOST_TEXTS:
            characters += self.waiting[0].characters
            if batch and characters > _MOST_CHARACTERS:
                break
            batch.append(self.waiting.pop(0))
        return [each for each in batch if not each.outcomes.cancelled()]


class AzureTranslator:
    """A ``Translator`` on azure-ai-translation-text."""

    name = "azure-translator"

    def __init__(
        self, access: AzureAccess, options: AzureTranslatorOptions | None = None, retries: Retries | None = None
    ) -> None:
        self._options = options or AzureTranslatorOptions()
        self._retries = retries or Retries()
        self._client = TextTranslationClient(
            endpoint=access.endpoint,
            credential=AzureKeyCredential(access.key) if access.key else credential_of(access),
            audience=scope_of(access),
            retry_total=0,  # ours is the only layer that tries again
            connection_timeout=self._options.timeout_s,
            read_timeout=self._options.timeout_s,
        )
        self._workers = ThreadPoolExecutor(self._options.calls, thread_name_prefix="azure-translator")
        self._queues: WeakKeyDictionary[asyncio.AbstractEventLoop, _Queue] = WeakKeyDictionary()
        self._known: frozenset[str] | None = None
        self.characters = 0
        """Characters translated so far, once per target: what is billed."""

    async def ready(self) -> None:
        """Ask which languages there are.

        Raises:
            EngineFailedError: if the service does not say.
        """
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._workers, self._languages)
        except AzureError as error:
            raise EngineFailedError(f"Azure Translator does not name its languages: {said(error)}") from error
        self._known = frozenset(code.lower() for code in found.translation or {})

    @property
    def targets(self) -> tuple[TargetLanguage, ...]:
        """Languages that the service translates into; none before it was ``ready``."""
        return tuple(sorted(parse_target(code) for code in self._known or ()))

    def supports(self, source: Locale, target: TargetLanguage) -> bool:
        """Return whether the service knows both; before it was ``ready`` it is taken to."""
        return self._known is None or {code_of(source).lower(), code_of(target).lower()} <= self._known

    async def translate(
        self, text: str, source: Locale, targets: Sequence[TargetLanguage]
    ) -> Mapping[TargetLanguage, Outcome]:
        """Return one outcome per target; see the ``Translator`` port.

        Raises:
            TranslationFailedError: if the service does not answer, or refuses.
        """
        if not targets or not text.strip():
            return dict.fromkeys(targets, "")
        waiting = _Waiting(text, source, tuple(targets))
        if waiting.characters > _MOST_CHARACTERS:
            raise TranslationFailedError(f"A text of {len(text)} characters is too long for Azure Translator.")
        queue = self._queues.setdefault(asyncio.get_running_loop(), _Queue())
        queue.waiting.append(waiting)
        self._begin(queue)
        return await waiting.outcomes

    def close(self) -> None:
        """Let go of connections and threads."""
        self._workers.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    def _languages(self) -> GetSupportedLanguagesResult:
        return self._client.get_supported_languages(scope="translation")

    def _begin(self, queue: _Queue) -> None:
        """Make calls for what waits, if more may be under way."""
        while queue.waiting and queue.calls < self._options.calls:
            queue.calls += 1
            task = asyncio.create_task(self._call(queue.batch(), queue))
            task.add_done_callback(lambda _: self._begin(queue))

    async def _call(self, batch: list[_Waiting], queue: _Queue) -> None:
        try:
            outcomes = await self._tried(batch) if batch else []
        except TranslationFailedError as error:
            for waiting in batch:
                if not waiting.outcomes.done():
                    waiting.outcomes.set_exception(error)
            return
        finally:
            queue.calls -= 1
        for waiting, outcome in zip(batch, outcomes, strict=True):
            if not waiting.outcomes.done():
                waiting.outcomes.set_result(outcome)

    async def _tried(self, batch: list[_Waiting]) -> list[dict[TargetLanguage, Outcome]]:
        """Return the outcomes of a batch.

        Raises:
            TranslationFailedError: if the service does not give them in time.
        """
        loop, items = asyncio.get_running_loop(), [self._item(each) for each in batch]
        try:
            result = await self._retries.call(
                lambda: loop.run_in_executor(self._workers, self._client.translate, items)
            )
        except AzureError as error:
            raise TranslationFailedError(f"Azure Translator: {said(error)}") from error
        return self._outcomes(batch, result)

    def _item(self, waiting: _Waiting) -> TranslateInputItem:
        html = marked(waiting.text, self._options.kept)
        return TranslateInputItem(
            text=html or waiting.text,
            text_type="Html" if html else "Plain",
            language=code_of(waiting.source),
            targets=[TranslationTarget(language=code_of(target)) for target in waiting.targets],
        )

    def _outcomes(self, batch: list[_Waiting], result: list[TranslatedTextItem]) -> list[dict[TargetLanguage, Outcome]]:
        if len(result) != len(batch):
            raise TranslationFailedError("Azure Translator answered with another number of texts than were sent.")
        outcomes = []
        for waiting, item in zip(batch, result, strict=True):
            self.characters += waiting.characters
            is_html = marked(waiting.text, self._options.kept) is not None
            by_code = {made.language.lower(): made.text for made in item.translations}
            found: dict[TargetLanguage, Outcome] = {}
            for target in waiting.targets:
                text = by_code.get(code_of(target).lower())
                missing = TranslationFailedError("Azure Translator gave no answer for this language.")
                found[target] = missing if text is None else unmarked(text) if is_html else text
            outcomes.append(found)
        return outcomes
