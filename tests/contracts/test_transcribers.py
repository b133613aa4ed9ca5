"""What every engine that hears must do, on the sample calls: ours, and Azure's SDK through the emulator."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import aclosing
from dataclasses import replace

import pytest

from bench.scoring import word_error_rate
from dragoman.domain.audio import AudioFrame, Flush, to_samples
from dragoman.domain.language import LidMode, Locale, parse_candidates
from dragoman.domain.recognition import RecognitionOptions
from dragoman.domain.speech import (
    AudioInput,
    Heard,
    Hypothesis,
    LanguageDecision,
    Notice,
    Partial,
    Silence,
    SpeechEnded,
    SpeechStarted,
    TranscriptionRequest,
)
from dragoman.emulator.admission import KEY
from dragoman.engines.azure.access import AzureAccess
from dragoman.engines.azure.files import AzureFileTranscriber
from dragoman.engines.azure.speech import AzureSpeechOptions, AzureTranscriber
from dragoman.engines.failover import FailoverTranscriber
from dragoman.engines.ports import Transcriber
from dragoman.engines.whisper.detector import SileroDetector
from dragoman.engines.whisper.folder import WhisperOptions
from dragoman.engines.whisper.model import RightSizedWhisper
from dragoman.engines.whisper.scheduler import Scheduler
from dragoman.engines.whisper.transcriber import WhisperTranscriber
from dragoman.resources import resolve_model
from tests.calls import CANDIDATES, call
from tests.emulated import Emulator
from tests.fakes import stream

pytestmark = pytest.mark.slow

ALL = parse_candidates(CANDIDATES, LidMode.CONTINUOUS)
LIVE = TranscriptionRequest(ALL, live=True, partials=True, word_times=True)
SENTENCES = 4


@pytest.fixture(scope="module")
def whisper() -> Iterator[Transcriber]:
    model = RightSizedWhisper(WhisperOptions(resolve_model("micro"), threads=1))
    scheduler = Scheduler(model, 8)
    yield WhisperTranscriber(model, scheduler)
    scheduler.close()


def azure(emulator: Emulator) -> Transcriber:
    return AzureTranscriber(AzureAccess(f"ws://{emulator.address}", KEY), AzureSpeechOptions(burst_ms=600_000))


@pytest.fixture(params=["whisper", "azure", "azure with failover", "azure, whole files"])
def engine(request: pytest.FixtureRequest, whisper: Transcriber) -> Transcriber:
    if request.param == "whisper":
        return whisper
    emulator: Emulator = request.getfixturevalue("emulator")
    if request.param == "azure, whole files":
        return AzureFileTranscriber(AzureAccess(emulator.url, KEY))
    cloud = azure(emulator)
    return cloud if request.param == "azure" else FailoverTranscriber([cloud, whisper], SileroDetector)


def transcribe(engine: Transcriber, audio: Iterable[AudioInput], request: TranscriptionRequest = LIVE) -> list[Heard]:
    async def collect() -> list[Heard]:
        async with aclosing(engine.transcribe(stream(*audio), request)) as heard:
            return [item async for item in heard]

    return asyncio.run(collect())


def beginning(name: str) -> list[AudioFrame]:
    """Return the first sentences of a call, and half a second more."""
    end_ms = call(name).sentences[SENTENCES - 1].end_ms
    return list(call(name).frames(end_ms + 500))


def finals(heard: list[Heard]) -> list[Hypothesis]:
    return [item for item in heard if isinstance(item, Hypothesis) and item.text]


def assert_settles(heard: list[Heard], start: int, end: int) -> None:
    spans = [
        item.span if isinstance(item, Silence) else item.covers
        for item in heard
        if isinstance(item, Silence | Hypothesis)
    ]
    assert spans[0].start == start
    assert all(one.end == other.start for one, other in itertools.pairwise(spans))
    assert spans[-1].end == end


def assert_says(heard: list[Heard], name: str, sentences: int = SENTENCES) -> None:
    truth = " ".join(sentence.text for sentence in call(name).sentences[:sentences])
    assert word_error_rate([(truth, " ".join(final.text for final in finals(heard)))]) < 0.15


@pytest.mark.parametrize("name", ["en", "es", "de", "fr"])
@pytest.mark.parametrize("lid", [None, *LidMode])
def test_a_call_is_understood_and_every_sample_settled(engine: Transcriber, name: str, lid: LidMode | None) -> None:
    locale = Locale(call(name).sentences[0].locale)
    request = replace(LIVE, candidates=(locale,) if lid is None else ALL, lid=lid or LidMode.CONTINUOUS)
    frames = beginning(name)
    heard = transcribe(engine, frames, request)
    assert_settles(heard, 0, frames[-1].end)
    assert_says(heard, name)
    assert {final.locale for final in finals(heard)} == {locale}


def test_a_call_in_several_languages_is_followed(engine: Transcriber) -> None:
    end_ms = call("mixed").sentences[7].end_ms + 500
    heard = transcribe(engine, call("mixed").frames(end_ms))
    assert [final.locale for final in finals(heard)] == [each.locale for each in call("mixed").sentences[:8]]
    assert_says(heard, "mixed", 8)


def test_finals_stand_where_they_were_spoken(engine: Transcriber) -> None:
    heard = transcribe(engine, beginning("de"))
    for final, sentence in zip(finals(heard), call("de").sentences, strict=False):
        assert abs(final.speech.start_ms - sentence.start_ms) < 250
        assert abs(final.speech.end_ms - sentence.end_ms) < 350
        assert final.confidence is not None
        assert 0 < final.confidence <= 1
        assert final.words
        for word in final.words:
            assert final.speech.start_ms - 1 <= word.start_ms <= word.end_ms <= final.speech.end_ms + 1


def test_speech_begins_and_ends_in_turn(engine: Transcriber) -> None:
    heard = transcribe(engine, beginning("fr"))
    marks = [item for item in heard if isinstance(item, SpeechStarted | SpeechEnded)]
    assert marks
    for one, other in itertools.pairwise(marks):
        assert isinstance(one, SpeechStarted) != isinstance(other, SpeechStarted)
        assert one.at <= other.at
    assert isinstance(marks[-1], SpeechEnded)


def test_partials_come_before_their_final_and_behind_the_last(engine: Transcriber) -> None:
    async def paced() -> AsyncIterator[AudioInput]:
        for frame in beginning("en"):
            yield frame
            await asyncio.sleep(0.02)

    async def collect() -> list[Heard]:
        async with aclosing(engine.transcribe(paced(), LIVE)) as heard:
            return [item async for item in heard]

    heard = asyncio.run(collect())
    partials = [item for item in heard if isinstance(item, Partial)]
    if engine.name != "azure-fast":
        assert partials
    for partial in partials:
        settled = [final.covers.end for final in finals(heard[: heard.index(partial)])]
        assert partial.speech.start >= max(settled, default=0)


def test_nothing_is_shown_to_who_did_not_ask(engine: Transcriber) -> None:
    heard = transcribe(engine, beginning("en"), TranscriptionRequest(ALL))
    assert not [item for item in heard if isinstance(item, Partial)]


def test_a_flush_closes_the_utterance(engine: Transcriber) -> None:
    if engine.name == "azure-fast":
        pytest.skip("a file is transcribed as a whole")
    frames = beginning("en")
    at = next(number for number, frame in enumerate(frames) if frame.end >= to_samples(2_000))

    async def paced() -> AsyncIterator[AudioInput]:
        for number, frame in enumerate(frames):
            if number == at:
                yield Flush()
                await asyncio.sleep(0.3)
            yield frame
            await asyncio.sleep(0.01)

    async def collect() -> list[Heard]:
        async with aclosing(engine.transcribe(paced(), LIVE)) as told:
            return [item async for item in told]

    heard = asyncio.run(collect())
    assert_settles(heard, 0, frames[-1].end)
    assert abs(finals(heard)[0].covers.end - frames[at].start) <= to_samples(150)


def test_an_utterance_ends_after_the_silence_that_is_asked_for(engine: Transcriber) -> None:
    if engine.name == "azure-fast":
        pytest.skip("a file is cut by the service")
    frames = beginning("en")
    patient = replace(LIVE, options=RecognitionOptions(end_silence_ms=1_500))
    assert len(finals(transcribe(engine, frames, patient))) < len(finals(transcribe(engine, frames)))


def test_what_an_engine_cannot_do_it_says_and_does_without(engine: Transcriber) -> None:
    options = RecognitionOptions(phrases=("Contoso",), speakers=True, dictation=True, end_silence_ms=500)
    heard = transcribe(engine, beginning("en"), replace(LIVE, options=options))
    assert_says(heard, "en")
    notices = [item.message for item in heard if isinstance(item, Notice) and item.code == "option_unserved"]
    unserved = {"whisper": ": dictation, phrases, speakers.", "azure-fast": ": dictation, end_silence_ms."}
    assert [message.partition(" without")[2] for message in notices] == [
        said for name, said in unserved.items() if name == engine.name
    ]


def test_silence_is_settled_as_silence(engine: Transcriber) -> None:
    frames = [AudioFrame(at, bytes(3_200)) for at in range(0, 16_000 * 40, 1_600)]
    heard = transcribe(engine, frames)
    assert_settles(heard, 0, frames[-1].end)
    assert all(isinstance(item, Silence) for item in heard)


def test_no_audio_is_no_work(engine: Transcriber) -> None:
    assert transcribe(engine, []) == []


def test_a_session_that_goes_on_keeps_clock_and_language(engine: Transcriber) -> None:
    later = [AudioFrame(frame.start + 160_000, frame.pcm) for frame in beginning("de")]
    request = replace(LIVE, lid=LidMode.AT_START, start=160_000, locale=Locale("de-DE"))
    heard = transcribe(engine, later, request)
    assert not [item for item in heard if isinstance(item, LanguageDecision)]
    assert_settles(heard, 160_000, later[-1].end)
    assert_says(heard, "de")


def test_leaving_early_leaves_nothing_behind(engine: Transcriber) -> None:
    async def leave() -> set[str]:
        async with aclosing(engine.transcribe(stream(*beginning("de")), LIVE)) as heard:
            async for item in heard:
                if isinstance(item, Hypothesis):
                    break
        for _ in range(200):  # the SDK is stopped on a thread of its own
            left = {task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()}
            if not left:
                break
            await asyncio.sleep(0.05)
        return left

    assert asyncio.run(leave()) == set()


def test_sessions_go_on_side_by_side(engine: Transcriber) -> None:
    async def one(name: str) -> list[Heard]:
        async with aclosing(engine.transcribe(stream(*beginning(name)), LIVE)) as heard:
            return [item async for item in heard]

    async def together() -> list[list[Heard]]:
        return await asyncio.gather(*(one(name) for name in ("en", "es", "de", "fr")))

    for name, heard in zip(("en", "es", "de", "fr"), asyncio.run(together()), strict=True):
        assert_says(heard, name)
