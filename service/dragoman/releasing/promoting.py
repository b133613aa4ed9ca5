"""Carries a rollout through: sets traffic, looks, decides, and goes on, waits, holds, or takes everything back."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from dragoman.domain.errors import DragomanError, ReleaseFailedError, WorkspaceFailedError
from dragoman.releasing.ledger import Entry, Ledger
from dragoman.releasing.live import Answers, AnswerVerdict, Minute, Seen
from dragoman.releasing.rollout import Judgement, Stage, judge_stage, stage_at, stages
from dragoman.releasing.workspace import SLOTS, Collected, Found, LiveFigures, Wanted, Workspace

STAGE: Final = "stage"
DECISION: Final = "decision"
ROLLED_BACK: Final = "rolled back"
RELEASED: Final = "released"

_TRIES: Final = 10
_PAUSE_S: Final = 3.0

Judging = Callable[[Sequence[Collected]], Mapping[str, AnswerVerdict]]
"""Reads answers, and says of each how good it is."""


@dataclass(frozen=True, slots=True)
class Promotion:
    """How a rollout ended, after these judgements: the last of every stage. Without any there was nothing to do."""

    outcome: Literal["released", "rolled back", "held"]
    judgements: tuple[Judgement, ...]


@dataclass(frozen=True)
class Promoter:
    """Everything that a rollout needs. Killed at any time and begun again, it goes on at the stage where it was.

    ``now`` is seconds since 1970. ``tell`` hears of every look.
    """

    workspace: Workspace
    live: LiveFigures
    judging: Judging
    ledger: Ledger
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    tell: Callable[[Stage, Judgement], None] = lambda stage, judgement: None

    def promote(self, wanted: Wanted, to: Stage | None = None, *, again: bool = False) -> Promotion:
        """Carry a release from where it is to all of the traffic, or ``to`` a stage.

        Raises:
            ReleaseFailedError: if the release is not deployed, or was rolled back (but for ``again``).
            WorkspaceFailedError: if traffic cannot be set. What is there stays; begin again, or roll back.
        """
        found = self.workspace.look(wanted.release.endpoint)
        slot, live = self._slots(found, wanted)
        if self._is_released(found, wanted, slot):
            return Promotion("released", ())
        if live is None:
            raise ReleaseFailedError(
                f"Beside release {wanted.identified.version} in '{slot}' there is nothing to compare it with, nor to "
                "go back to, and yet it has not all of the traffic: give it that, or deploy something beside it."
            )
        if not again:
            self._check_not_rolled_back(wanted)
        rules = wanted.release.rollout
        known = stages(rules)
        at = stage_at(rules, found.mirror.get(slot, 0), found.traffic.get(slot, 0))
        if to is not None and at is not None and known.index(to) < at:
            return Promotion("held", ())  # it is past that stage
        began_s = None if at is None else self._began_s(wanted, known[at])
        judgements: list[Judgement] = []
        for number, stage in enumerate(known):
            if at is not None and number < at:
                continue
            if number != at or began_s is None:
                began_s = self._begin(wanted, stage, slot, live)
            judgement = self._watch(wanted, stage, slot, live, began_s)
            judgements.append(judgement)
            if judgement.decision == "roll back":
                self._give_back(wanted.release.endpoint, live)  # first of all; the books come after
            self._decide(wanted, judgement)
            if judgement.decision == "roll back":
                self.ledger.add(wanted.identified.version, ROLLED_BACK, {"to": live, "reason": judgement.reason})
                return Promotion("rolled back", tuple(judgements))
            if judgement.decision == "hold" or stage == to:
                return Promotion("held", tuple(judgements))
        self.ledger.add(wanted.identified.version, RELEASED, {"slot": slot, "before": live})
        return Promotion("released", tuple(judgements))

    def roll_back(self, endpoint: str, version: str, to: str, reason: str) -> None:
        """Give all traffic to a slot, at once.

        Raises:
            WorkspaceFailedError: if it cannot be given; then somebody must do it: ``az ml online-endpoint update``.
        """
        self._give_back(endpoint, to)
        self.ledger.add(version, ROLLED_BACK, {"to": to, "reason": reason})

    def _give_back(self, endpoint: str, to: str) -> None:
        for tried in range(_TRIES):
            try:
                self.workspace.route(endpoint, {to: 100}, {})
            except WorkspaceFailedError:
                if tried == _TRIES - 1:
                    raise
                self.sleep(_PAUSE_S)
            else:
                return

    def _slots(self, found: Found, wanted: Wanted) -> tuple[str, str | None]:
        """Return the slot of the release, and that of what is live beside it, if anything is.

        Raises:
            ReleaseFailedError: if the release is not there.
        """
        version, proof = wanted.identified.version, wanted.evidence.digest
        same = {name: each for name, each in found.deployments.items() if each.release == version}
        slot = next((name for name, each in same.items() if each.evidence == proof), None)
        if slot is None:
            raise ReleaseFailedError(
                f"Release {version} was deployed with other evidence than this; give that, or apply this one."
                if same
                else f"Release {version} is not deployed; do that first: dragoman release apply."
            )
        beside = next((name for name in SLOTS if name != slot and name in found.deployments), None)
        return slot, beside

    def _is_released(self, found: Found, wanted: Wanted, slot: str) -> bool:
        """Return whether it has all of the traffic, and not only because its last stage has begun."""
        last = next((each for each in reversed(self._told(wanted)) if each.action in (STAGE, RELEASED)), None)
        return found.traffic.get(slot, 0) == 100 and (last is None or last.action == RELEASED)

    def _check_not_rolled_back(self, wanted: Wanted) -> None:
        last = next((each for each in reversed(self._told(wanted)) if each.action in (STAGE, ROLLED_BACK)), None)
        if last and last.action == ROLLED_BACK:
            raise ReleaseFailedError(
                f"Release {wanted.identified.version} was rolled back on {last.at:%Y-%m-%d %H:%M}: "
                f"{last.details.get('reason')} Release what mends it, or try the same with --again."
            )

    def _begin(self, wanted: Wanted, stage: Stage, slot: str, live: str) -> float:
        traffic = {live: 100 - stage.traffic, slot: stage.traffic}
        self.workspace.route(
            wanted.release.endpoint,
            {name: percent for name, percent in traffic.items() if percent},
            {slot: stage.mirror} if stage.mirror else {},
        )
        began_s = self.now()
        self.ledger.add(wanted.identified.version, STAGE, {"stage": stage.name, "began_s": began_s, "slot": slot})
        return began_s

    def _watch(self, wanted: Wanted, stage: Stage, slot: str, live: str, began_s: float) -> Judgement:
        """Look until something is decided. What cannot be seen is no data: it is waited for, and then it is held."""
        rules, judged = wanted.release.rollout, dict[str, dict[str, AnswerVerdict]]()
        while True:
            elapsed_s = self.now() - began_s
            seen, troubles = self._seen(wanted, (slot, live), began_s, judged)
            judgement = judge_stage(stage, seen[slot], seen[live], rules, elapsed_s)
            if troubles:
                told = " ".join((judgement.reason, *(f"Not all can be seen: {each}" for each in troubles)))
                judgement = judgement.model_copy(update={"reason": told})
            self.tell(stage, judgement)
            if judgement.decision != "wait":
                return judgement
            self.sleep(rules.poll_s)

    def _seen(
        self, wanted: Wanted, slots: Sequence[str], began_s: float, judged: dict[str, dict[str, AnswerVerdict]]
    ) -> tuple[Mapping[str, Seen], list[str]]:
        """Return what is seen by slot, and what cannot be: while a judge is away, failures are counted all the same."""
        endpoint, most = wanted.release.endpoint, wanted.release.rollout.poor.judged
        troubles: list[str] = []
        minutes: Mapping[str, Sequence[Minute]] = {}
        try:
            minutes = self.live.minutes(endpoint, began_s)
        except DragomanError as error:
            troubles.append(str(error))
        for slot in slots:
            known = judged.setdefault(slot, {})
            try:
                if left := most - len(known):
                    collected = self.live.collected(endpoint, slot, began_s, most)
                    known |= self.judging([each for each in collected if each.id not in known][:left])
            except DragomanError as error:
                troubles.append(str(error))
        return {slot: Seen(minutes.get(slot, ()), Answers.of(judged[slot].values())) for slot in slots}, troubles

    def _decide(self, wanted: Wanted, judgement: Judgement) -> None:
        self.ledger.add(wanted.identified.version, DECISION, judgement.model_dump(mode="json"))

    def _began_s(self, wanted: Wanted, stage: Stage) -> float | None:
        """Return when a stage began, if the ledger knows."""
        for entry in reversed(self._told(wanted)):
            if entry.action == STAGE:
                began_s = entry.details.get("began_s")
                return began_s if entry.details.get("stage") == stage.name and isinstance(began_s, float) else None
        return None

    def _told(self, wanted: Wanted) -> list[Entry]:
        return [entry for entry in self.ledger.entries() if entry.release == wanted.identified.version]
