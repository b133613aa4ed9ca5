"""Where a release is handled: settings become a workspace, live figures, a judge and a ledger."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Final

from dragoman.domain.errors import ReleaseFailedError
from dragoman.evaluating.rules import rules_of
from dragoman.evaluation.gate import Rules
from dragoman.evaluation.verdicts import read_rules
from dragoman.releasing.access import access_of
from dragoman.releasing.azureml import AzureMLWorkspace
from dragoman.releasing.evidence import verify
from dragoman.releasing.keys import read_trusted
from dragoman.releasing.ledger import Entry, Ledger, who
from dragoman.releasing.live import AnswerVerdict
from dragoman.releasing.monitor import AzureLive
from dragoman.releasing.promoting import STAGE, Promoter
from dragoman.releasing.quality import judge_answers
from dragoman.releasing.rollout import Judgement, Stage
from dragoman.releasing.spec import Release
from dragoman.releasing.subjects import identify
from dragoman.releasing.watching import Watcher
from dragoman.releasing.workspace import SLOTS, Collected, Wanted
from dragoman.resources import flows_folder
from dragoman.settings import Settings
from dragoman.steps import Steps

_FOLDER: Final = "releases"


@dataclass
class Desk(AbstractContextManager["Desk"]):
    """Everything for one release. Close it.

    Raises:
        SettingsError: if no workspace is set.
        DependencyMissingError: if a judge needs what is not installed.
    """

    settings: Settings
    release: Release
    rules: Rules | None = None
    audit: Callable[[Entry], None] = lambda entry: None
    now: Callable[[], float] = time.time
    workspace: AzureMLWorkspace = field(init=False)
    live: AzureLive = field(init=False)
    ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        access = access_of(self.settings)
        self.workspace = AzureMLWorkspace(access)
        self.live = AzureLive(access, self.workspace.collection, self.release.rollout.grain_s, self.now)
        file = self.settings.data / _FOLDER / f"{self.release.endpoint}.jsonl"
        self.ledger = Ledger(file, who(), lambda: datetime.fromtimestamp(self.now(), UTC), self.audit)
        self._steps = Steps(self.settings)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of connections."""
        self.live.close()
        self._steps.close()

    def wanted(self, envelope: bytes) -> Wanted:
        """Return the release with its evidence, which is believed; it is kept beside the ledger.

        Raises:
            EvidenceRefusedError: if it is not believed.
            ReleaseInvalidError: if nobody is trusted.
        """
        identified = identify(self.release)
        rules = self.rules or read_rules(rules_of(self.release.flow))
        trusted = read_trusted(self.settings.release_trusted)
        evidence = verify(envelope, identified, rules, trusted, datetime.fromtimestamp(self.now(), UTC))
        kept = self.settings.data / _FOLDER / f"{evidence.digest}.dsse.json"
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(envelope)
        return Wanted(identified, evidence)

    def promoter(self, tell: Callable[[Stage, Judgement], None] = lambda stage, judgement: None) -> Promoter:
        """Return what carries a rollout through."""
        return Promoter(self.workspace, self.live, self._judged, self.ledger, self.now, tell=tell)

    def watcher(self) -> Watcher:
        """Return what looks at what is live."""
        return Watcher(self.workspace, self.live, self._judged, self.ledger, self.now)

    def way_back(self) -> tuple[str, str]:
        """Return the slot that all traffic goes back to, and the release that it is taken from.

        Raises:
            ReleaseFailedError: if there is nothing to go back to.
        """
        found = self.workspace.look(self.release.endpoint)
        begun = next((entry for entry in reversed(self.ledger.entries()) if entry.action == STAGE), None)
        away = begun.details.get("slot") if begun else None
        if away not in SLOTS or not (found.traffic.get(str(away)) or found.mirror.get(str(away))):
            shares = {**found.mirror, **found.traffic}
            # Nobody here knows which is new: of two with traffic it is the one with less, of one it is that.
            away = next(iter(found.mirror), None) or min(shares, key=lambda slot: shares[slot], default=None)
        to = next((slot for slot in SLOTS if slot != away and slot in found.deployments), None)
        if away is None or to is None or not found.deployments[to].is_ready:
            raise ReleaseFailedError(
                f"There is nothing to go back to: '{self.release.endpoint}' has no other deployment that can answer."
            )
        there = found.deployments.get(str(away))
        return to, (there.release if there else None) or "unknown"

    def _judged(self, collected: Sequence[Collected]) -> Mapping[str, AnswerVerdict]:
        flow = self.release.flow
        judge = self._steps.judge(flows_folder() / f"eval_{flow}")
        return asyncio.run(judge_answers(flow, collected, judge, self.release.rollout.poor))
