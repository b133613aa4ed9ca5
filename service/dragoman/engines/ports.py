"""The roles that an engine can play. An engine is any object with the right methods; there is no base class."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from dragoman.domain.chat import ChatReply, ChatRequest
from dragoman.domain.errors import TranslationFailedError
from dragoman.domain.language import Locale, TargetLanguage
from dragoman.domain.speech import AudioInput, Heard, TranscriptionRequest


class Transcriber(Protocol):
    """Turns a stream of audio into what was said."""

    @property
    def name(self) -> str:
        """Short stable name for events, ``"whisper"``."""
        ...

    def transcribe(
        self, audio: AsyncIterator[AudioInput], request: TranscriptionRequest
    ) -> AsyncGenerator[Heard, None]:
        """Yield what is heard, in the order of the session clock.

        When the audio ends, everything still open is settled before the iterator ends: the silences' and hypotheses'
        spans then cover all of it. Close the iterator to abandon the work.

        Raises:
            DragomanError: when the engine cannot go on; what was yielded before stays valid.
        """
        ...


class Translator(Protocol):
    """Turns text of one language into text of others."""

    @property
    def name(self) -> str:
        """Short stable name for events, ``"ctranslate2"``."""
        ...

    @property
    def targets(self) -> tuple[TargetLanguage, ...]:
        """Languages that texts of some other can be translated into, sorted."""
        ...

    def supports(self, source: Locale, target: TargetLanguage) -> bool:
        """Return whether texts in ``source`` can be translated into ``target``."""
        ...

    async def translate(
        self, text: str, source: Locale, targets: Sequence[TargetLanguage]
    ) -> Mapping[TargetLanguage, str | TranslationFailedError]:
        """Return one translation, or why there is none, per target; every target must be supported.

        Messages name the cause without quoting the text.

        Raises:
            TranslationFailedError: if none could be made.
        """
        ...


class SpeechDetector(Protocol):
    """Estimates how likely audio is speech. Stateful: feed windows in order."""

    def probabilities(self, windows: NDArray[np.float32]) -> list[float]:
        """Return P(speech) in [0, 1] of each window, shape ``(windows, WINDOW_SAMPLES)``."""
        ...

    def reset(self) -> None:
        """Forget what was heard."""
        ...


class ChatModel(Protocol):
    """Answers a request; a language model, or something that says that it is none."""

    @property
    def name(self) -> str:
        """Short stable name for events, ``"openai"``."""
        ...

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Return the whole answer.

        Raises:
            DragomanError: if there is none.
        """
        ...

    def stream(self, request: ChatRequest) -> AsyncGenerator[str | ChatReply, None]:
        """Yield the answer piece by piece, and then the whole of it; raises as ``complete``."""
        ...


class Guard(Protocol):
    """Judges texts before a language model reads them, and what it says after that."""

    @property
    def name(self) -> str:
        """Short stable name for events, ``"rules"``."""
        ...

    async def attacks(self, texts: Sequence[str]) -> Sequence[bool]:
        """Return which texts would give orders to a model.

        Raises:
            DragomanError: if nobody can tell.
        """
        ...

    async def harms(self, texts: Sequence[str]) -> Sequence[str | None]:
        """Return what is harmful about each text, in a word, if anything is.

        Raises:
            DragomanError: if nobody can tell.
        """
        ...


@runtime_checkable
class Closes(Protocol):
    """Something that holds connections or threads."""

    def close(self) -> None:
        """Let go of them."""
        ...


def close(engine: object) -> None:
    """Close an engine, if it holds anything."""
    if isinstance(engine, Closes):
        engine.close()
