"""From what is there to what is wanted: the steps, before any of them is done. Pure."""

from dataclasses import dataclass
from typing import Literal

from dragoman.domain.errors import ReleaseFailedError
from dragoman.releasing.workspace import SLOTS, Deployed, Found, Wanted

Action = Literal["register environment", "register model", "create endpoint", "deploy", "replace", "check", "route"]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: to what, and why."""

    action: Action
    target: str
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The slot that the release goes to, and the steps until it answers there. ``live`` is who answers now.

    A release is live at once only if nothing else is; all others are given traffic by a rollout.
    """

    slot: str
    live: str | None
    steps: tuple[Step, ...]

    @property
    def is_done(self) -> bool:
        """Whether there is nothing left to do but to give it traffic."""
        return not self.steps


def plan(found: Found, wanted: Wanted) -> Plan:
    """Return what is to be done.

    Raises:
        ReleaseFailedError: if another rollout is under way.
    """
    version, live = wanted.identified.version, found.live
    slot = _slot(found, wanted)
    there = found.deployments.get(slot)
    is_there = there is not None and there.release == version and there.evidence == wanted.evidence.digest
    if not is_there and there is not None and (found.traffic.get(slot, 0) or found.mirror.get(slot, 0)):
        raise ReleaseFailedError(
            f"The slot '{slot}' holds release {there.release or 'of somebody else'} and has traffic "
            f"({_shares(found)}): a rollout is under way. End it with: dragoman release promote, or rollback."
        )
    steps: list[Step] = []
    if not found.has_environment:
        steps.append(Step("register environment", ":".join(wanted.environment), "it is not there"))
    if not found.has_model:
        steps.append(Step("register model", ":".join(wanted.model), "it is not there"))
    if found.endpoint is None:
        steps.append(Step("create endpoint", wanted.release.endpoint, "it is not there"))
    if there is None:
        steps.append(Step("deploy", slot, f"release {version}"))
    elif not is_there:
        steps.append(Step("replace", slot, f"release {version} instead of {there.release or 'what is there'}"))
    elif not there.is_ready or not there.is_collecting:
        steps.append(Step("replace", slot, _lacks(there)))
    is_new = bool(steps) or slot != live
    if is_new and not found.mirror.get(slot) and not found.traffic.get(slot):
        steps.append(Step("check", slot, "it must answer, and in the words that were evaluated"))
    if live is None:
        steps.append(Step("route", slot, "100 %: nothing else is live"))
    return Plan(slot, live, tuple(steps))


def _slot(found: Found, wanted: Wanted) -> str:
    """Return where this release is already, or else the slot that is not live."""
    for slot, deployed in sorted(found.deployments.items()):
        if deployed.release == wanted.identified.version and deployed.evidence == wanted.evidence.digest:
            return slot
    return next(slot for slot in SLOTS if slot != found.live)


def _lacks(there: Deployed) -> str:
    return "its data is not collected" if there.is_ready else f"it is '{there.state}'"


def _shares(found: Found) -> str:
    told = [f"{slot} {percent} %" for slot, percent in sorted(found.traffic.items()) if percent]
    return ", ".join([*told, *(f"{slot} mirrors {percent} %" for slot, percent in found.mirror.items() if percent)])
