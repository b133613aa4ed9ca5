"""Signed evidence: what was evaluated, on what, by which rules, and that it passed.

An in-toto Statement v1 with the predicate "test result", in a DSSE envelope (docs/decisions/0013). The statement's
subjects are digests of what is released; whatever is released must have the same.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dragoman.domain.errors import EvidenceRefusedError
from dragoman.domain.validation import first_problem
from dragoman.evaluation.figures import Better, Estimate
from dragoman.evaluation.gate import Baseline, Check, Rules, Verdict, judge
from dragoman.evaluation.report import Report
from dragoman.releasing.envelope import IN_TOTO, Envelope, opened, seal
from dragoman.releasing.keys import Signer, Trusted
from dragoman.releasing.subjects import Identified, canonical_digest

STATEMENT: Final = "https://in-toto.io/Statement/v1"
PREDICATE: Final = "https://in-toto.io/attestation/test-result/v0.1"

_SKEW: Final = timedelta(minutes=5)
"""So far clocks of machines may be apart."""

_AGAIN: Final = "evaluate what is to be released, and sign its report: dragoman gate REPORT --sign RELEASE.toml"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Resource(_Value):
    """Something with a digest."""

    name: str
    digest: Mapping[str, str]


class Figure(_Value):
    """A figure of the report, and which way is better."""

    better: Better
    estimate: Estimate


class Evaluation(_Value):
    """What was evaluated, and found: who signs says so, and when."""

    stage: str
    dataset: str
    items: int = Field(ge=1)
    evaluated_at: datetime
    signed_at: datetime
    signed_by: str
    checks: tuple[Check, ...]
    figures: Mapping[str, Figure]


class Predicate(_Value):
    """The predicate "test result" of in-toto, and the evaluation it tells of.

    ``configuration`` are the report, the rules, the baseline and the dataset.
    """

    result: Literal["PASSED", "WARNED", "FAILED"]
    configuration: tuple[Resource, ...]
    passedTests: tuple[str, ...]  # noqa: N815 - the format's names
    failedTests: tuple[str, ...]  # noqa: N815
    evaluation: Evaluation


class Statement(_Value):
    """A statement of in-toto, version 1."""

    type: Literal["https://in-toto.io/Statement/v1"] = Field(alias="_type")
    subject: tuple[Resource, ...] = Field(min_length=1)
    predicateType: Literal["https://in-toto.io/attestation/test-result/v0.1"]  # noqa: N815
    predicate: Predicate


@dataclass(frozen=True, slots=True)
class Evidence:
    """Evidence that was believed: the statement, its envelope as it was read, and the id of the key that signed it."""

    statement: Statement
    envelope: bytes
    signer: str

    @property
    def evaluation(self) -> Evaluation:
        """What it tells of."""
        return self.statement.predicate.evaluation

    @property
    def digest(self) -> str:
        """SHA-256 of the envelope, in hex."""
        return hashlib.sha256(self.envelope).hexdigest()


@dataclass(frozen=True, slots=True)
class Judged:
    """A report with what it was judged by. ``report_bytes`` are those of its file."""

    report: Report
    report_bytes: bytes
    rules: Rules
    baseline: Baseline | None


def sign(judged: Judged, identified: Identified, signer: Signer, now: datetime, who: str) -> tuple[Verdict, Envelope]:
    """Return the verdict on a report, and the evidence that it passed.

    Raises:
        EvidenceRefusedError: if it did not pass, or the report is of something else than what is to be released.
    """
    report, flow = judged.report, identified.release.flow
    verdict = judge(report, judged.rules, judged.baseline)
    if not verdict.is_passed:
        raise EvidenceRefusedError(
            f"Only what passed is signed, and this was stopped: {' '.join(verdict.reasons[:3])} Mend the candidate."
        )
    if report.stage != flow:
        raise EvidenceRefusedError(f"The report is of '{report.stage}', and the flow to release is '{flow}': {_AGAIN}.")
    if different := _differences(report.candidate, identified.candidate):
        raise EvidenceRefusedError(
            f"The report is of another candidate than what is to be released: {'; '.join(different)}. "
            f"Evaluate that one: dragoman evaluate --stage {flow} --flow {identified.release.flow_folder}"
            f" --shots {identified.release.shots} --afresh, with the settings of the release."
        )
    statement = Statement(
        _type=STATEMENT,
        subject=tuple(Resource(name=name, digest={"sha256": each}) for name, each in identified.subjects.items()),
        predicateType=PREDICATE,
        predicate=Predicate(
            result="PASSED",
            configuration=_configuration(judged),
            passedTests=_names(verdict, is_passed=True),
            failedTests=_names(verdict, is_passed=False),
            evaluation=Evaluation(
                stage=report.stage,
                dataset=verdict.dataset,
                items=len(report.items),
                evaluated_at=report.created,
                signed_at=now.replace(microsecond=0),
                signed_by=who,
                checks=verdict.checks,
                figures={
                    name: Figure(better=seen.better, estimate=report.metrics[name])
                    for name, seen in report.catalog.items()
                },
            ),
        ),
    )
    payload = json.dumps(statement.model_dump(mode="json", by_alias=True), sort_keys=True, ensure_ascii=False)
    return verdict, seal(payload.encode(), IN_TOTO, signer)


def verify(data: bytes, identified: Identified, rules: Rules, trusted: Trusted, now: datetime) -> Evidence:
    """Return evidence that what is about to be released passed; every reason to doubt it is a refusal.

    Raises:
        EvidenceRefusedError: naming cause and cure.
    """
    payload, signer = opened(data, trusted)
    try:
        statement = Statement.model_validate_json(payload)
    except ValidationError as error:
        raise EvidenceRefusedError(
            f"What was signed is no evidence of this version ({first_problem(error)}); {_AGAIN}."
        ) from error
    evidence = Evidence(statement, data, signer)
    _check_verdict(statement.predicate)
    _check_subjects(statement, identified)
    _check_rules(statement.predicate, rules)
    _check_age(evidence.evaluation, identified.release.evidence_days, now)
    return evidence


def read_evidence(file: Path) -> bytes:
    """Return what a file holds.

    Raises:
        EvidenceRefusedError: if it is not there.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        raise EvidenceRefusedError(f"There is no evidence at '{file}'; {_AGAIN}.") from error


def rules_digest(rules: Rules) -> str:
    """Return the digest of rules, by what they say and not by how it is written."""
    return canonical_digest(rules.model_dump(mode="json"))


def _check_verdict(predicate: Predicate) -> None:
    """Refuse what did not pass, whatever its signature says: each figure is held against its limit once more."""
    evaluation = predicate.evaluation
    failed = [check.reason for check in evaluation.checks if not check.is_passed]
    if predicate.result != "PASSED" or failed or predicate.failedTests:
        raise EvidenceRefusedError(
            f"The evidence is of a candidate that was stopped: {' '.join(failed[:3]) or predicate.result}. "
            "It is not released; mend the candidate, and evaluate it."
        )
    if not evaluation.checks:
        raise EvidenceRefusedError(f"The evidence tells of no check at all; {_AGAIN}.")
    for check in evaluation.checks:
        figure = evaluation.figures.get(check.metric)
        if check.value is None or check.limit is None or figure is None:
            raise EvidenceRefusedError(f"The check of '{check.metric}' has no figure and limit; {_AGAIN}.")
        is_lower = check.kind == "gap" or figure.better == "lower"
        if check.value > check.limit if is_lower else check.value < check.limit:
            raise EvidenceRefusedError(
                f"The evidence says that '{check.metric}' passed, and {check.value:.4g} does not keep "
                f"{check.limit:.4g}: whoever signed this did not judge it. {_AGAIN.capitalize()}."
            )


def _check_subjects(statement: Statement, identified: Identified) -> None:
    signed = {each.name: each.digest.get("sha256", "") for each in statement.subject}
    for name, digest in identified.subjects.items():
        if name not in signed:
            raise EvidenceRefusedError(
                f"The evidence says nothing of '{name}', which is about to be released; it is of "
                f"{', '.join(sorted(signed))}. {_AGAIN.capitalize()}."
            )
        if signed[name] != digest:
            raise EvidenceRefusedError(
                f"'{name}' is not what was evaluated: its digest is {digest[:12]}, and the evidence is of "
                f"{signed[name][:12] or 'none'}. Release what was evaluated, or {_AGAIN}."
            )
    if more := sorted(set(signed) - set(identified.subjects)):
        raise EvidenceRefusedError(f"The evidence is of '{more[0]}' too, which is not released here; {_AGAIN}.")
    if statement.predicate.evaluation.stage != identified.release.flow:
        raise EvidenceRefusedError(
            f"The evidence is of '{statement.predicate.evaluation.stage}', and the flow is "
            f"'{identified.release.flow}'; {_AGAIN}."
        )


def _check_rules(predicate: Predicate, rules: Rules) -> None:
    signed = next((each.digest.get("sha256") for each in predicate.configuration if each.name == "rules"), None)
    if signed != rules_digest(rules):
        raise EvidenceRefusedError(f"The candidate was judged by other rules than those that hold now; {_AGAIN}.")


def _check_age(evaluation: Evaluation, days: float, now: datetime) -> None:
    for name, at in (("evaluated", evaluation.evaluated_at), ("signed", evaluation.signed_at)):
        if at.tzinfo is None or at > now + _SKEW:
            raise EvidenceRefusedError(
                f"The evidence says it was {name} at {at.isoformat()}, which is not past; set this machine's clock, "
                f"or {_AGAIN}."
            )
    age = now - evaluation.evaluated_at
    if age > timedelta(days=days):
        raise EvidenceRefusedError(
            f"The evaluation is {age.days} days old, and may be {days:g}: models and data have moved on; {_AGAIN}."
        )


def _configuration(judged: Judged) -> tuple[Resource, ...]:
    name, _, version = f"{judged.report.dataset.name}@{judged.report.dataset.version}".partition("@")
    found = [
        Resource(name="report", digest={"sha256": hashlib.sha256(judged.report_bytes).hexdigest()}),
        Resource(name="rules", digest={"sha256": rules_digest(judged.rules)}),
        Resource(name=f"dataset/{name}", digest={"dragomanDataset": version}),
    ]
    if judged.baseline:
        digest = canonical_digest(judged.baseline.model_dump(mode="json"))
        found.append(Resource(name="baseline", digest={"sha256": digest}))
    return tuple(found)


def _names(verdict: Verdict, *, is_passed: bool) -> tuple[str, ...]:
    chosen = [check for check in verdict.checks if check.is_passed is is_passed]
    return tuple(f"{check.metric}, {check.where}: {check.kind}" for check in chosen)


def _differences(report: Mapping[str, object], wanted: Mapping[str, object]) -> list[str]:
    return [
        f"{name} was {report.get(name)!r} and is {wanted.get(name)!r}"
        for name in sorted({*report, *wanted})
        if report.get(name) != wanted.get(name)
    ]
