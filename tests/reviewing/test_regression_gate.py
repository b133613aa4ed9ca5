"""What users corrected has no limits: a candidate only must not be worse than what is released, on the same version."""

import pytest

from dragoman.evaluation.gate import baseline_of, judge
from dragoman.evaluation.report import MetricSeen, Report
from dragoman.evaluation.verdicts import read_rules
from dragoman.resources import samples_folder
from tests.evaluation.test_gate import figure, report

RULES = read_rules(samples_folder() / "speech" / "regression.toml")


def measured(wer: float, lost: float = 0.0, version: str = "1") -> Report:
    metrics = {"wer": figure(wer), "failed": figure(0.0), "lost": figure(lost)}
    catalog = {name: MetricSeen(title=name, group="all", better="lower", unit="share") for name in metrics}
    return report(metrics={}, version=version).model_copy(update={"metrics": metrics, "catalog": catalog})


@pytest.mark.parametrize(
    ("candidate", "is_passed"),
    [
        (measured(0.60), True),  # as bad as what is released
        (measured(0.609), True),
        (measured(0.62), False),
        (measured(0.20), True),
        (measured(0.60, lost=0.1), False),
        (measured(0.20, version="2"), False),  # measured on something else
    ],
)
def test_a_candidate_is_no_worse_than_what_is_released(candidate: Report, is_passed: bool) -> None:
    assert judge(candidate, RULES, baseline_of(measured(0.60))).is_passed is is_passed


def test_a_first_baseline_can_be_accepted_however_bad() -> None:
    released = measured(0.90)
    assert judge(released, RULES, baseline_of(released)).is_passed
