"""The Speech SDK for Python against the emulator, in every mode of its protocol."""

import itertools
import json
import threading
import time
from difflib import SequenceMatcher

import azure.cognitiveservices.speech as sdk
import numpy as np
import pytest
import soxr

from bench.scoring import word_error_rate
from dragoman.audio.pcm import from_float, to_float
from dragoman.emulator.faults import Fault
from tests.audio.corpus import mulaw
from tests.calls import CANDIDATES, Sentence, call
from tests.emulated import Emulator
from tests.emulator.native import audio, config, language_of, run

pytestmark = pytest.mark.slow

TICKS_PER_MS = 10_000
END_MS = 9_300


def beginning(name: str, sentences: int) -> tuple[bytes, tuple[Sentence, ...]]:
    """Return the first sentences of a call, and a second of silence."""
    said = call(name).sentences[:sentences]
    pcm = call(name).pcm()[: 32 * (said[-1].end_ms + 100)]
    return pcm + bytes(32_000), said


def recognizer(emulator: Emulator, pcm: bytes, language: str, **options: str) -> sdk.SpeechRecognizer:
    made = config(f"ws://{emulator.address}", language=language, **options)
    return sdk.SpeechRecognizer(speech_config=made, audio_config=audio(pcm))


def assert_says(texts: list[str], said: tuple[Sentence, ...]) -> None:
    assert word_error_rate([(" ".join(each.text for each in said), " ".join(texts))]) < 0.15, texts


@pytest.mark.parametrize("by_host", [False, True])
def test_recognize_once_says_the_first_utterance(emulator: Emulator, by_host: bool) -> None:
    pcm, said = beginning("en", 2)
    made = config(f"ws://{emulator.address}", language="en-US", by_host=by_host)
    result = sdk.SpeechRecognizer(speech_config=made, audio_config=audio(pcm)).recognize_once()
    assert result.reason == sdk.ResultReason.RecognizedSpeech
    assert_says([result.text], said[:1])


@pytest.mark.parametrize(("by_host", "dictates"), [(False, False), (True, False), (False, True), (True, True)])
def test_continuous_says_every_utterance_at_its_place(emulator: Emulator, by_host: bool, dictates: bool) -> None:
    pcm, said = beginning("de", 3)
    made = config(f"ws://{emulator.address}", language="de-DE", by_host=by_host)
    if dictates:
        made.enable_dictation()
    events = run(sdk.SpeechRecognizer(speech_config=made, audio_config=audio(pcm)))
    assert_says(events.texts, said)
    assert events.shown
    assert len(events.started) == 1
    assert events.cancelled == [("EndOfStream", "NoError", "")]
    for result, sentence in zip((each for each in events.finals if each.text), said, strict=True):
        assert abs(result.offset / TICKS_PER_MS - sentence.start_ms) < 250
        assert abs((result.offset + result.duration) / TICKS_PER_MS - sentence.end_ms) < 350


@pytest.mark.parametrize("by_host", [False, True])
def test_detailed_output_has_words_and_confidences(emulator: Emulator, by_host: bool) -> None:
    pcm, said = beginning("es", 1)
    made = config(f"ws://{emulator.address}", language="es-ES", by_host=by_host)
    made.request_word_level_timestamps()
    made.set_property(sdk.PropertyId.SpeechServiceResponse_RequestWordBoundary, "true")
    result = sdk.SpeechRecognizer(speech_config=made, audio_config=audio(pcm)).recognize_once()
    best = json.loads(result.json)["NBest"][0]
    assert best["Display"] == result.text
    assert 0 < best["Confidence"] <= 1
    words = best["Words"]
    assert [word["Word"] for word in words] == best["Lexical"].split()
    assert abs(words[0]["Offset"] / TICKS_PER_MS - said[0].start_ms) < 300
    assert all(one["Offset"] + one["Duration"] <= other["Offset"] + 1 for one, other in itertools.pairwise(words))


@pytest.mark.parametrize("mode", ["AtStart", "Continuous"])
@pytest.mark.parametrize("by_host", [False, True])
def test_languages_are_identified(emulator: Emulator, mode: str, by_host: bool) -> None:
    if mode == "Continuous":
        pcm, said = beginning("mixed", 5)
    else:
        pcm, said = beginning("fr", 2)
    made = config(f"ws://{emulator.address}", by_host=by_host, SpeechServiceConnection_LanguageIdMode=mode)
    among = sdk.languageconfig.AutoDetectSourceLanguageConfig(languages=list(CANDIDATES))
    events = run(
        sdk.SpeechRecognizer(speech_config=made, audio_config=audio(pcm), auto_detect_source_language_config=among)
    )
    assert_says(events.texts, said)
    assert events.languages == [sentence.locale for sentence in said]


def test_only_the_language_is_asked_for(emulator: Emulator) -> None:
    pcm, _said = beginning("es", 2)
    made = config(f"ws://{emulator.address}", SpeechServiceConnection_LanguageIdMode="AtStart")
    among = sdk.languageconfig.AutoDetectSourceLanguageConfig(languages=list(CANDIDATES))
    identifier = sdk.SourceLanguageRecognizer(
        speech_config=made, auto_detect_source_language_config=among, audio_config=audio(pcm)
    )
    assert language_of(identifier.recognize_once()) == "es-ES"


def translator(
    emulator: Emulator, pcm: bytes, language: str | None, *targets: str, **options: str
) -> sdk.translation.TranslationRecognizer:
    made = config(f"ws://{emulator.address}", sdk.translation.SpeechTranslationConfig, language, **options)
    for target in targets:
        made.add_target_language(target)
    if language:
        return sdk.translation.TranslationRecognizer(translation_config=made, audio_config=audio(pcm))
    among = sdk.languageconfig.AutoDetectSourceLanguageConfig(languages=list(CANDIDATES))
    return sdk.translation.TranslationRecognizer(
        translation_config=made, audio_config=audio(pcm), auto_detect_source_language_config=among
    )


def test_speech_is_translated(emulator: Emulator) -> None:
    pcm, said = beginning("es", 2)
    events = run(translator(emulator, pcm, "es-ES", "en", "de"))
    finals = [result for result in events.finals if result.text]
    assert_says([result.text for result in finals], said)
    assert all(set(result.translations) == {"en", "de"} for result in finals)
    english = " ".join(result.translations["en"] for result in finals).lower()
    wanted = " ".join(sentence.english for sentence in said).lower()
    assert SequenceMatcher(None, english, wanted).ratio() > 0.7


def test_targets_may_change_while_somebody_speaks(emulator: Emulator) -> None:
    pcm, said = beginning("es", 3)
    stream = sdk.audio.PushAudioInputStream()
    made = config(f"ws://{emulator.address}", sdk.translation.SpeechTranslationConfig, "es-ES")
    made.add_target_language("en")
    changing = sdk.translation.TranslationRecognizer(
        translation_config=made, audio_config=sdk.audio.AudioConfig(stream=stream)
    )
    heard = threading.Event()
    changing.recognized.connect(lambda event: heard.set())

    def feed() -> None:
        between = 32 * (said[0].end_ms + said[1].start_ms) // 2 // 2 * 2
        stream.write(pcm[:between])
        assert heard.wait(30)
        changing.add_target_language("de")
        changing.remove_target_language("en")
        time.sleep(0.5)
        stream.write(pcm[between:])
        stream.close()

    finals = [result for result in run(changing, feed).finals if result.text]
    assert set(finals[0].translations) == {"en"}
    assert all(set(result.translations) == {"de"} for result in finals[1:])
    assert len(finals) == 3


def test_an_utterance_ends_after_the_silence_that_is_asked_for(emulator: Emulator) -> None:
    pcm, said = beginning("en", 3)
    patient = recognizer(emulator, pcm, "en-US", Speech_SegmentationSilenceTimeoutMs="1500")
    events = run(patient)
    assert_says(events.texts, said)
    assert len(events.texts) < len(said)


def test_translation_follows_the_language(emulator: Emulator) -> None:
    pcm, said = beginning("mixed", 5)
    events = run(translator(emulator, pcm, None, "en", SpeechServiceConnection_LanguageIdMode="Continuous"))
    finals = [result for result in events.finals if result.text]
    assert [language_of(result) for result in finals] == [sentence.locale for sentence in said]
    assert finals[0].translations["en"] == finals[0].text  # which is English already


def test_a_conversation_is_transcribed(emulator: Emulator) -> None:
    pcm, said = beginning("en", 2)
    made = config(f"ws://{emulator.address}", language="en-US")
    events = run(sdk.transcription.ConversationTranscriber(speech_config=made, audio_config=audio(pcm)))
    assert_says(events.texts, said)
    assert {result.speaker_id for result in events.finals if result.text} == {"Unknown"}


def formats() -> list[tuple[str, bytes, int, int, int, sdk.AudioStreamWaveFormat]]:
    pcm, _ = beginning("en", 1)
    samples = to_float(pcm)
    narrow, wide = soxr.resample(samples, 16_000, 8_000), soxr.resample(samples, 16_000, 48_000)
    stereo = np.repeat(np.frombuffer(from_float(wide), "<i2"), 2).tobytes()
    packed = (np.frombuffer(pcm, "<i2").astype("<i4") << 8).astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    kinds = sdk.AudioStreamWaveFormat
    return [
        ("8 kHz", from_float(narrow), 8_000, 16, 1, kinds.PCM),
        ("48 kHz, stereo", stereo, 48_000, 16, 2, kinds.PCM),
        ("24 bits", packed, 16_000, 24, 1, kinds.PCM),
        ("32 bits", (np.frombuffer(pcm, "<i2").astype("<i4") << 16).tobytes(), 16_000, 32, 1, kinds.PCM),
        ("µ-law", mulaw(samples[:, None]), 16_000, 8, 1, kinds.MULAW),
    ]


@pytest.mark.parametrize("number", range(5))
def test_audio_of_any_format_is_understood(emulator: Emulator, number: int) -> None:
    _, pcm, rate_hz, bits, channels, kind = formats()[number]
    made = config(f"ws://{emulator.address}", language="en-US")
    given = audio(pcm, rate_hz, bits, channels, kind)
    result = sdk.SpeechRecognizer(speech_config=made, audio_config=given).recognize_once()
    assert_says([result.text], call("en").sentences[:1])


def test_several_turns_share_a_connection(emulator: Emulator) -> None:
    pcm, said = beginning("en", 2)
    both = recognizer(emulator, pcm, "en-US")
    first, second = both.recognize_once(), both.recognize_once()
    assert_says([first.text, second.text], said)
    assert second.offset > first.offset
    assert emulator.faults.knocks["speech"] == 1


def test_what_is_committed_is_answered(emulator: Emulator) -> None:
    pcm, _ = beginning("en", 2)
    stream = sdk.audio.PushAudioInputStream()
    made = config(f"ws://{emulator.address}", language="en-US")
    committing = sdk.SpeechRecognizer(speech_config=made, audio_config=sdk.audio.AudioConfig(stream=stream))
    tokens = []

    def feed() -> None:
        stream.write(pcm[: 32 * 2_000])  # in the middle of the first sentence
        time.sleep(0.3)
        tokens.append(stream.commit())
        time.sleep(0.3)  # the SDK forgets a commit that other audio follows at once
        stream.write(pcm[32 * 2_000 :])
        stream.close()

    events = run(committing, feed)
    assert tokens[0] in {result.commit_token for result in events.finals}
    assert events.finals[0].offset + events.finals[0].duration <= 2_050 * TICKS_PER_MS


def test_a_long_silence_is_acknowledged(emulator: Emulator) -> None:
    pcm, said = beginning("en", 1)
    made = config(f"ws://{emulator.address}", language="en-US")
    made.set_property_by_name("SPEECH-TransmitLengthBeforeThrottleMs", "5000")
    made.set_property_by_name("SPEECH-AudioThrottleAsPercentageOfRealTime", "1000")
    silent = audio(bytes(32 * 80_000) + pcm)  # more than the SDK keeps
    events = run(sdk.SpeechRecognizer(speech_config=made, audio_config=silent))
    assert_says(events.texts, said)
    assert events.cancelled == [("EndOfStream", "NoError", "")]


def test_a_recognition_without_audio_ends(emulator: Emulator) -> None:
    events = run(recognizer(emulator, b"", "en-US"))
    assert events.texts == []


@pytest.mark.parametrize(
    ("fault", "code", "knocks"),
    [
        (Fault(door="speech", status=401), "AuthenticationFailure", 1),
        (Fault(door="speech", status=403), "AuthenticationFailure", 1),
        (Fault(door="speech", status=429, retry_after_s=1, times=0), "TooManyRequests", 5),
        (Fault(door="speech", status=500, times=0), "ServiceError", 5),
        (Fault(door="speech", close_code=4429), "TooManyRequests", 1),
        (Fault(door="speech", close_code=1007), "BadRequest", 1),
    ],
)
def test_refusals_reach_the_application(emulator: Emulator, fault: Fault, code: str, knocks: int) -> None:
    emulator.faults.add(fault)
    pcm, _ = beginning("en", 1)
    events = run(recognizer(emulator, pcm, "en-US"))
    assert ("Error", code) in {(reason, found) for reason, found, _ in events.cancelled}
    assert emulator.faults.knocks["speech"] == knocks


def test_a_wrong_key_is_refused(emulator: Emulator) -> None:
    made = config(f"ws://{emulator.address}", language="en-US", key="another")
    events = run(sdk.SpeechRecognizer(speech_config=made, audio_config=audio(beginning("en", 1)[0])))
    assert events.cancelled[0][:2] == ("Error", "AuthenticationFailure")


@pytest.mark.parametrize(
    "fault", [Fault(door="speech", drop=True, after_ms=4_500), Fault(door="speech", close_code=1011, after_ms=4_500)]
)
def test_a_broken_connection_is_mended_without_a_loss(emulator: Emulator, fault: Fault) -> None:
    emulator.faults.add(fault)
    pcm, said = beginning("en", 3)
    events = run(recognizer(emulator, pcm, "en-US"))
    assert_says(events.texts, said)
    assert emulator.faults.knocks["speech"] == 2
    for result, sentence in zip((each for each in events.finals if each.text), said, strict=True):
        assert abs(result.offset / TICKS_PER_MS - sentence.start_ms) < 300


@pytest.mark.parametrize(
    ("mode", "languages", "says"),
    [
        ("AtStart", ["en-US", "es-ES", "de-DE", "fr-FR", "it-IT"], "too many"),
        ("Continuous", ["en-US", "en-GB"], "base language"),
        ("Continuous", ["en", "de-DE"], "region"),
        ("Continuous", ["en-US", "it-IT"], "it-IT"),
    ],
)
def test_limits_are_those_of_the_service(emulator: Emulator, mode: str, languages: list[str], says: str) -> None:
    made = config(f"ws://{emulator.address}", SpeechServiceConnection_LanguageIdMode=mode)
    among = sdk.languageconfig.AutoDetectSourceLanguageConfig(languages=languages)
    events = run(
        sdk.SpeechRecognizer(
            speech_config=made, audio_config=audio(beginning("en", 1)[0]), auto_detect_source_language_config=among
        )
    )
    ((reason, code, details),) = [each for each in events.cancelled if each[0] == "Error"]
    assert (reason, code) == ("Error", "BadRequest")
    assert says in details


def test_speech_is_not_synthesised(emulator: Emulator) -> None:
    made = config(f"ws://{emulator.address}", sdk.translation.SpeechTranslationConfig, "es-ES")
    made.add_target_language("de")
    made.voice_name = "de-DE-KatjaNeural"
    events = run(
        sdk.translation.TranslationRecognizer(translation_config=made, audio_config=audio(beginning("es", 1)[0]))
    )
    assert any("synthesis" in details for _, _, details in events.cancelled)
