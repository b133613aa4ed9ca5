"""The Speech SDK for Python, unmodified, with every setting that the tests need."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import azure.cognitiveservices.speech as sdk

from dragoman.emulator.admission import KEY

_PATIENCE_S: Final = 90


@dataclass
class Events:
    """What a recognizer said, as plain values."""

    shown: list[str] = field(default_factory=list)
    finals: list[Any] = field(default_factory=list)
    cancelled: list[tuple[str, str, str]] = field(default_factory=list)  # reason, code, details
    started: list[int] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        return [result.text for result in self.finals if result.text]

    @property
    def languages(self) -> list[str]:
        return [language_of(result) for result in self.finals if result.text]


def language_of(result: Any) -> str:
    return str(sdk.AutoDetectSourceLanguageResult(result).language)


def config(url: str, kind: Any = sdk.SpeechConfig, language: str | None = None, **options: Any) -> Any:
    """Return a configuration; ``ws://…`` as ``endpoint``, or as ``host`` with ``by_host=True``."""
    place = {"host": url} if options.pop("by_host", False) else {"endpoint": url}
    made = kind(**place, subscription=options.pop("key", KEY))
    if language:
        made.speech_recognition_language = language
    made.set_property_by_name("SPEECH-TelemetryDataEnabled", "false")
    made.set_property_by_name("SPEECH-TransmitLengthBeforeThrottleMs", "-1")  # recordings need not be played
    for name, value in options.items():
        made.set_property(getattr(sdk.PropertyId, name), value)
    return made


def audio(pcm: bytes, rate_hz: int = 16_000, bits: int = 16, channels: int = 1, wave: Any = None) -> Any:
    """Return audio for a recognizer, all of it at hand."""
    stream = sdk.audio.PushAudioInputStream(
        sdk.audio.AudioStreamFormat(rate_hz, bits, channels, wave_stream_format=wave or sdk.AudioStreamWaveFormat.PCM)
    )
    stream.write(pcm)
    stream.close()
    return sdk.audio.AudioConfig(stream=stream)


def run(recognizer: Any, feed: Callable[[], None] = lambda: None) -> Events:
    """Run a continuous recognition to its end; ``feed`` gives it audio, if that is not there yet."""
    events, over = Events(), threading.Event()
    is_conversation = isinstance(recognizer, sdk.transcription.ConversationTranscriber)
    shown, said = ("transcribing", "transcribed") if is_conversation else ("recognizing", "recognized")
    if hasattr(recognizer, shown):
        getattr(recognizer, shown).connect(lambda event: events.shown.append(event.result.text))
    getattr(recognizer, said).connect(lambda event: events.finals.append(event.result))
    recognizer.canceled.connect(lambda event: events.cancelled.append(_reason(event)))
    recognizer.session_stopped.connect(lambda event: over.set())
    if hasattr(recognizer, "speech_start_detected"):
        recognizer.speech_start_detected.connect(lambda event: events.started.append(event.offset))
    start, stop = (
        (recognizer.start_transcribing_async, recognizer.stop_transcribing_async)
        if is_conversation
        else (recognizer.start_continuous_recognition_async, recognizer.stop_continuous_recognition_async)
    )
    start().get()
    feed()
    assert over.wait(_PATIENCE_S), f"the recognition did not end: {events}"
    if all(reason != "Error" for reason, _, _ in events.cancelled):  # it has stopped, and stopping would take 10 s
        stop().get()
    return events


def _reason(event: Any) -> tuple[str, str, str]:
    details = event.cancellation_details
    return details.reason.name, details.code.name, details.error_details
