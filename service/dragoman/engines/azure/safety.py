"""Azure AI Content Safety as a guard: prompt shields before a model reads, harm categories after it wrote."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from azure.ai.contentsafety import ContentSafetyClient
from azure.ai.contentsafety.models import AnalyzeTextOptions
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import AzureError, HttpResponseError
from azure.core.rest import HttpRequest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dragoman.domain.errors import EngineFailedError
from dragoman.engines.azure.access import AzureAccess, credential_of, scope_of
from dragoman.engines.azure.retries import Retries, failure

T = TypeVar("T")

_API_VERSION: Final = "2024-09-01"
_MOST_DOCUMENTS: Final = 5
_MOST_CHARACTERS: Final = 10_000
_DOCUMENT: Final = _MOST_CHARACTERS // _MOST_DOCUMENTS
"""Of one request, and of each document in it. Source: Content Safety input requirements (docs/azure-fidelity.md)."""

_HARMFUL: Final = 4
"""From which severity on, of 0, 2, 4 and 6, a text is harmful: medium."""

_CALLS: Final = 4
_TIMEOUT_S: Final = 5.0
_SERVICE: Final = "Azure Content Safety"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Analysis(_Part):
    is_attack: bool = Field(alias="attackDetected")


class _Shielded(_Part):
    documents: tuple[_Analysis, ...] = Field(alias="documentsAnalysis")


@dataclass(frozen=True, slots=True)
class _Document:
    """Texts that are judged together; ``numbers`` say which they are."""

    text: str
    numbers: tuple[int, ...]


class AzureGuard:
    """A ``Guard`` on azure-ai-contentsafety; it fails if the service does, and lets nothing pass unjudged."""

    name = "azure-content-safety"

    def __init__(self, access: AzureAccess, retries: Retries | None = None) -> None:
        self._retries = retries or Retries()
        self._client = ContentSafetyClient(
            access.endpoint,
            AzureKeyCredential(access.key) if access.key else credential_of(access),
            credential_scopes=[scope_of(access)],
            api_version=_API_VERSION,
            connection_timeout=_TIMEOUT_S,
            read_timeout=_TIMEOUT_S,
            retry_total=0,  # ours is the only layer that tries again
        )
        self._workers = ThreadPoolExecutor(_CALLS, thread_name_prefix="azure-safety")

    async def attacks(self, texts: Sequence[str]) -> Sequence[bool]:
        """Return which texts would give orders to a model.

        Many are judged together; only where there is an attack among them, each is judged alone.

        Raises:
            EngineRefusedError, EngineFailedError: if the service does not say.
        """
        suspects = await self._suspects(_packed(texts))
        if len(suspects) <= 1:
            return [number in suspects for number in range(len(texts))]
        alone = [document for number in sorted(suspects) for document in _parts(texts[number], number)]
        found = await self._suspects(alone)
        return [number in found for number in range(len(texts))]

    async def harms(self, texts: Sequence[str]) -> Sequence[str | None]:
        """Return the worst category of each text, if it is of medium severity or more; raises as ``attacks``."""
        return await asyncio.gather(*(self._called(partial(self._harm, text)) for text in texts))

    def close(self) -> None:
        """Let go of connections and threads."""
        self._workers.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    async def _suspects(self, documents: Sequence[_Document]) -> set[int]:
        """Return the texts of all documents in which there is an attack."""
        requests = [documents[at : at + _MOST_DOCUMENTS] for at in range(0, len(documents), _MOST_DOCUMENTS)]
        judged = await asyncio.gather(*(self._called(partial(self._shielded, each)) for each in requests))
        return {number for found in judged for number in found}

    async def _called(self, call: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        try:
            return await self._retries.call(lambda: loop.run_in_executor(self._workers, call))
        except AzureError as error:
            raise failure(error, _SERVICE) from error

    def _shielded(self, documents: Sequence[_Document]) -> set[int]:
        """Ask about documents. The SDK has no method for it, but sends requests of any kind."""
        body = {"userPrompt": "", "documents": [document.text for document in documents]}
        # The client puts its endpoint, with the path of the API, before this.
        request = HttpRequest("POST", f"/text:shieldPrompt?api-version={_API_VERSION}", json=body)
        response = self._client.send_request(request)
        if response.status_code != 200:
            raise HttpResponseError(response=response)
        try:
            analyses = _Shielded.model_validate_json(response.text()).documents
        except ValidationError as error:
            raise EngineFailedError(f"{_SERVICE} answered with something else than a judgement.") from error
        if len(analyses) != len(documents):
            raise EngineFailedError(f"{_SERVICE} judged another number of texts than were sent.")
        found = zip(documents, analyses, strict=True)
        return {number for document, analysis in found if analysis.is_attack for number in document.numbers}

    def _harm(self, text: str) -> str | None:
        result = self._client.analyze_text(AnalyzeTextOptions(text=text[:_MOST_CHARACTERS]))
        worst = max(result.categories_analysis, key=lambda each: each.severity or 0, default=None)
        return str(worst.category).lower() if worst and (worst.severity or 0) >= _HARMFUL else None


def _parts(text: str, number: int) -> list[_Document]:
    """Return one text in as many documents as it needs."""
    return [_Document(text[at : at + _DOCUMENT], (number,)) for at in range(0, max(1, len(text)), _DOCUMENT)]


def _packed(texts: Sequence[str]) -> list[_Document]:
    """Return the texts in as few documents as they fit in; one that is too long is judged by all its parts."""
    return list(_documents(texts))


def _documents(texts: Sequence[str]) -> Iterator[_Document]:
    open_ = ""
    numbers: list[int] = []
    for number, text in enumerate(texts):
        for at in range(0, max(1, len(text)), _DOCUMENT):
            part = text[at : at + _DOCUMENT]
            if open_ and len(open_) + len(part) + 1 > _DOCUMENT:
                yield _Document(open_, tuple(numbers))
                open_, numbers = "", []
            open_ = f"{open_}\n{part}" if open_ else part
            numbers.append(number)
    if open_:
        yield _Document(open_, tuple(numbers))
