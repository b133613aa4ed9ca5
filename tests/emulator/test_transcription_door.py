"""Azure's fast transcription SDK against the emulator."""

from typing import Any

import pytest
from azure.ai.transcription import TranscriptionClient
from azure.ai.transcription.models import (
    TranscriptionContent,
    TranscriptionDiarizationOptions,
    TranscriptionOptions,
    TranscriptionResult,
)
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError

from bench.scoring import word_error_rate
from dragoman.emulator.admission import KEY
from tests.calls import call
from tests.emulated import Emulator

pytestmark = pytest.mark.slow


def transcribed(emulator: Emulator, audio: bytes, **options: Any) -> TranscriptionResult:
    with TranscriptionClient(endpoint=emulator.url, credential=AzureKeyCredential(KEY), retry_total=0) as client:
        content = TranscriptionContent(definition=TranscriptionOptions(**options), audio=("call.wav", audio))
        return client.transcribe(content)


def test_a_file_is_transcribed(emulator: Emulator) -> None:
    said = call("de").sentences
    result = transcribed(emulator, call("de").path.read_bytes(), locales=["de-DE"])
    assert abs(result.duration_milliseconds - 51_935) <= 1
    (combined,) = result.combined_phrases
    assert word_error_rate([(" ".join(each.text for each in said), combined.text)]) < 0.1
    assert len(result.phrases) == len(said)
    for phrase, sentence in zip(result.phrases, said, strict=True):
        assert abs(phrase.offset_milliseconds - sentence.start_ms) < 250
        assert phrase.locale == "de-DE"
        assert phrase.words is not None
        assert len(phrase.words) >= len(phrase.text.split()) - 1
    assert emulator.exchanges == ["speech-to-text POST /speechtotext/transcriptions:transcribe 200"]


def test_the_language_is_found_among_several(emulator: Emulator) -> None:
    result = transcribed(emulator, call("mixed").path.read_bytes(), locales=["en-US", "es-ES", "de-DE", "fr-FR"])
    assert [phrase.locale for phrase in result.phrases] == [each.locale for each in call("mixed").sentences]


def test_speakers_that_are_not_told_apart_are_one(emulator: Emulator) -> None:
    audio = call("en").path.read_bytes()
    result = transcribed(
        emulator, audio, locales=["en-US"], diarization_options=TranscriptionDiarizationOptions(max_speakers=3)
    )
    assert {phrase.speaker for phrase in result.phrases} == {0}


@pytest.mark.parametrize(
    ("audio", "options", "status"),
    [
        (b"no audio at all", {"locales": ["en-US"]}, 422),
        (b"", {"locales": ["en-US"]}, 422),
        (b"RIFF", {"locales": ["en"]}, 400),
        (b"RIFF", {"locales": ["ja-JP"]}, 400),
    ],
)
def test_what_cannot_be_transcribed_is_refused(
    emulator: Emulator, audio: bytes, options: dict[str, Any], status: int
) -> None:
    with pytest.raises(HttpResponseError) as caught:
        transcribed(emulator, audio, **options)
    assert caught.value.status_code == status
