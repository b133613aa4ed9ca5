"""Azure AI Speech as an engine: streams natively, and decides the language on its side."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Final, Literal

from dragoman.domain.audio import AudioFrame, to_samples
from dragoman.domain.errors import CapacityError, DragomanError, EngineFailedError, EngineRefusedError
from dragoman.domain.speech import AudioInput, Heard, Partial, TranscriptionRequest
from dragoman.engines.azure.access import AzureAccess
from dragoman.engines.azure.mapping import Recognized, Settlement
from dragoman.engines.azure.recognition import Failed, Recognition, Stopped

_MOST_AHEAD: Final = to_samples(60_000)
"""Audio that may be given to the SDK before it is settled: it keeps all of it, and gives up beyond 66 seconds."""

_REFUSALS: Final = frozenset({"AuthenticationFailure", "BadRequest", "Forbidden"})


@dataclass(frozen=True, slots=True)
class AzureSpeechOptions:
    """How Azure recognises.

    ``retries`` are attempts of the SDK to connect again, a quarter of a
    second apart, before it gives up: none, for ``FailoverTranscriber`` knows better when to try. A process runs at most
    ``max_recognizers`` at once: 50 are easy, 200 fill a core. Audio that waits is sent at full speed for ``burst_ms``
    (the SDK's 5 s, if not given), and then at twice its own.
    """

    profanity: Literal["masked", "removed", "raw"] = "raw"
    retries: int = 0
    max_recognizers: int = 100
    burst_ms: int | None = None


class AzureTranscriber:
    """A ``Transcriber`` on the Speech SDK."""

    name = "azure"

    def __init__(self, access: AzureAccess, options: AzureSpeechOptions | None = None) -> None:
        self._access = access
        self._options = options or AzureSpeechOptions()
        self._running = 0
        self._stopping: set[asyncio.Task[None]] = set()

    async def transcribe(
        self, audio: AsyncIterator[AudioInput], request: TranscriptionRequest
    ) -> AsyncGenerator[Heard, None]:
        """Yield what is heard; see the ``Transcriber`` port.

        Raises:
            CapacityError: if as many recognizers run as may.
            EngineRefusedError: if Azure does not let us in, or not do this.
            EngineFailedError: if it fails in another way.
        """
        if self._running >= self._options.max_recognizers:
            raise CapacityError(f"{self._running} recognizers run in this process, as many as may.")
        self._running += 1
        recognition: Recognition | None = None
        feeding: asyncio.Task[None] | None = None
        try:
            loop = asyncio.get_running_loop()
            recognition = await asyncio.to_thread(Recognition, self._access, self._options, request, loop)
            await asyncio.to_thread(recognition.start_blocking)
            run = _Run(recognition, Settlement(request.start, request.candidates), partials=request.partials)
            feeding = asyncio.create_task(run.feed(audio))
            feeding.add_done_callback(recognition.reports.put_nowait)
            async for heard in run.hear():
                yield heard
        except RuntimeError as error:
            raise EngineRefusedError(f"The Speech SDK refuses: {_first_line(str(error))}") from error
        finally:
            if feeding:
                feeding.cancel()
                await asyncio.gather(feeding, return_exceptions=True)
            if recognition:
                self._let_go(recognition)
            else:
                self._running -= 1

    def _let_go(self, recognition: Recognition) -> None:
        """Stop a recognizer without waiting for it: a service that is silent would make us wait ten seconds."""

        async def stop() -> None:
            try:
                await asyncio.to_thread(recognition.stop_blocking)
            finally:
                self._running -= 1

        task = asyncio.create_task(stop())
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)


class _Run:
    """One stream: its audio on the way in, and its results on the way out."""

    def __init__(self, recognition: Recognition, settlement: Settlement, *, partials: bool) -> None:
        self._recognition = recognition
        self._settlement = settlement
        self._shows = partials
        self._given = settlement.settled
        self._has_ended = False
        self._room = asyncio.Event()

    async def feed(self, audio: AsyncIterator[AudioInput]) -> None:
        """Give the audio to the SDK, and wait while too much of it is not settled."""
        async for item in audio:
            if isinstance(item, AudioFrame):
                self._recognition.write(item.pcm)
                self._given = item.end
            else:
                self._recognition.flush()
            while self._given - self._settlement.settled > _MOST_AHEAD:
                self._room.clear()
                await self._room.wait()
        self._has_ended = True
        self._recognition.end()

    async def hear(self) -> AsyncGenerator[Heard, None]:
        """Yield what is heard until all is settled; an error of the audio is raised."""
        while True:
            match report := await self._recognition.reports.get():
                case Recognized():
                    for heard in self._settlement.heard(report, self._given):
                        if self._shows or not isinstance(heard, Partial):
                            yield heard
                    self._room.set()
                case Failed():
                    raise _error(report)
                case asyncio.Task():
                    report.result()
                case Stopped():
                    if not self._has_ended:
                        raise EngineFailedError("Azure ended the recognition before the audio did.")
                    for heard in self._settlement.rest(self._given):
                        yield heard
                    return


def _error(failed: Failed) -> DragomanError:
    message = f"Azure ended the recognition ({failed.code}): {_first_line(failed.details)}"
    return EngineRefusedError(message) if failed.code in _REFUSALS else EngineFailedError(message)


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0][:300]
