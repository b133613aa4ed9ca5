import json
from typing import Any

import pytest

from dragoman.domain.errors import DragomanError
from dragoman.domain.language import LidMode
from dragoman.domain.recognition import RecognitionOptions
from dragoman.emulator.operation import Mode, Operation, read_operation, read_targets

UNIVERSAL = "/stt/speech/universal/v2"
SHORT = {"segmentation": {"mode": "Custom", "segmentationSilenceTimeoutMs": 50}}


def asked(context: dict[str, Any], path: str = UNIVERSAL, **query: str) -> Operation:
    return read_operation(path, query, json.dumps(context))


def identifying(how: str, *languages: str, **detection: Any) -> dict[str, Any]:
    return {
        "languageId": {"languages": languages, "mode": how, "Priority": "PrioritizeLatency"},
        "phraseDetection": detection,
    }


def test_a_fixed_language() -> None:
    operation = asked({"phraseDetection": {"mode": "DICTATION", "language": "de-DE"}})
    assert (operation.mode, operation.candidates, operation.lid) == (Mode.DICTATION, ("de-DE",), None)
    assert operation.recognition.dictation


@pytest.mark.parametrize("mode", list(Mode))
def test_the_first_version_says_its_mode_in_the_path(mode: Mode) -> None:
    operation = asked({}, f"/speech/recognition/{mode}/cognitiveservices/v1", language="fr-FR", format="detailed")
    assert (operation.mode, operation.candidates, operation.detailed) == (mode, ("fr-FR",), True)


@pytest.mark.parametrize(
    ("text", "lid"), [("DetectAtAudioStart", LidMode.AT_START), ("detectcontinuous", LidMode.CONTINUOUS)]
)
def test_identification(text: str, lid: LidMode) -> None:
    operation = asked(identifying(text, "en-US", "es-ES"))
    assert (operation.lid, operation.candidates) == (lid, ("en-US", "es-ES"))
    assert not operation.only_language
    assert asked(identifying(text, "en-US", "es-ES", mode="None")).only_language


@pytest.mark.parametrize(
    ("context", "says"),
    [
        (identifying("DetectAtAudioStart", "en-US", "es-ES", "de-DE", "fr-FR", "it-IT"), "too many"),
        (identifying("DetectContinuous", "en-US", "en-GB"), "base language"),
        (identifying("DetectContinuous", "en-US", "en-US"), "twice"),
        (identifying("DetectContinuous", "en"), "region"),
        (identifying("DetectSometimes", "en-US"), "no mode"),
        (identifying("DetectContinuous", "UND"), "candidates"),
        (identifying("DetectContinuous", "en-US", "de-DE", mode="INTERACTIVE"), "continuous recognition"),
        ({"phraseDetection": {"mode": "CONVERSATION", "CONVERSATION": SHORT}}, "end_silence_ms"),
        ({"synthesis": {"defaultVoices": {"de": "x"}}}, "synthesis"),
        ({"translation": {"targetLanguages": ["no language"]}}, "not a"),
    ],
)
def test_what_the_service_does_not_do_is_refused(context: dict[str, Any], says: str) -> None:
    with pytest.raises(DragomanError, match=says):
        asked(context)


@pytest.mark.parametrize("body", ["{", "[]", "1", "null"])
def test_a_context_is_an_object(body: str) -> None:
    with pytest.raises(DragomanError, match="JSON"):
        read_operation(UNIVERSAL, {}, body)


def test_all_that_may_be_asked_for() -> None:
    operation = asked(
        {
            "phraseDetection": {
                "mode": "Conversation",
                "language": "en-US",
                "speakerDiarization": {"mode": "Anonymous"},
                "initialSilenceTimeout": 4000,
                "CONVERSATION": {"segmentation": {"mode": "Custom", "segmentationSilenceTimeoutMs": 700}},
            },
            "phraseOutput": {"format": "Detailed", "detailed": {"options": ["WordTimings", "WordConfidence"]}},
            "translation": {"targetLanguages": ["fr", "de", "fr"]},
            "dgi": {"Groups": [{"Type": "Generic", "Items": [{"Text": "Contoso"}]}], "bias": 1.0},
            "continuation": {"audio": {"streams": {"1": {"offset": "49000000"}}}},
        }
    )
    assert operation == Operation(
        mode=Mode.CONVERSATION,
        candidates=operation.candidates,
        targets=operation.targets,
        detailed=True,
        word_times=True,
        word_confidences=True,
        recognition=RecognitionOptions(phrases=("Contoso",), speakers=True, end_silence_ms=700),
        initial_silence_ms=4_000,
    )
    assert (operation.candidates, operation.targets) == (("en-US",), ("fr", "de"))


def test_targets_change_by_an_event() -> None:
    assert read_targets('{"id":"translation","name":"updateLanguage","to":["de","fr"]}') == ("de", "fr")
    assert read_targets('{"id":"other","name":"another"}') is None
