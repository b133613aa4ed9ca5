"""The gate: values in, a verdict out."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.domain.errors import GateInvalidError
from dragoman.evaluation.figures import Better, Estimate
from dragoman.evaluation.gate import Baseline, Rule, Rules, Tolerance, Verdict, baseline_of, judge
from dragoman.evaluation.report import DatasetSeen, ItemCounts, MetricSeen, Report
from dragoman.evaluation.verdicts import as_markdown, as_text, read_baseline, read_rules, write_baseline
from dragoman.resources import flows_folder, samples_folder


def figure(value: float | None, n: int = 1_000, spread: float = 0.01) -> Estimate:
    around = (None, None) if value is None else (value - spread, value + spread)
    return Estimate(value=value, low=around[0], high=around[1], n=n, items=10)


def report(
    metrics: Mapping[str, Estimate] | None = None,
    slices: Mapping[str, Mapping[str, Mapping[str, Estimate]]] | None = None,
    version: str = "1",
    stage: str = "speech",
    items: int = 2,
) -> Report:
    metrics = {"wer": figure(0.10), "f1": figure(0.90)} if metrics is None else metrics
    better: dict[str, Better] = {"wer": "lower", "f1": "higher"}
    return Report(
        stage=stage,
        created=datetime(2026, 1, 1, tzinfo=UTC),
        dataset=DatasetSeen(name="calls", version=version, items=2, audio_s=60.0),
        candidate={},
        machine={},
        catalog={name: MetricSeen(title=name, group="all", better=better[name], unit="share") for name in metrics},
        metrics=metrics,
        slices=slices or {},
        items=tuple(ItemCounts(item=str(at), failure=None, sums={}, samples={}) for at in range(items)),
    )


def verdict(rule: Rule, given_report: Report | None = None, baseline: Baseline | None = None) -> Verdict:
    return judge(given_report or report(), Rules(stage="speech", rules=(rule,)), baseline)


BEFORE = baseline_of(report())
TIGHT = Tolerance(absolute=0.01, relative=0.1)  # 0.10 may become 0.12, 0.90 may become 0.80


@pytest.mark.parametrize(
    ("rule", "value", "is_passed"),
    [
        (Rule(metric="wer", limit=0.1), 0.1, True),
        (Rule(metric="wer", limit=0.1), 0.1001, False),
        (Rule(metric="f1", limit=0.9), 0.9, True),
        (Rule(metric="f1", limit=0.9), 0.8999, False),
        (Rule(metric="wer", limit=0.105, confident=True), 0.10, False),  # may be 0.11
        (Rule(metric="wer", limit=0.115, confident=True), 0.10, True),
        (Rule(metric="f1", limit=0.895, confident=True), 0.90, False),
        (Rule(metric="wer", regression=TIGHT), 0.119, True),
        (Rule(metric="wer", regression=TIGHT), 0.121, False),
        (Rule(metric="f1", regression=TIGHT), 0.801, True),
        (Rule(metric="f1", regression=TIGHT), 0.799, False),
        (Rule(metric="wer", regression=Tolerance()), 0.10, True),  # no worse is no regression
        (Rule(metric="wer", regression=Tolerance()), 0.0, True),  # better never is
        (Rule(metric="f1", regression=Tolerance()), 1.0, True),
        (Rule(metric="wer", limit=0.5, min_n=1_000), 0.1, True),
        (Rule(metric="wer", limit=0.5, min_n=1_001), 0.1, False),  # too few to tell
        (Rule(metric="wer", limit=0.5), None, False),  # nothing to tell
        (Rule(metric="f1", limit=0.0), None, False),
    ],
)
def test_a_rule_looks_one_way(rule: Rule, value: float | None, is_passed: bool) -> None:
    found = verdict(rule, report({rule.metric: figure(value)}), BEFORE)
    assert found.is_passed is is_passed
    assert bool(found.reasons) is not is_passed
    assert all(rule.metric in reason for reason in found.reasons)


def test_a_metric_that_was_not_measured_fails() -> None:
    assert verdict(Rule(metric="wer", limit=1.0), report({})).reasons == ("wer: nothing was measured.",)


def test_items_that_were_not_evaluated_fail() -> None:
    assert verdict(Rule(metric="wer", limit=1.0), report(items=1)).reasons == ("Only 1 of 2 items were evaluated.",)


def test_a_baseline_that_is_needed_must_be_there_and_fit() -> None:
    rule = Rule(metric="wer", regression=TIGHT)
    (missing,) = verdict(rule).reasons
    assert "--accept" in missing
    (other,) = verdict(rule, report(version="2"), BEFORE).reasons
    assert "calls@1" in other
    assert "calls@2" in other
    lenient = Rules(stage="speech", rules=(rule,), any_dataset=True)
    assert judge(report(version="2"), lenient, BEFORE).is_passed
    (stage,) = set(verdict(rule, report(), baseline_of(report(stage="live"))).reasons)
    assert "'live'" in stage
    without = BEFORE.model_copy(update={"metrics": {}})
    assert verdict(rule, report(), without).reasons == ("wer, all: the baseline has no figure.",)


def test_rules_of_another_stage_fail() -> None:
    (reason,) = verdict(Rule(metric="wer", limit=1.0), report(stage="insight")).reasons
    assert "'insight'" in reason


def sliced(**values: tuple[float, int]) -> Report:
    slices = {"speaker": {name: {"wer": figure(value, n)} for name, (value, n) in values.items()}}
    return report({"wer": figure(0.10)}, slices)


@pytest.mark.parametrize(
    ("rule", "values", "reasons"),
    [
        (Rule(metric="wer", dimension="speaker", limit=0.2), {"A": (0.1, 500), "B": (0.3, 500)}, ["speaker B: 0.3"]),
        (Rule(metric="wer", dimension="speaker", limit=0.2, min_n=501), {"A": (0.1, 900), "B": (0.3, 500)}, []),
        (Rule(metric="wer", dimension="speaker", limit=0.2, values=("B",), min_n=501), {"B": (0.1, 500)}, ["too few"]),
        (
            Rule(metric="wer", dimension="speaker", limit=0.2, values=("C",)),
            {"A": (0.1, 500)},
            ["nothing was measured"],
        ),
        (Rule(metric="wer", dimension="speaker", limit=0.2, min_n=900), {"A": (0.1, 500)}, ["no speaker has 900"]),
        (Rule(metric="wer", dimension="speaker", limit=0.2), {}, ["no speaker has 1"]),
        (Rule(metric="wer", dimension="speaker", max_gap=0.05), {"A": (0.1, 500), "B": (0.14, 500)}, []),
        (
            Rule(metric="wer", dimension="speaker", max_gap=0.05),
            {"A": (0.1, 500), "B": (0.16, 500)},
            ["worst speaker B: 0.16, 0.06 worse than all (0.1), may be 0.05"],
        ),
        (Rule(metric="wer", dimension="speaker", max_gap=0.05, min_n=100), {"A": (0.1, 500), "B": (0.9, 9)}, []),
    ],
)
def test_slices_are_judged_too(rule: Rule, values: dict[str, tuple[float, int]], reasons: list[str]) -> None:
    found = verdict(rule, sliced(**values))
    assert len(found.reasons) == len(reasons)
    assert all(expected in reason for expected, reason in zip(reasons, found.reasons, strict=True))


def test_a_slice_is_compared_with_its_own_baseline() -> None:
    rule = Rule(metric="wer", dimension="speaker", regression=Tolerance(absolute=0.02))
    before = baseline_of(sliced(A=(0.05, 500), B=(0.20, 500)))
    assert verdict(rule, sliced(A=(0.06, 500), B=(0.21, 500)), before).is_passed
    (reason,) = verdict(rule, sliced(A=(0.08, 500), B=(0.15, 500)), before).reasons
    assert "speaker A: 0.08, was 0.05 and may become 0.07" in reason


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 0.2), st.floats(0, 1))
def test_what_is_no_worse_than_before_always_passes(
    before: float, better_by: float, absolute: float, relative: float
) -> None:
    rule = Rule(metric="wer", regression=Tolerance(absolute=absolute, relative=relative))
    given_report = report({"wer": figure(before * (1 - better_by))})
    assert verdict(rule, given_report, baseline_of(report({"wer": figure(before)}))).is_passed


def test_what_stopped_it_comes_first_and_is_told_in_every_form() -> None:
    rules = Rules(
        stage="speech",
        rules=(Rule(metric="f1", limit=0.5), Rule(metric="wer", limit=0.05, why="captions | are read")),
    )
    found = judge(report(), rules, None)
    assert [check.is_passed for check in found.checks] == [False, True]
    assert as_text(found).splitlines() == [
        "speech on calls@1: STOPPED, 1 of 2 checks hold",
        "  ✗ wer, all: 0.1, limit 0.05 (captions | are read).",
    ]
    markdown = as_markdown(found)
    assert "❌ stopped" in markdown
    assert "captions \\| are read" in markdown
    assert Verdict.model_validate_json(found.model_dump_json()) == found


def test_a_baseline_is_written_so_that_its_changes_can_be_read(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    write_baseline(BEFORE, file)
    assert read_baseline(file) == BEFORE
    assert json.loads(file.read_text())["dataset"] == "calls@1"
    assert read_baseline(tmp_path / "none.json") is None
    file.write_text("{}")
    with pytest.raises(GateInvalidError, match="no baseline: stage"):
        read_baseline(file)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("stage = ", "cannot be read"),
        ('stage = "speech"\nrules = []', "rules"),
        ('stage = "speech"\n[[rules]]\nmetric = "wer"', "needs a limit"),
        ('stage = "speech"\n[[rules]]\nmetric = "wer"\nlimit = 1\nmax_gap = 1', "needs a dimension"),
        ('stage = "speech"\n[[rules]]\nmetric = "wer"\nlimt = 1', "limt"),
        ('stage = "speech"\n[[rules]]\nmetric = "wer"\nregression = { relative = -1 }', "relative"),
    ],
)
def test_wrong_rules_are_named(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "gate.toml"
    file.write_text(text)
    with pytest.raises(GateInvalidError, match=says):
        read_rules(file)


def test_every_gate_that_ships_can_be_read_and_has_its_baseline() -> None:
    files = [*flows_folder().glob("*/gate.toml"), *samples_folder().glob("*/gate.toml")]
    assert {file.parent.name for file in files} == {
        "answer",
        "insight",
        "live",
        "orders",
        "polish",
        "speech",
        "translation",
    }
    for file in files:
        rules = read_rules(file)
        assert rules.stage == file.parent.name
        if any(rule.regression for rule in rules.rules):
            before = read_baseline(file.with_name("baseline.json"))
            assert before is not None
            assert before.stage == rules.stage
