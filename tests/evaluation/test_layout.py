import pytest

from dragoman.evaluation.figures import Better, Estimate
from dragoman.evaluation.layout.measures import HEADLINES, chosen
from dragoman.evaluation.layout.numbers import THIN, clock, interval, shown
from dragoman.evaluation.layout.scale import scale
from dragoman.evaluation.metrics.metric import Unit
from dragoman.evaluation.report import MetricSeen


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (None, "share", "—"),
        (0.0, "share", "0_%"),
        (1.0, "share", "100_%"),
        (0.01558, "share", "1.6_%"),
        (0.001908, "share", "0.19_%"),
        (0.99964, "share", "99.96_%"),
        (0.00001, "share", "<_0.01_%"),
        (91.167, "score", "91.2"),
        (88.0, "ms", "88_ms"),
        (1_234.0, "ms", "1.2_s"),
        (180_000.0, "ms", "3.0_min"),
        (0.010016, "ratio", "0.010"),
        (0.25, "ratio", "0.25"),
        (2.626, "usd", "$2.63"),
        (0.00123, "usd", "$0.0012"),
        (2.17363, "number", "2.17"),
        (1_234.5, "number", "1,234"),
    ],
)
def test_numbers_are_written_in_their_unit(value: float | None, unit: Unit, expected: str) -> None:
    assert shown(value, unit) == expected.replace("_", THIN)


def test_both_ends_of_an_interval_have_as_many_digits() -> None:
    ends = Estimate(value=0.0156, low=0.00982, high=0.0224, n=1, items=9)
    assert interval(ends, "share") == "1.0_–_2.2_%".replace("_", THIN)


@pytest.mark.parametrize(
    ("values", "better", "unit", "expected"),
    [
        ([0.0156, 0.0224], "lower", "share", (0.0, 0.025)),
        ([0.0], "lower", "share", (0.0, 0.01)),  # nothing failed
        ([0.985, 1.0], "higher", "share", (0.98, 1.0)),  # what matters is next to 100 %
        ([1.0], "higher", "share", (0.98, 1.0)),
        ([0.3, 0.9], "higher", "share", (0.0, 1.0)),
        ([-0.2, 0.4], "higher", "number", (-0.2, 0.4)),
        ([], "lower", "ms", (0.0, 100.0)),
        ([88.0, 349.0], "lower", "ms", (0.0, 400.0)),
    ],
)
def test_scales_have_round_ends(values: list[float], better: Better, unit: Unit, expected: tuple[float, float]) -> None:
    found = scale(values, better, unit)
    assert (found.low, found.high) == pytest.approx(expected)
    assert found.ticks[0].at == 0
    assert found.ticks[-1].at == 100


@pytest.mark.parametrize(
    ("names", "least", "expected"),
    [
        (["cer", "wer", "rtf", "chrf/de", "chrf/fr", "lost"], 3, ["wer", "rtf", "chrf"]),  # what matters
        (["grounded", "step_ms_p50", "step_ms_p95", "failed"], 3, ["grounded", "step_ms_p95", "failed"]),  # and others
        (["a", "b", "c"], 2, ["a", "b"]),
        (["wait_ms_p50", "a"], 2, ["a"]),
        ([], 2, []),
    ],
)
def test_what_matters_most(names: list[str], least: int, expected: list[str]) -> None:
    catalog = {
        name: MetricSeen(title=name, group="Group", better="lower", unit="ms" if "_ms_" in name else "share")
        for name in names
    }
    assert [measure.key for measure in chosen(catalog, HEADLINES, least)] == expected


def test_a_mean_of_languages_has_no_interval() -> None:
    seen = MetricSeen(title="chrF into de", group="Translation", better="higher", unit="score")
    (measure,) = chosen({"chrf/de": seen, "chrf/fr": seen}, HEADLINES, 1)
    one = Estimate(value=90.0, low=80.0, high=95.0, n=8, items=4)
    other = Estimate(value=94.0, low=90.0, high=97.0, n=9, items=5)
    assert measure.of({"chrf/de": one, "chrf/fr": other}) == Estimate(value=92.0, low=None, high=None, n=17, items=5)
    assert measure.of({}) is None


def test_positions_are_told_as_players_do() -> None:
    assert (clock(510), clock(331_312), clock(3_725_900)) == ("0:00.5", "5:31.3", "1:02:05.9")
