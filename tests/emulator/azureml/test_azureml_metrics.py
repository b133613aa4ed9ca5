import pytest

from dragoman.emulator.azureml.arm import ArmError
from dragoman.emulator.azureml.metrics import Span, percentile, points, read_filter, read_span
from dragoman.emulator.azureml.state import Sample

SPAN = Span(start=600.0, end=720.0, grain_s=60.0)


def sample(at: float, latency_ms: float, status: int = 200) -> Sample:
    return Sample(at, "endpoint", "blue", status, status, latency_ms, mirrored=False)


def test_requests_are_counted_per_step() -> None:
    first, second = points("RequestsPerMinute", [sample(600, 5), sample(659.9, 5), sample(660, 5)], SPAN)
    assert (first["timeStamp"], first["average"], first["total"]) == ("1970-01-01T00:10:00.000Z", 2, 2)
    assert (second["average"], second["total"]) == (1, 1)


def test_a_rate_is_per_minute_in_any_step() -> None:
    (point,) = points("RequestsPerMinute", [sample(1, 5)] * 3, Span(0, 10, 10))
    assert (point["average"], point["total"]) == (18, 3)
    (point,) = points("RequestsPerMinute", [sample(1, 5)] * 10, Span(0, 300, 300))
    assert (point["average"], point["total"]) == (2, 10)


def test_where_nothing_was_answered_there_is_no_latency() -> None:
    first, second = points("RequestLatency", [sample(601, 10), sample(602, 30)], SPAN)
    assert (first["average"], first["minimum"], first["maximum"], first["count"]) == (20, 10, 30, 2)
    assert set(second) == {"timeStamp"}
    assert points("RequestsPerMinute", [], SPAN)[1]["total"] == 0


@pytest.mark.parametrize(("part", "expected"), [(0.5, 50), (0.9, 90), (0.95, 95), (0.99, 99), (1.0, 100)])
def test_percentiles_are_values_that_were_measured(part: float, expected: float) -> None:
    assert percentile([float(value) for value in range(1, 101)], part) == expected
    assert percentile([7.0], part) == 7.0


def test_percentiles_are_metrics() -> None:
    (point,) = points("RequestLatency_P90", [sample(1, value) for value in (100, 10, 20)], Span(0, 60, 60))
    assert point["average"] == 100


def test_spans_begin_at_whole_steps() -> None:
    span = read_span("1970-01-01T00:10:30Z/1970-01-01T00:12:00Z", "PT1M")
    assert (span.start, span.end, span.grain_s) == (600, 720, 60)
    assert read_span("1970-01-01T00:10:30Z/1970-01-01T00:12:00Z", "PT10S").start == 630
    assert len(span.steps()) == 2


@pytest.mark.parametrize(
    ("timespan", "interval"),
    [("yesterday", None), ("2026-01-02/2026-01-01", None), (None, "a minute"), (None, "PT0S")],
)
def test_what_is_no_span_is_refused(timespan: str | None, interval: str | None) -> None:
    with pytest.raises(ArmError):
        read_span(timespan, interval)


def test_filters() -> None:
    assert read_filter("deployment eq 'green' and statusCodeClass ne '2xx'") == {
        "deployment": ("eq", "green"),
        "statusCodeClass": ("ne", "2xx"),
    }
    assert read_filter(None) == {}
    with pytest.raises(ArmError, match="no condition"):
        read_filter("deployment = green")
