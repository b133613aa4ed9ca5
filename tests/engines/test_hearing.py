from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.audio.segmenter import WINDOW_SAMPLES, EndpointRules
from dragoman.domain.audio import AudioFrame, Span
from dragoman.domain.speech import Silence, SpeechEnded, SpeechStarted
from dragoman.engines.hearing import Beginning, Closing, Growing, Hearing, Sound, Spoken
from tests.fakes import PatternDetector, silence

RULES = EndpointRules(min_speech_ms=64, min_silence_ms=96, pre_roll_ms=32, post_roll_ms=32, max_segment_ms=6_400)


LIVE = replace(RULES, min_silence_ms=192, pause_ms=96)


def hear(pattern: str, *, frame: int = 1_600, extra: int = 0, beginnings_ms: tuple[int, ...] = ()) -> list[Sound]:
    hearing = Hearing(PatternDetector(pattern), RULES, beginnings_ms)
    sounds = [sound for each in silence(len(pattern) * WINDOW_SAMPLES + extra, frame) for sound in hearing.frame(each)]
    return sounds + hearing.end()


def covered(sounds: list[Sound]) -> list[Span]:
    return [
        sound.span if isinstance(sound, Silence) else sound.segment.covers
        for sound in sounds
        if isinstance(sound, Silence | Spoken)
    ]


@pytest.mark.parametrize("pattern", ["", "....", "ssss", "..ss....ssss..", "s.s.s.s", "ss......" * 20])
@pytest.mark.parametrize("frame", [100, 512, 1_600, 40_000])
@pytest.mark.parametrize("extra", [0, 1, 511])
def test_silences_and_segments_partition_the_stream(pattern: str, frame: int, extra: int) -> None:
    spans = covered(hear(pattern, frame=frame, extra=extra))
    assert [span.start for span in spans] == [0, *(span.end for span in spans[:-1])][: len(spans)]
    assert (spans[-1].end if spans else 0) == len(pattern) * WINDOW_SAMPLES + extra


def test_sounds_come_in_the_order_of_speaking() -> None:
    kinds = [type(sound) for sound in hear("..ssss....")]
    assert kinds == [SpeechStarted, Silence, SpeechEnded, Spoken, Silence]


def test_a_segment_brings_exactly_its_samples() -> None:
    spoken = next(sound for sound in hear("..ssss....") if isinstance(sound, Spoken))
    assert spoken.samples.size == spoken.segment.covers.samples == 6 * WINDOW_SAMPLES


def test_a_long_silence_is_reported_while_it_lasts() -> None:
    hearing = Hearing(PatternDetector(""), RULES)
    sounds = [sound for frame in silence(16_000 * 31) for sound in hearing.frame(frame)]
    assert 25 <= len(sounds) <= 31


def test_a_beginning_comes_once_per_length_asked_for_and_only_while_speech_goes_on() -> None:
    sounds = hear("ssss...." + "s" * 60 + "....", frame=512, beginnings_ms=(640, 1_280))
    found = [sound for sound in sounds if isinstance(sound, Beginning)]
    # 128 ms of the first utterance count: 640 ms of speech are reached after 512 ms of the second.
    assert [beginning.speech.samples // 16 for beginning in found] == [512, 1_152]


def test_a_flush_splits_speech_without_losing_a_sample() -> None:
    hearing = Hearing(PatternDetector("s" * 40), RULES)
    sounds = hearing.frame(AudioFrame(0, bytes(2 * 5_000)))
    sounds += hearing.flush()
    sounds += hearing.frame(AudioFrame(5_000, bytes(2 * 5_000)))
    sounds += hearing.end()
    assert covered(sounds) == [Span(0, 5_000), Span(5_000, 10_000)]


def test_the_detector_starts_anew_after_each_utterance() -> None:
    detector = PatternDetector("..ssss....ssss....ssss")
    hearing = Hearing(detector, RULES)
    for frame in silence(22 * WINDOW_SAMPLES, 40_000):
        hearing.frame(frame)
    hearing.end()
    assert detector.resets == 2


@given(
    st.text(alphabet="s.", max_size=80),
    st.lists(st.integers(1, 3_000), max_size=60),
    st.integers(0, 511),
    st.sets(st.integers(0, 59)),
)
def test_no_stream_makes_a_segment_reach_beyond_its_audio(
    pattern: str, frames: list[int], extra: int, flushes: set[int]
) -> None:
    hearing = Hearing(PatternDetector(pattern), replace(RULES, max_segment_ms=640))
    at, sounds = 0, list[Sound]()
    for number, samples in enumerate([*frames, extra]):
        sounds += hearing.frame(AudioFrame(at, bytes(2 * samples)))
        at += samples
        if number in flushes:
            sounds += hearing.flush()
        spans = covered(sounds)
        assert not spans or spans[-1].end <= at
    spans = covered(sounds + hearing.end())
    assert all(before.end == after.start for before, after in pairwise(spans))
    assert (spans[0].start, spans[-1].end) == (0, at) if at else not spans


def hear_live(pattern: str, frame: int = WINDOW_SAMPLES) -> list[Sound]:
    hearing = Hearing(PatternDetector(pattern), LIVE, live=True)
    return [sound for each in silence(len(pattern) * WINDOW_SAMPLES, frame) for sound in hearing.frame(each)]


def test_live_speech_is_shown_as_it_grows() -> None:
    grown = [sound.speech.samples // 16 for sound in hear_live("s" * 100) if isinstance(sound, Growing)]
    assert grown[:3] == [480, 960, 1_440]
    assert all(later - earlier >= 0.13 * later for earlier, later in pairwise(grown))


@pytest.mark.parametrize(
    ("pattern", "kinds"),
    [
        ("ssss......", [Closing, Spoken]),
        ("ssss..ssss......", [Closing, Spoken]),  # two windows are no pause yet
        ("ssss...ssss......", [Closing, Closing, Spoken]),  # spoken on: the first was none
        ("ssss....", [Closing]),
    ],
)
def test_what_may_have_ended_is_reported_before_it_has(pattern: str, kinds: list[type[Sound]]) -> None:
    found = [sound for sound in hear_live(pattern) if isinstance(sound, Closing | Spoken)]
    assert [type(sound) for sound in found] == kinds
    if isinstance(found[-1], Spoken):
        assert found[-1].speech == found[-2].speech


@given(st.text("s.", max_size=80))
def test_looking_changes_nothing_of_what_is_heard(pattern: str) -> None:
    frames = silence(len(pattern) * WINDOW_SAMPLES, WINDOW_SAMPLES)
    plain, live = Hearing(PatternDetector(pattern), LIVE), Hearing(PatternDetector(pattern), LIVE, live=True)
    spoken = [sound for frame in frames for sound in live.frame(frame) if not isinstance(sound, Growing | Closing)]
    assert [_bare(sound) for sound in spoken] == [_bare(sound) for frame in frames for sound in plain.frame(frame)]


def test_a_stream_that_goes_on_keeps_its_clock() -> None:
    start, pattern = 12_345, "..ssss......."
    hearing = Hearing(PatternDetector(pattern), RULES, start=start)
    frames = [AudioFrame(start + frame.start, frame.pcm) for frame in silence(len(pattern) * WINDOW_SAMPLES)]
    later = [sound for frame in frames for sound in hearing.frame(frame)] + hearing.end()
    assert [Span(span.start - start, span.end - start) for span in covered(later)] == covered(hear(pattern))


def _bare(sound: Sound) -> object:
    return sound.segment if isinstance(sound, Spoken) else sound
