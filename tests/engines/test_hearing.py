import pytest
from tests.fakes import PatternDetector, silence

from dragoman.audio.segmenter import WINDOW_SAMPLES, EndpointRules
from dragoman.domain.audio import AudioFrame, Span
from dragoman.domain.speech import Silence, SpeechEnded, SpeechStarted
from dragoman.engines.hearing import Beginning, Hearing, Sound, Spoken

RULES = EndpointRules(min_speech_ms=64, min_silence_ms=96, pre_roll_ms=32, post_roll_ms=32, max_segment_ms=6_400)


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
    assert len(sounds) == 3


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
