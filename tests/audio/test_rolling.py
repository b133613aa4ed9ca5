import numpy as np
import pytest

from dragoman.audio.rolling import RollingAudio
from dragoman.domain.audio import AudioFrame, Span


def ramp(start: int, samples: int) -> AudioFrame:
    return AudioFrame(start, np.arange(start, start + samples, dtype="<i2").tobytes())


def filled() -> RollingAudio:
    audio = RollingAudio()
    for start in range(0, 100, 10):
        audio.append(ramp(start, 10))
    return audio


@pytest.mark.parametrize("span", [Span(0, 10), Span(5, 25), Span(99, 100), Span(0, 100), Span(50, 50)])
def test_any_span_comes_back_sample_for_sample(span: Span) -> None:
    assert (filled().cut(span) * 32_768).astype(int).tolist() == list(range(span.start, span.end))


def test_forgetting_keeps_what_comes_after() -> None:
    audio = filled()
    audio.forget(35)
    assert (audio.cut(Span(35, 45)) * 32_768).astype(int).tolist() == list(range(35, 45))


def test_forgetting_frees_memory() -> None:
    audio = filled()
    audio.forget(95)
    assert audio.cut(Span(0, 90)).size == 0


@pytest.mark.parametrize("start", [99, 101])
def test_a_gap_or_overlap_is_refused(start: int) -> None:
    with pytest.raises(ValueError, match="expected 100"):
        filled().append(ramp(start, 10))
