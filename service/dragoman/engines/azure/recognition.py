"""One recognition of the Speech SDK: its threads meet asyncio here, and in no other place."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import azure.cognitiveservices.speech as sdk

from dragoman.domain.language import LidMode, Locale
from dragoman.domain.speech import TranscriptionRequest
from dragoman.engines.azure.access import AzureAccess, credential_of
from dragoman.engines.azure.mapping import Kind, Recognized, read_detail

if TYPE_CHECKING:
    from dragoman.engines.azure.speech import AzureSpeechOptions

_LID: Final = {LidMode.AT_START: "AtStart", LidMode.CONTINUOUS: "Continuous"}


@dataclass(frozen=True, slots=True)
class Failed:
    """The recognition has ended with an error: the name of the SDK's code, and what it says."""

    code: str
    details: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """The recognition has ended, all audio was heard."""


Report = Recognized | Failed | Stopped
_Event: TypeAlias = "sdk.SpeechRecognitionEventArgs | sdk.SessionEventArgs"


class Recognition:
    """A recognizer with its audio. ``reports`` fill from the SDK's threads, for readers on ``loop``.

    Making one, and methods that end with ``blocking``, wait for the SDK or for a token, and belong on another thread.
    """

    def __init__(
        self,
        access: AzureAccess,
        options: "AzureSpeechOptions",
        request: TranscriptionRequest,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.reports: asyncio.Queue[Report | asyncio.Task[None]] = asyncio.Queue()
        """What the SDK says; a task that gives the audio reports here too, once it is done."""
        self._loop = loop
        self._has_ended = threading.Event()
        self._audio = sdk.audio.PushAudioInputStream()
        self._recognizer = _recognizer(_config(access, options, request), self._audio, request)
        if request.options.phrases:
            phrases = sdk.PhraseListGrammar.from_recognizer(self._recognizer)
            for phrase in request.options.phrases:
                phrases.addPhrase(phrase)
        is_conversation = isinstance(self._recognizer, sdk.transcription.ConversationTranscriber)
        self._signals = (
            (self._recognizer.transcribing, self._recognizer.transcribed)
            if is_conversation
            else (self._recognizer.recognizing, self._recognizer.recognized)
        )
        for signal in self._signals:
            signal.connect(self._told(lambda event: _recognized(event.result, is_identified=_fixed(request) is None)))
        self._recognizer.canceled.connect(self._told(_failed))
        self._recognizer.session_stopped.connect(self._told(lambda event: Stopped()))
        self._start = (
            self._recognizer.start_transcribing_async
            if is_conversation
            else (self._recognizer.start_continuous_recognition_async)
        )
        self._stop = (
            self._recognizer.stop_transcribing_async
            if is_conversation
            else (self._recognizer.stop_continuous_recognition_async)
        )

    def start_blocking(self) -> None:
        """Begin; connecting goes on in the background.

        Raises:
            RuntimeError: if the SDK refuses what it is asked for.
        """
        self._start().get()

    def write(self, pcm: bytes) -> None:
        """Give the next samples (s16le, mono, 16 kHz)."""
        self._audio.write(pcm)

    def flush(self) -> None:
        """Ask for a final of what was given so far."""
        self._audio.commit()

    def end(self) -> None:
        """Nothing follows: a ``Stopped`` comes when all is heard."""
        self._audio.close()

    def stop_blocking(self) -> None:
        """End now, if it has not ended; takes up to ten seconds if the service says nothing any more."""
        for signal in (*self._signals, self._recognizer.canceled, self._recognizer.session_stopped):
            signal.disconnect_all()
        self._audio.close()
        if not self._has_ended.is_set():
            self._stop().get()
        del self._signals, self._start, self._stop, self._recognizer  # here, for letting go of them takes 20 ms

    def _told(self, read: Callable[[_Event], Report | None]) -> Callable[[_Event], None]:
        """Return a callback for the SDK's threads, on which an event must be read: it does not outlive the call."""

        def tell(event: _Event) -> None:
            if (report := read(event)) is not None:
                if isinstance(report, Failed | Stopped):
                    self._has_ended.set()
                self._loop.call_soon_threadsafe(self.reports.put_nowait, report)

        return tell


def _config(access: AzureAccess, options: "AzureSpeechOptions", request: TranscriptionRequest) -> sdk.SpeechConfig:
    config = (
        sdk.SpeechConfig(endpoint=access.endpoint, subscription=access.key)
        if access.key
        else sdk.SpeechConfig(endpoint=access.endpoint, token_credential=credential_of(access))
    )
    config.output_format = sdk.OutputFormat.Detailed
    if request.word_times:
        config.request_word_level_timestamps()
    if request.options.dictation:
        config.enable_dictation()
    if (end_silence_ms := request.options.end_silence_ms) is not None:
        config.set_property(sdk.PropertyId.Speech_SegmentationSilenceTimeoutMs, str(end_silence_ms))
    config.set_profanity(_PROFANITY[options.profanity])
    config.set_property_by_name("SPEECH-TelemetryDataEnabled", "false")
    config.set_property_by_name("SPEECH-Error-MaxRetryCount", str(options.retries))
    if options.burst_ms is not None:
        config.set_property_by_name("SPEECH-TransmitLengthBeforeThrottleMs", str(options.burst_ms))
    if (fixed := _fixed(request)) is not None:
        config.speech_recognition_language = fixed
    else:  # without it the SDK chooses at the start, whatever it is asked
        config.set_property(sdk.PropertyId.SpeechServiceConnection_LanguageIdMode, _LID[request.lid])
    return config


def _recognizer(
    config: sdk.SpeechConfig, audio: sdk.audio.PushAudioInputStream, request: TranscriptionRequest
) -> "sdk.SpeechRecognizer | sdk.transcription.ConversationTranscriber":
    audio_config = sdk.audio.AudioConfig(stream=audio)
    kind = sdk.transcription.ConversationTranscriber if request.options.speakers else sdk.SpeechRecognizer
    if _fixed(request) is not None:
        return kind(speech_config=config, audio_config=audio_config)
    among = sdk.languageconfig.AutoDetectSourceLanguageConfig(languages=list(request.candidates))
    return kind(speech_config=config, audio_config=audio_config, auto_detect_source_language_config=among)


def _fixed(request: TranscriptionRequest) -> Locale | None:
    """Return the language if there is nothing to choose: a session that goes on knows what it decided at its start."""
    decided = request.locale if request.lid is LidMode.AT_START else None
    return request.candidates[0] if len(request.candidates) == 1 else decided


def _recognized(result: "sdk.SpeechRecognitionResult", *, is_identified: bool) -> Recognized | None:
    """Return a result; reading a property costs more than all the rest, so only what may be there is read."""
    kind = _KINDS.get(result.reason)
    if kind is None:
        return None
    properties, language, detail = result.properties, "", ""
    if kind is Kind.FINAL:
        detail = properties.get(sdk.PropertyId.SpeechServiceResponse_JsonResult, "")
    if is_identified:
        language = properties.get(sdk.PropertyId.SpeechServiceConnection_AutoDetectSourceLanguageResult, "")
    confidence, words = read_detail(detail, result.offset)
    return Recognized(
        kind=kind,
        text=result.text,
        offset_ticks=result.offset,
        duration_ticks=result.duration,
        language=language,
        speaker=getattr(result, "speaker_id", "") or "",
        confidence=confidence,
        words=words,
    )


def _failed(event: "sdk.SpeechRecognitionCanceledEventArgs") -> Failed | None:
    """Return why a recognition was cancelled; the end of its audio is no failure."""
    details = event.cancellation_details
    return Failed(details.code.name, details.error_details) if details.reason == sdk.CancellationReason.Error else None


_PROFANITY: Final = {
    "masked": sdk.ProfanityOption.Masked,
    "removed": sdk.ProfanityOption.Removed,
    "raw": sdk.ProfanityOption.Raw,
}
_KINDS: Final = {
    sdk.ResultReason.RecognizingSpeech: Kind.PARTIAL,
    sdk.ResultReason.RecognizedSpeech: Kind.FINAL,
    sdk.ResultReason.NoMatch: Kind.NO_MATCH,
}
