"""Values fall into bars."""

import pytest

from dragoman.datasets.charts import CLIPPED, DURATIONS_S, LEVELS_DBFS, SNR_DB, Scale, histogram


@pytest.mark.parametrize(
    ("scale", "values", "expected"),
    [
        (SNR_DB, [0.0, 4.9, 5.0, -3.0], {"0 to 5 dB": 3, "5 to 10 dB": 1}),
        (SNR_DB, [60.0, 59.9], {"55 to 60 dB": 1, "60 dB and more": 1}),
        (LEVELS_DBFS, [-100.0, -0.1], {"-60 to -57 dBFS": 1, "-3 to 0 dBFS": 1}),
        (DURATIONS_S, [0.2, 25.0, 9_000.0], {"0 to 1 s": 1, "20 to 30 s": 1, "3600 s and more": 1}),
        (CLIPPED, [0.0, 0.0, 0.00005, 0.5], {"none": 2, "<0.01 %": 1, "≥1 %": 1}),
        (SNR_DB, [], {}),
    ],
)
def test_values_are_counted_by_range(scale: Scale, values: list[float], expected: dict[str, int]) -> None:
    bars = histogram(values, scale)
    assert {bar.label: bar.count for bar in bars if bar.count} == expected
    assert max(bar.share for bar in bars) == (1.0 if values else 0.0)


def test_a_bar_beyond_the_scale_is_there_only_if_something_is() -> None:
    assert len(histogram([3.0], SNR_DB)) + 1 == len(histogram([60.0], SNR_DB))
    assert len(histogram([0.0], CLIPPED)) == 5
