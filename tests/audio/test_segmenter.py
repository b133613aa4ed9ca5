"""Patterns: one mark per 32 ms window; ``s`` speech, ``-`` between the thresholds, ``.`` silence."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.audio.segmenter import WINDOW_SAMPLES, EndpointRules, Onset, Segment, Segmenter
from dragoman.domain.audio import Span

# Two windows of speech to begin, three of silence to end, one of roll on each side, at most twelve windows.
RULES = EndpointRules(
    0.5, 0.35, min_speech_ms=64, min_silence_ms=96, pre_roll_ms=32, post_roll_ms=32, max_segment_ms=12 * 32
)
PROBABILITY = {"s": 0.9, "-": 0.4, ".": 0.1}


def segments(pattern: str) -> list[Segment]:
    """Return the segments of a whole recording."""
    segmenter = Segmenter(RULES)
    found = [item for mark in pattern for item in segmenter.push(PROBABILITY[mark])]
    found += segmenter.close(len(pattern) * WINDOW_SAMPLES, "end")
    return [item for item in found if isinstance(item, Segment)]


def spans(pattern: str) -> list[tuple[int, int]]:
    """Return the windows that each segment covers."""
    found = segments(pattern)
    return [(segment.covers.start // WINDOW_SAMPLES, segment.covers.end // WINDOW_SAMPLES) for segment in found]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("", []),
        ("......", []),
        ("..s....", []),  # too short to be speech
        ("..ss....", [(1, 5)]),  # both rolls are kept
        ("ss....", [(0, 3)]),  # there is nothing before the start
        ("..ss..ss....", [(1, 9)]),  # a short pause does not cut
        ("..ss...ss....", [(1, 5), (6, 10)]),  # a long one does, and the rolls share it
        ("..ss--....", [(1, 7)]),  # speech goes on between the thresholds
        ("..--ss....", [(3, 7)]),  # but does not begin there
        ("..ss", [(1, 4)]),  # the end closes what is open
        ("..s.s....", [(1, 6)]),  # speech need not be in one piece to begin
    ],
)
def test_endpointing(pattern: str, expected: list[tuple[int, int]]) -> None:
    assert spans(pattern) == expected


def test_overlong_speech_is_cut_where_it_is_weakest() -> None:
    assert spans("." + "s" * 7 + "-" + "s" * 6 + "....") == [(0, 9), (9, 16)]


def test_endless_speech_never_exceeds_the_limit() -> None:
    found = spans("s" * 100)
    assert all(end - start <= 12 for start, end in found)
    assert found[0][0] == 0
    assert all(before[1] == after[0] for before, after in itertools.pairwise(found))


def test_an_onset_is_reported_once_and_where_speech_began() -> None:
    segmenter = Segmenter(RULES)
    found = [item for mark in "...sss...." for item in segmenter.push(PROBABILITY[mark])]
    assert [item for item in found if isinstance(item, Onset)] == [Onset(3 * WINDOW_SAMPLES)]


def test_a_flush_closes_at_the_sample_it_came_at() -> None:
    segmenter = Segmenter(RULES)
    for mark in "..sss":
        segmenter.push(PROBABILITY[mark])
    at = 5 * WINDOW_SAMPLES + 100
    closed = segmenter.close(at, "flush")
    assert [(item.covers.end, item.reason) for item in closed if isinstance(item, Segment)] == [(at, "flush")]
    later = [item for mark in "sss...." for item in segmenter.push(PROBABILITY[mark])]
    assert [item.covers.start for item in later if isinstance(item, Segment)] == [at]


def test_a_flush_in_silence_closes_nothing() -> None:
    segmenter = Segmenter(RULES)
    segmenter.push(0.0)
    assert segmenter.close(WINDOW_SAMPLES, "flush") == []


@given(st.text(alphabet="s-.", max_size=200))
def test_segments_never_overlap_and_hold_all_their_speech(pattern: str) -> None:
    found = segments(pattern)
    end = 0
    for segment in found:
        assert end <= segment.covers.start <= segment.speech.start <= segment.speech.end <= segment.covers.end
        end = segment.covers.end
    assert end <= len(pattern) * WINDOW_SAMPLES


@given(st.text(alphabet="s.", min_size=6, max_size=120))
def test_every_run_of_speech_long_enough_is_in_a_segment(pattern: str) -> None:
    found = segments(pattern)
    for at in range(len(pattern) - 1):
        if pattern[at : at + 2] == "ss":
            window = Span(at * WINDOW_SAMPLES, (at + 1) * WINDOW_SAMPLES)
            assert any(s.covers.start <= window.start and window.end <= s.covers.end for s in found)
