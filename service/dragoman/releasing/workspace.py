"""What a release asks of an Azure ML workspace, in our own words; ``azureml.py`` and ``monitor.py`` do it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from pydantic import JsonValue

from dragoman.releasing.evidence import Evidence
from dragoman.releasing.live import Minute
from dragoman.releasing.spec import Release
from dragoman.releasing.subjects import Identified

SLOTS: Final = ("blue", "green")
"""The two deployments of an endpoint: one is live, the other is what comes next, or what was live before."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be released, with evidence that it passed."""

    identified: Identified
    evidence: Evidence

    @property
    def release(self) -> Release:
        """What its file says."""
        return self.identified.release

    @property
    def model(self) -> tuple[str, str]:
        """Name and version of the registered model: the flow's words."""
        return f"dragoman-{self.release.flow}", self.identified.model_version

    @property
    def environment(self) -> tuple[str, str]:
        """Name and version of the registered environment."""
        return f"dragoman-{self.release.flow}", self.identified.environment_version

    @property
    def tags(self) -> dict[str, str]:
        """What a deployment and a model are tagged with: what they are, and the evidence for it."""
        return {
            "dragoman.release": self.identified.version,
            "dragoman.evidence": self.evidence.digest,
            "dragoman.signer": self.evidence.signer,
            "dragoman.dataset": self.evidence.evaluation.dataset,
            **{f"dragoman.{name.replace('/', '.')}": digest for name, digest in self.identified.subjects.items()},
        }


@dataclass(frozen=True, slots=True)
class Deployed:
    """A deployment as it is there: the release and the evidence that its tags name, and how it is."""

    release: str | None
    evidence: str | None
    state: str
    is_collecting: bool

    @property
    def is_ready(self) -> bool:
        """Whether it can answer."""
        return self.state == "Succeeded"


@dataclass(frozen=True, slots=True)
class Found:
    """What is there: of the endpoint its state (``None`` if it is not), deployments, and percent of traffic by slot."""

    has_model: bool = False
    has_environment: bool = False
    endpoint: str | None = None
    deployments: Mapping[str, Deployed] = field(default_factory=dict)
    traffic: Mapping[str, int] = field(default_factory=dict)
    mirror: Mapping[str, int] = field(default_factory=dict)

    @property
    def live(self) -> str | None:
        """The slot that most of the traffic goes to."""
        slot = max(self.traffic, key=lambda each: self.traffic[each], default=None)
        return slot if slot and self.traffic[slot] > 0 else None


@dataclass(frozen=True, slots=True)
class Collected:
    """A request by its id: what was asked and answered, JSON as it went over the wire, ``at_s`` seconds since 1970."""

    id: str
    at_s: float
    request: JsonValue
    response: JsonValue


@dataclass(frozen=True, slots=True)
class Called:
    """What a deployment answered: the status (0 if nothing came), the answer, and the digest of the code, if told."""

    status: int
    answer: JsonValue = None
    code: str | None = None


class Workspace(Protocol):
    """A workspace. Every call returns when it is done, and raises ``WorkspaceFailedError`` if it is not."""

    def look(self, endpoint: str, wanted: Wanted | None = None) -> Found:
        """Return what is there; of assets, whether those of a release are."""
        ...

    def register_environment(self, wanted: Wanted) -> None:
        """Register the environment."""
        ...

    def register_model(self, wanted: Wanted) -> None:
        """Register the words, with their evidence."""
        ...

    def create_endpoint(self, release: Release) -> None:
        """Create the endpoint."""
        ...

    def deploy(self, wanted: Wanted, slot: str) -> None:
        """Create a deployment, or replace what is in its slot; it gets no traffic by this."""
        ...

    def delete(self, endpoint: str, slot: str) -> None:
        """Delete a deployment."""
        ...

    def call(self, endpoint: str, slot: str, body: JsonValue) -> Called:
        """Call one deployment, whatever its traffic."""
        ...

    def route(self, endpoint: str, traffic: Mapping[str, int], mirror: Mapping[str, int]) -> None:
        """Give traffic to slots, in percent, and copies of it to others."""
        ...


class LiveFigures(Protocol):
    """What Azure tells of live traffic. Every call raises ``WorkspaceFailedError`` if it does not tell."""

    def minutes(self, endpoint: str, since_s: float) -> Mapping[str, Sequence[Minute]]:
        """Return by slot what happened in every minute since then."""
        ...

    def collected(self, endpoint: str, slot: str, since_s: float, most: int) -> Sequence[Collected]:
        """Return the newest questions and answers that were collected since then."""
        ...
