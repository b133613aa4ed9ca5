"""The whole engine on the sample calls, with the bundled model."""

import asyncio
import itertools
from collections.abc import Iterable
from contextlib import aclosing
from itertools import groupby
from typing import Protocol

import pytest

from dragoman.audio.segmenter import WINDOW_SAMPLES
from dragoman.domain.audio import AudioFrame, Flush, Span, to_ms
from dragoman.domain.errors import LanguageUnsupportedError
from dragoman.domain.language import LidMode, Locale, parse_candidates, parse_target
from dragoman.domain.speech import (
    AudioInput,
    Heard,
    Hypothesis,
    LanguageDecision,
    Partial,
    Silence,
    SpeechStarted,
    TranscriptionRequest,
)
from dragoman.engines.whisper.beats import Beats
from dragoman.engines.whisper.model import RightSizedWhisper
from dragoman.engines.whisper.scheduler import Scheduler
from dragoman.engines.whisper.transcriber import WhisperTranscriber
from tests.calls import CANDIDATES, call
from tests.fakes import PatternDetector, silence, stream

ALL = parse_candidates(CANDIDATES, LidMode.CONTINUOUS)


class Transcribe(Protocol):
    def __call__(
        self, audio: Iterable[AudioInput], request: TranscriptionRequest, pattern: str | None = None
    ) -> list[Heard]: ...


@pytest.fixture
def transcribe(micro: RightSizedWhisper, scheduler: Scheduler) -> Transcribe:
    def run(audio: Iterable[AudioInput], request: TranscriptionRequest, pattern: str | None = None) -> list[Heard]:
        engine = WhisperTranscriber(micro, scheduler)
        if pattern is not None:
            engine = WhisperTranscriber(micro, scheduler, detector=lambda: PatternDetector(pattern))

        async def collect() -> list[Heard]:
            async with aclosing(engine.transcribe(stream(*audio), request)) as heard:
                return [item async for item in heard]

        return asyncio.run(collect())

    return run


def finals(heard: list[Heard]) -> list[Hypothesis]:
    return [item for item in heard if isinstance(item, Hypothesis)]


def decided(heard: list[Heard]) -> list[str]:
    """Return the languages decided for, each once per run."""
    return [locale for locale, _ in groupby(item.locale for item in heard if isinstance(item, LanguageDecision))]


def assert_settles(heard: list[Heard], samples: int) -> None:
    spans = [
        item.span if isinstance(item, Silence) else item.covers
        for item in heard
        if isinstance(item, Silence | Hypothesis)
    ]
    assert spans[0].start == 0
    assert all(before.end == after.start for before, after in itertools.pairwise(spans))
    assert spans[-1].end == samples


@pytest.mark.slow
@pytest.mark.parametrize("name", ["en", "es", "de", "fr", "mixed"])
@pytest.mark.parametrize("lid", LidMode)
def test_every_sample_of_a_call_is_settled_once(transcribe: Transcribe, name: str, lid: LidMode) -> None:
    frames = list(call(name).frames())
    assert_settles(transcribe(frames, TranscriptionRequest(ALL, lid)), frames[-1].end)


@pytest.mark.parametrize("name", ["en", "es", "de", "fr"])
def test_at_start_decides_right_within_two_seconds_of_speech(transcribe: Transcribe, name: str) -> None:
    heard = transcribe(call(name).frames(), TranscriptionRequest(ALL, LidMode.AT_START))
    began = next(item.at for item in heard if isinstance(item, SpeechStarted))
    decisions = [item for item in heard if isinstance(item, LanguageDecision)]
    assert [decision.locale for decision in decisions] == list(call(name).locales)
    assert to_ms(decisions[0].heard - began) <= 2_000
    assert heard.index(decisions[0]) < heard.index(finals(heard)[0])


@pytest.mark.parametrize("name", ["en", "es", "de", "fr"])
@pytest.mark.parametrize("end_ms", [1_700, 2_400])
def test_two_seconds_of_speech_are_enough(transcribe: Transcribe, name: str, end_ms: int) -> None:
    heard = transcribe(call(name).frames(end_ms), TranscriptionRequest(ALL, LidMode.AT_START))
    assert [final.locale for final in finals(heard)] == list(call(name).locales)


def test_continuous_follows_every_switch_at_the_right_utterance(transcribe: Transcribe) -> None:
    mixed = call("mixed")
    heard = transcribe(mixed.frames(), TranscriptionRequest(ALL))
    assert decided(heard) == list(mixed.locales)
    assert [final.locale for final in finals(heard)] == [sentence.locale for sentence in mixed.sentences]


@pytest.mark.slow
def test_continuous_does_not_switch_within_a_call_of_one_language(transcribe: Transcribe) -> None:
    for name in ("en", "es", "de", "fr"):
        heard = transcribe(call(name).frames(), TranscriptionRequest(ALL))
        assert decided(heard) == list(call(name).locales)


def test_a_single_candidate_is_taken_at_its_word(transcribe: Transcribe) -> None:
    only = parse_candidates(["de-DE"], LidMode.CONTINUOUS)
    heard = transcribe(call("de").frames(6_500), TranscriptionRequest(only))
    assert not [item for item in heard if isinstance(item, LanguageDecision)]
    assert [(final.locale, final.locale_confidence) for final in finals(heard)] == [("de-DE", None)] * 2


def test_english_and_word_times_come_on_demand(transcribe: Transcribe) -> None:
    request = TranscriptionRequest(ALL, targets=(parse_target("en"),), word_times=True)
    for final, sentence in zip(finals(transcribe(call("es").frames(), request)), call("es").sentences, strict=True):
        assert final.translations.keys() == {"en"}
        assert final.speech.start_ms <= final.words[0].start_ms
        assert abs(final.words[0].start_ms - sentence.start_ms) < 250


def test_what_is_english_already_is_not_translated(transcribe: Transcribe) -> None:
    heard = transcribe(call("en").frames(6_500), TranscriptionRequest(ALL, targets=(parse_target("en"),)))
    assert all(not final.translations for final in finals(heard))


def test_audio_of_an_exact_window_count_is_settled_too(transcribe: Transcribe) -> None:
    frames = silence(WINDOW_SAMPLES * 10)
    assert transcribe(frames, TranscriptionRequest(ALL)) == [Silence(Span(0, WINDOW_SAMPLES * 10))]


def test_no_audio_is_no_work(transcribe: Transcribe) -> None:
    assert transcribe([], TranscriptionRequest(ALL, LidMode.AT_START)) == []


def test_a_flush_closes_the_utterance(transcribe: Transcribe) -> None:
    frames: list[AudioInput] = list(call("en").frames(2_200))
    rest = [AudioFrame(frame.start, frame.pcm) for frame in call("en").frames(6_500)][len(frames) :]
    heard = transcribe([*frames, Flush(), *rest], TranscriptionRequest(ALL))
    assert_settles(heard, rest[-1].end)
    assert finals(heard)[0].covers.end == to_samples_of(frames)


def to_samples_of(frames: list[AudioInput]) -> int:
    last = frames[-1]
    assert isinstance(last, AudioFrame)
    return last.end


def test_speech_without_an_end_is_settled_in_bounded_pieces(transcribe: Transcribe) -> None:
    # A detector that never hears a pause: forty seconds come out in pieces the model can hold.
    pcm = call("en").pcm()
    frames = [AudioFrame(start, pcm[2 * start : 2 * start + 3_200]) for start in range(0, 640_000, 1_600)]
    heard = transcribe(frames, TranscriptionRequest(ALL), pattern="s" * 2_000)
    assert_settles(heard, 640_000)
    assert all(final.covers.samples <= 14_000 * 16 for final in finals(heard))


def test_a_language_that_the_model_does_not_know_is_refused(transcribe: Transcribe) -> None:
    with pytest.raises(LanguageUnsupportedError, match="it-IT"):
        transcribe([], TranscriptionRequest(parse_candidates(["it-IT"], LidMode.CONTINUOUS)))


def test_leaving_early_leaves_nothing_running(micro: RightSizedWhisper, scheduler: Scheduler) -> None:
    async def leave() -> set[str]:
        engine = WhisperTranscriber(micro, scheduler)
        async with aclosing(engine.transcribe(stream(*call("de").frames()), TranscriptionRequest(ALL))) as heard:
            async for item in heard:
                if isinstance(item, Hypothesis):
                    break
        return {task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()}

    assert asyncio.run(leave()) == set()


@pytest.mark.slow
def test_sessions_share_one_model(micro: RightSizedWhisper, scheduler: Scheduler) -> None:
    async def texts(name: str) -> list[str]:
        engine = WhisperTranscriber(micro, scheduler)
        request = TranscriptionRequest(ALL)
        async with aclosing(engine.transcribe(stream(*call(name).frames()), request)) as heard:
            return [item.text async for item in heard if isinstance(item, Hypothesis)]

    async def together() -> list[list[str]]:
        return await asyncio.gather(*(texts(name) for name in ("en", "es", "de", "fr")))

    assert asyncio.run(together()) == [asyncio.run(texts(name)) for name in ("en", "es", "de", "fr")]


@pytest.mark.parametrize("lead_ms", [0, 300])
def test_at_start_does_not_keep_short_greetings_waiting(transcribe: Transcribe, lead_ms: int) -> None:
    # Half a second of speech, twice, and then a long silence on a line that stays open.
    sentence = call("en").sentences[13]
    word = call("en").pcm()[32 * (sentence.start_ms + 30) : 32 * (sentence.start_ms + 400)]
    pcm = bytes(32 * lead_ms) + word + bytes(32 * 4_000) + word + bytes(32 * 12_000)
    frames = [AudioFrame(start, pcm[2 * start : 2 * start + 3_200]) for start in range(0, len(pcm) // 2, 1_600)]
    heard = transcribe(frames, TranscriptionRequest(ALL, LidMode.AT_START))
    (decision,) = [item for item in heard if isinstance(item, LanguageDecision)]
    assert to_ms(decision.heard) < 7_000
    assert_settles(heard, frames[-1].end)


@pytest.mark.parametrize("lid", LidMode)
def test_a_live_stream_shows_what_it_hears_before_it_is_final(transcribe: Transcribe, lid: LidMode) -> None:
    frames = list(call("mixed" if lid is LidMode.CONTINUOUS else "de").frames(12_000))
    heard = transcribe(frames, TranscriptionRequest(ALL, lid, live=True, partials=True))
    assert_settles(heard, frames[-1].end)
    shown = [item for item in heard if isinstance(item, Partial)]
    # Nothing is shown before the language is decided, nor of what the end of the audio cuts off.
    assert len(shown) >= len(finals(heard)) - 2 > 0
    for partial in shown:
        at = heard.index(partial)
        assert all(final.covers.end <= partial.speech.start for final in finals(heard[:at]))
        assert any(final.speech.start == partial.speech.start for final in finals(heard[at:]))


@pytest.mark.parametrize("candidates", [ALL, ALL[:1]])
def test_a_partial_that_waits_for_its_beat_holds_no_final_up(
    transcribe: Transcribe, monkeypatch: pytest.MonkeyPatch, candidates: tuple[Locale, ...]
) -> None:
    monkeypatch.setattr(Beats, "sounds", lambda *args, **wishes: [])  # which never comes
    frames = list(call("en").frames(12_000))
    heard = transcribe(frames, TranscriptionRequest(candidates, live=True, partials=True))
    assert_settles(heard, frames[-1].end)


def test_a_live_stream_says_what_the_recording_says(transcribe: Transcribe) -> None:
    frames = list(call("fr").frames(12_000))
    recorded, live = (transcribe(frames, TranscriptionRequest(ALL, partials=live)) for live in (False, True))
    assert [final.covers for final in finals(live)] == [final.covers for final in finals(recorded)]
    same = [one.text == other.text for one, other in zip(finals(live), finals(recorded), strict=True)]
    assert sum(same) >= 0.7 * len(same)  # the early window ends a little sooner


def test_a_session_that_goes_on_keeps_clock_and_language(transcribe: Transcribe) -> None:
    later = [AudioFrame(frame.start + 160_000, frame.pcm) for frame in call("de").frames(6_500)]
    known = ALL[CANDIDATES.index("de-DE")]
    heard = transcribe(later, TranscriptionRequest(ALL, LidMode.AT_START, start=160_000, locale=known))
    assert not decided(heard)
    assert {final.locale for final in finals(heard)} == {known}
    assert finals(heard)[0].covers.start >= 160_000
