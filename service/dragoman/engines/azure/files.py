"""Azure fast transcription as an engine for recordings: a whole file goes up, its transcript comes back."""

import asyncio
import tempfile
import wave
from collections.abc import AsyncGenerator, AsyncIterator
from typing import IO, Final

from azure.ai.transcription import TranscriptionClient
from azure.ai.transcription.models import (
    PhraseListProperties,
    TranscribedPhrase,
    TranscriptionContent,
    TranscriptionDiarizationOptions,
    TranscriptionOptions,
    TranscriptionResult,
)
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import AzureError

from dragoman.domain.audio import SAMPLE_RATE_HZ, SAMPLE_WIDTH_BYTES, AudioFrame, to_samples
from dragoman.domain.speech import AudioInput, Heard, TranscriptionRequest
from dragoman.engines.azure.access import AzureAccess, credential_of, scope_of
from dragoman.engines.azure.mapping import TICKS_PER_MS, Kind, Recognized, Settlement, SpokenWord
from dragoman.engines.azure.retries import Retries, failure
from dragoman.engines.unserved import unserved

_LONGEST: Final = to_samples(115 * 60_000)
"""Of one file: the service takes less than two hours (and 300 MB, of which this is 221)."""

_MOST_SPEAKERS: Final = 10


class AzureFileTranscriber:
    """A ``Transcriber`` on azure-ai-transcription. It says nothing before the audio has ended."""

    name = "azure-fast"

    def __init__(self, access: AzureAccess, retries: Retries | None = None) -> None:
        self._retries = retries or Retries(deadline_s=600.0)
        self._client = TranscriptionClient(
            endpoint=access.endpoint,
            credential=AzureKeyCredential(access.key) if access.key else credential_of(access),
            credential_scopes=[scope_of(access)],
            retry_total=0,  # ours is the only layer that tries again
        )

    async def transcribe(
        self, audio: AsyncIterator[AudioInput], request: TranscriptionRequest
    ) -> AsyncGenerator[Heard, None]:
        """Yield what is heard; see the ``Transcriber`` port. Longer audio goes up in several files.

        Raises:
            EngineRefusedError: if Azure does not let us in, or not do this.
            EngineFailedError: if it fails in another way.
        """
        for notice in unserved(request.options, {"phrases", "speakers"}, self.name):
            yield notice
        start, ended = request.start, False
        while not ended:
            with tempfile.TemporaryFile() as file:
                samples, ended = await _write(file, audio)
                if not samples:
                    return
                settlement = Settlement(start, request.candidates)
                for result in await self._asked(file, request):
                    for heard in settlement.heard(result, start + samples):
                        yield heard
                for heard in settlement.rest(start + samples):
                    yield heard
                start += samples

    async def _asked(self, file: IO[bytes], request: TranscriptionRequest) -> list[Recognized]:
        def once() -> TranscriptionResult:
            file.seek(0)
            return self._client.transcribe(
                TranscriptionContent(definition=_options(request), audio=("audio.wav", file, "audio/wav"))
            )

        try:
            result = await self._retries.call(lambda: asyncio.to_thread(once))
        except AzureError as error:
            raise failure(error, "Azure fast transcription") from error
        return [_recognized(phrase) for phrase in result.phrases]


async def _write(file: IO[bytes], audio: AsyncIterator[AudioInput]) -> tuple[int, bool]:
    """Write audio as a WAV file, as much as one may have; return its samples, and whether that was all."""
    written = 0
    with wave.open(file, "wb") as made:
        made.setparams((1, SAMPLE_WIDTH_BYTES, SAMPLE_RATE_HZ, 0, "NONE", ""))
        async for item in audio:
            if isinstance(item, AudioFrame):
                made.writeframesraw(item.pcm)
                written += item.samples
            if written >= _LONGEST:
                return written, False
    return written, True


def _options(request: TranscriptionRequest) -> TranscriptionOptions:
    asked = request.options
    speakers = TranscriptionDiarizationOptions(max_speakers=_MOST_SPEAKERS) if asked.speakers else None
    phrases = PhraseListProperties(phrases=list(asked.phrases)) if asked.phrases else None
    return TranscriptionOptions(
        locales=list(request.candidates),
        profanity_filter_mode="None",
        diarization_options=speakers,
        phrase_list=phrases,
    )


def _recognized(phrase: TranscribedPhrase) -> Recognized:
    return Recognized(
        kind=Kind.FINAL,
        text=phrase.text,
        offset_ticks=phrase.offset_milliseconds * TICKS_PER_MS,
        duration_ticks=phrase.duration_milliseconds * TICKS_PER_MS,
        language=phrase.locale or "",
        speaker="" if phrase.speaker is None else f"Guest-{phrase.speaker}",
        confidence=phrase.confidence,
        words=tuple(
            SpokenWord(word.text, word.offset_milliseconds * TICKS_PER_MS, word.duration_milliseconds * TICKS_PER_MS)
            for word in phrase.words or ()
        ),
    )
