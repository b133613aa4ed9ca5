import pytest

from dragoman.domain.audio import AudioFrame, Span, to_ms, to_samples


@pytest.mark.parametrize(
    ("samples", "ms"), [(0, 0), (15, 0), (16, 1), (16_000, 1_000), (16_000 * 3600 * 10, 36_000_000)]
)
def test_samples_become_whole_milliseconds(samples: int, ms: int) -> None:
    assert to_ms(samples) == ms


def test_milliseconds_become_the_nearest_sample() -> None:
    assert [to_samples(ms) for ms in (0, 1, 0.03, 1_000)] == [0, 16, 0, 16_000]


@pytest.mark.parametrize(("start", "end"), [(-1, 0), (2, 1)])
def test_a_span_never_runs_backwards(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="0 <= start <= end"):
        Span(start, end)


def test_a_frame_knows_where_it_ends() -> None:
    assert AudioFrame(100, bytes(640)).end == 420


def test_a_frame_holds_whole_samples() -> None:
    with pytest.raises(ValueError, match="whole"):
        AudioFrame(0, b"\0\0\0")
