"""A release with a report that passed, and its evidence: small, and quickly made."""

import hashlib
import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import JsonValue

from dragoman.evaluation.figures import Estimate
from dragoman.evaluation.gate import Baseline, Rule, Rules, Tolerance, baseline_of
from dragoman.evaluation.report import DatasetSeen, ItemCounts, MetricSeen, Report
from dragoman.releasing.evidence import Evidence, Judged, sign, verify
from dragoman.releasing.keys import Signer, Trusted
from dragoman.releasing.spec import Release, read_release
from dragoman.releasing.subjects import Identified, identify
from dragoman.resources import flows_folder

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)

RULES = Rules(
    stage="insight",
    rules=(
        Rule(metric="failed", limit=0.0),
        Rule(metric="groundedness", limit=0.85, regression=Tolerance(absolute=0.03)),
    ),
)


def write_release(folder: Path, flow: str = "insight", more: str = "") -> Release:
    """Return a release of the flow that ships, in a folder of its own."""
    shutil.copytree(flows_folder() / flow, folder / flow, dirs_exist_ok=True)
    (folder / "Dockerfile").write_text("FROM python:3.13-slim\n")
    (folder / "service.txt").write_text("dragoman==0.1.0\n")
    file = folder / flow / "release.toml"
    file.write_text(
        f'flow = "{flow}"\nendpoint = "dragoman-{flow}"\n{more}\n'
        '[environment]\ncontext = ".."\nlock = "../service.txt"\ndockerfile = "Dockerfile"\n'
    )
    return read_release(file)


def report_of(identified: Identified, groundedness: float = 0.96, failed: float = 0.0) -> Report:
    """Return a report of this candidate."""

    def seen(title: str, better: str) -> MetricSeen:
        return MetricSeen.model_validate({"title": title, "group": "Insight", "better": better, "unit": "share"})

    def figure(value: float) -> Estimate:
        return Estimate(value=value, low=value, high=value, n=72, items=72)

    return Report(
        stage="insight",
        created=NOW - timedelta(hours=2),
        dataset=DatasetSeen(name="insight", version="d88b039b8920", items=1, audio_s=None),
        candidate=dict(identified.candidate),
        machine={},
        catalog={"failed": seen("Failed", "lower"), "groundedness": seen("Groundedness", "higher")},
        metrics={"failed": figure(failed), "groundedness": figure(groundedness)},
        slices={},
        items=(ItemCounts(item="call", failure=None, sums={}, samples={}),),
    )


@dataclass(frozen=True)
class Made:
    """Everything that evidence is made of."""

    identified: Identified
    report: Report
    baseline: Baseline
    signer: Signer

    @property
    def trusted(self) -> Trusted:
        return Trusted((self.signer.key.public_key(),))

    @property
    def judged(self) -> Judged:
        return Judged(self.report, self.report.model_dump_json().encode(), RULES, self.baseline)

    def signed(self) -> bytes:
        _, envelope = sign(self.judged, self.identified, self.signer, NOW, "anna")
        return envelope.model_dump_json().encode()

    def verified(self, data: bytes) -> Evidence:
        return verify(data, self.identified, RULES, self.trusted, NOW)


def key(seed: str = "anna") -> Signer:
    """Return a key, the same for the same seed."""
    return Signer(Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed.encode()).digest()))


def make(folder: Path, flow: str = "insight", more: str = "") -> Made:
    """Return a release whose evidence passes."""
    identified = identify(write_release(folder, flow, more))
    report = report_of(identified)
    return Made(identified, report, baseline_of(report), key())


def payload_of(data: bytes) -> dict[str, JsonValue]:
    """Return the statement in an envelope."""
    import base64

    statement: dict[str, JsonValue] = json.loads(base64.b64decode(json.loads(data)["payload"]))
    return statement
