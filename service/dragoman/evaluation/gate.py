"""The gate: report, rules and baseline in, verdict out. Nothing here reads a clock, a file or a network.

Rules look one way: what is better never fails. What is missing does: a metric, a slice that was asked for, a baseline,
or too few observations to tell.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dragoman.evaluation.figures import Better, Estimate
from dragoman.evaluation.report import Report


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Tolerance(_Value):
    """How much worse than the baseline a figure may be: ``absolute``, and ``relative`` to it, together."""

    absolute: Annotated[float, Field(ge=0)] = 0.0
    relative: Annotated[float, Field(ge=0)] = 0.0


class Rule(_Value):
    """What a figure must reach, whole or in slices.

    ``limit`` is what it may be at worst; ``regression`` how much worse than the baseline. With ``confident`` the whole
    confidence interval must be within the limit, not only the figure. Of a ``dimension`` the rule holds for each of
    ``values`` (which must be there), or, without any, for all slices with ``min_n`` observations or more. ``max_gap``
    is how much worse than the whole the worst slice may be: nobody is to be served much worse than everybody.
    """

    metric: str
    limit: float | None = None
    regression: Tolerance | None = None
    confident: bool = False
    min_n: Annotated[int, Field(ge=1)] = 1
    dimension: str | None = None
    values: tuple[str, ...] = ()
    max_gap: Annotated[float, Field(ge=0)] | None = None
    why: str | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "Rule":
        if self.limit is None and self.regression is None and self.max_gap is None:
            raise ValueError(f"the rule for '{self.metric}' needs a limit, a regression or a max_gap")
        if self.dimension is None and (self.values or self.max_gap is not None):
            raise ValueError(f"the rule for '{self.metric}' needs a dimension, for it speaks of slices")
        return self


class Rules(_Value):
    """The rules of one stage. The baseline must be of the same dataset, unless ``any_dataset``."""

    stage: str
    rules: tuple[Rule, ...] = Field(min_length=1)
    any_dataset: bool = False


class Baseline(_Value):
    """What was reached before: the figures of a report that was accepted, and the day of it, ``2026-11-22``."""

    stage: str
    measured: str | None = None
    dataset: str
    candidate: Mapping[str, object]
    metrics: Mapping[str, Estimate]
    slices: Mapping[str, Mapping[str, Mapping[str, Estimate]]]


class Check(_Value):
    """One thing that was checked. ``reason`` is a sentence that names figure and limit."""

    metric: str
    where: str
    kind: Literal["limit", "regression", "gap", "data"]
    is_passed: bool
    value: float | None
    limit: float | None
    n: int
    reason: str


class Verdict(_Value):
    """Whether a candidate may pass, and every check; what stopped it comes first."""

    is_passed: bool
    stage: str
    dataset: str
    checks: tuple[Check, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it was stopped."""
        return tuple(check.reason for check in self.checks if not check.is_passed)


def judge(report: Report, rules: Rules, baseline: Baseline | None) -> Verdict:
    """Return the verdict on a report."""
    checks = list(_of_the_whole(report, rules, baseline))
    for rule in rules.rules:
        checks += _of_rule(rule, report, baseline)
    checks.sort(key=lambda check: check.is_passed)
    return Verdict(
        is_passed=all(check.is_passed for check in checks),
        stage=report.stage,
        dataset=_named(report),
        checks=tuple(checks),
    )


def baseline_of(report: Report) -> Baseline:
    """Return the figures of a report as what later ones are compared with."""
    return Baseline(
        stage=report.stage,
        measured=report.created.date().isoformat(),
        dataset=_named(report),
        candidate=dict(report.candidate),
        metrics=report.metrics,
        slices={dimension: each for dimension, each in report.slices.items() if dimension != "recording"},
    )


def _of_the_whole(report: Report, rules: Rules, baseline: Baseline | None) -> Iterator[Check]:
    if report.stage != rules.stage:
        yield _missing("stage", f"The rules are for '{rules.stage}', and the report is of '{report.stage}'.")
    if len(report.items) < report.dataset.items or not report.items:
        yield _missing("items", f"Only {len(report.items)} of {report.dataset.items} items were evaluated.")
    if not any(rule.regression for rule in rules.rules):
        return
    if baseline is None:
        yield _missing("baseline", "There is no baseline; accept a report with: dragoman gate REPORT --accept.")
    elif baseline.stage != report.stage:
        yield _missing("baseline", f"The baseline is of '{baseline.stage}', and the report is of '{report.stage}'.")
    elif baseline.dataset != _named(report) and not rules.any_dataset:
        yield _missing(
            "baseline",
            f"The baseline was measured on {baseline.dataset}, and the report on {_named(report)}: "
            "measure what is deployed on this dataset, and accept its report.",
        )


def _of_rule(rule: Rule, report: Report, baseline: Baseline | None) -> Iterator[Check]:
    seen = report.catalog.get(rule.metric)
    if seen is None:
        yield _missing(rule.metric, f"{rule.metric}: nothing was measured.")
        return
    if rule.dimension is None:
        before = baseline.metrics.get(rule.metric) if baseline else None
        yield from _of_figure(
            rule, "all", report.metrics[rule.metric], before, seen.better, has_baseline=bool(baseline)
        )
        return
    slices = {
        value: figures[rule.metric]
        for value, figures in report.slices.get(rule.dimension, {}).items()
        if rule.metric in figures
    }
    chosen = rule.values or tuple(value for value, each in slices.items() if each.n >= rule.min_n)
    if not chosen:
        yield _missing(
            rule.metric, f"{rule.metric}: no {rule.dimension} has {rule.min_n} observations or more.", rule.dimension
        )
    for value in chosen:
        where = f"{rule.dimension} {value}"
        if value not in slices:
            yield _missing(rule.metric, f"{rule.metric}, {where}: nothing was measured.", where)
            continue
        before = baseline.slices.get(rule.dimension, {}).get(value, {}).get(rule.metric) if baseline else None
        yield from _of_figure(rule, where, slices[value], before, seen.better, has_baseline=bool(baseline))
    if rule.max_gap is not None and chosen:
        yield from _of_gap(rule, {value: slices[value] for value in chosen if value in slices}, report, seen.better)


def _of_figure(
    rule: Rule, where: str, figure: Estimate, before: Estimate | None, better: Better, *, has_baseline: bool
) -> Iterator[Check]:
    value = figure.value
    if value is None or figure.n < rule.min_n:
        told = f"{rule.metric}, {where}: {figure.n} observations are too few, {rule.min_n} are needed."
        yield _missing(rule.metric, told, where, figure.n)
        return
    if rule.limit is not None:
        worst = (figure.high if better == "lower" else figure.low) if rule.confident else value
        worst = value if worst is None else worst
        told = f"{value:.4g}" if worst == value else f"{value:.4g} (with confidence {worst:.4g})"
        yield _check(rule, where, "limit", worst, rule.limit, figure.n, better, f"{told}, limit {rule.limit:.4g}")
    if rule.regression is not None and has_baseline:
        if before is None or before.value is None:
            yield _missing(rule.metric, f"{rule.metric}, {where}: the baseline has no figure.", where, figure.n)
            return
        allowed = rule.regression.absolute + rule.regression.relative * abs(before.value)
        limit = before.value + allowed if better == "lower" else before.value - allowed
        told = f"{value:.4g}, was {before.value:.4g} and may become {limit:.4g}"
        yield _check(rule, where, "regression", value, limit, figure.n, better, told)


def _of_gap(rule: Rule, slices: Mapping[str, Estimate], report: Report, better: Better) -> Iterator[Check]:
    assert rule.max_gap is not None
    whole = report.metrics[rule.metric].value
    known = {value: each.value for value, each in slices.items() if each.value is not None}
    if whole is None or not known:
        return  # said already
    worst = max(known, key=lambda value: known[value] if better == "lower" else -known[value])
    gap = known[worst] - whole if better == "lower" else whole - known[worst]
    told = f"{known[worst]:.4g}, {gap:.4g} worse than all ({whole:.4g}), may be {rule.max_gap:.4g}"
    where = f"worst {rule.dimension} {worst}"
    yield _check(rule, where, "gap", gap, rule.max_gap, slices[worst].n, "lower", told)


def _check(
    rule: Rule,
    where: str,
    kind: Literal["limit", "regression", "gap"],
    value: float,
    limit: float,
    n: int,
    better: Better,
    told: str,
) -> Check:
    is_passed = value <= limit if better == "lower" else value >= limit
    why = f" ({rule.why})" if rule.why and not is_passed else ""
    return Check(
        metric=rule.metric,
        where=where,
        kind=kind,
        is_passed=is_passed,
        value=value,
        limit=limit,
        n=n,
        reason=f"{rule.metric}, {where}: {told}{why}.",
    )


def _missing(metric: str, reason: str, where: str = "all", n: int = 0) -> Check:
    return Check(metric=metric, where=where, kind="data", is_passed=False, value=None, limit=None, n=n, reason=reason)


def _named(report: Report) -> str:
    return f"{report.dataset.name}@{report.dataset.version}"
