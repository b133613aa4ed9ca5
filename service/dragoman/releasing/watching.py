"""What is live, after its rollout: the same shares by the same limits, over a window that ends now."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from dragoman.domain.errors import ReleaseFailedError
from dragoman.releasing.ledger import Ledger
from dragoman.releasing.live import Answers, Seen
from dragoman.releasing.promoting import Judging
from dragoman.releasing.rollout import Judgement, Stage, judge_stage
from dragoman.releasing.spec import Release
from dragoman.releasing.workspace import LiveFigures, Workspace

WATCHED: Final = "watched"

_ALL: Final = Stage(0, 100)


@dataclass(frozen=True)
class Watcher:
    """Looks at the live deployment of an endpoint. ``now`` is seconds since 1970."""

    workspace: Workspace
    live: LiveFigures
    judging: Judging
    ledger: Ledger
    now: Callable[[], float]

    def look(self, release: Release, window_s: float) -> tuple[str, Judgement]:
        """Return the live slot, and what is to be said of it; that goes into the ledger, with its figures.

        Its decision is ``"go on"`` if limits are surely kept, ``"roll back"`` if they surely are not, else ``"wait"``.

        Raises:
            ReleaseFailedError: if nothing is live.
            WorkspaceFailedError: if nothing can be seen.
        """
        endpoint, rules = release.endpoint, release.rollout
        found = self.workspace.look(endpoint)
        slot = found.live
        if slot is None:
            raise ReleaseFailedError(f"Nothing is live at '{endpoint}'; release something: dragoman release apply.")
        since_s = self.now() - window_s
        collected = self.live.collected(endpoint, slot, since_s, rules.poor.judged)
        seen = Seen(self.live.minutes(endpoint, since_s).get(slot, ()), Answers.of(self.judging(collected).values()))
        judgement = judge_stage(_ALL, seen, Seen(), rules, rules.least_s)
        version = found.deployments[slot].release or "unknown"
        self.ledger.add(version, WATCHED, {"slot": slot, "window_s": window_s, **judgement.model_dump(mode="json")})
        return slot, judgement
