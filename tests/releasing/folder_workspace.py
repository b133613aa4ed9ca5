"""A workspace in a file, so that a process that is killed leaves what it did; and live figures that are told."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pydantic import JsonValue

from dragoman.domain.errors import WorkspaceFailedError
from dragoman.insight.conversation import Conversation
from dragoman.releasing.live import Minute
from dragoman.releasing.spec import Release
from dragoman.releasing.workspace import Called, Collected, Deployed, Found, Wanted
from dragoman.resources import code_digest
from dragoman.settings import Settings
from dragoman.steps import Steps


class FolderWorkspace:
    """``after`` is called when a call has had its effect, with what was called: it may kill."""

    def __init__(self, file: Path, after: Callable[[str], None] = lambda call: None) -> None:
        self.file = file
        self.after = after
        self.calls: list[str] = []
        self.failing: list[str] = []
        self.code: str | None = code_digest()

    def _read(self) -> dict[str, JsonValue]:
        read: dict[str, JsonValue] = json.loads(self.file.read_text()) if self.file.exists() else {}
        return read

    def _change(self, call: str, **changes: JsonValue) -> None:
        if self.failing and self.failing[0] == call:
            self.failing.pop(0)
            raise WorkspaceFailedError(f"The workspace did not {call}.")
        self.calls.append(call)
        temporary = self.file.with_suffix(".new")
        temporary.write_text(json.dumps({**self._read(), **changes}))
        temporary.replace(self.file)
        self.after(call)

    def look(self, endpoint: str, wanted: Wanted | None = None) -> Found:
        read = self._read()
        deployments, traffic, mirror = (read.get(name, {}) for name in ("deployments", "traffic", "mirror"))
        assert isinstance(deployments, dict)
        assert isinstance(traffic, dict)
        assert isinstance(mirror, dict)
        return Found(
            has_model=wanted is not None and ":".join(wanted.model) in read,
            has_environment=wanted is not None and ":".join(wanted.environment) in read,
            endpoint="Succeeded" if "endpoint" in read else None,
            deployments={name: Deployed(**each) for name, each in deployments.items()},  # type: ignore[arg-type]  # as written
            traffic={name: int(str(each)) for name, each in traffic.items()},
            mirror={name: int(str(each)) for name, each in mirror.items()},
        )

    def register_environment(self, wanted: Wanted) -> None:
        self._change("register environment", **{":".join(wanted.environment): "environment"})

    def register_model(self, wanted: Wanted) -> None:
        self._change("register model", **{":".join(wanted.model): str(wanted.release.flow_folder)})

    def create_endpoint(self, release: Release) -> None:
        self._change("create endpoint", endpoint=release.endpoint)

    def deploy(self, wanted: Wanted, slot: str) -> None:
        deployments = self._read().get("deployments", {})
        assert isinstance(deployments, dict)
        made: JsonValue = {
            "release": wanted.identified.version,
            "evidence": wanted.evidence.digest,
            "state": "Succeeded",
            "is_collecting": True,
        }
        self._change("deploy", deployments={**deployments, slot: made}, words=str(wanted.release.flow_folder))

    def delete(self, endpoint: str, slot: str) -> None:
        deployments = self._read().get("deployments", {})
        assert isinstance(deployments, dict)
        self._change("delete", deployments={name: each for name, each in deployments.items() if name != slot})

    def call(self, endpoint: str, slot: str, body: JsonValue) -> Called:
        assert isinstance(body, dict)
        step = Steps(Settings()).insight(Path(str(self._read()["words"])))
        insight = asyncio.run(step.run(Conversation.model_validate(body["conversation"]), "en"))
        return Called(200, {"insight": insight.model_dump(mode="json")}, self.code)

    def route(self, endpoint: str, traffic: Mapping[str, int], mirror: Mapping[str, int]) -> None:
        self._change("route", traffic=dict(traffic), mirror=dict(mirror))


class ToldFigures:
    """Live figures that a test tells: by slot what happens in a second, whenever the clock goes on."""

    def __init__(self, workspace: FolderWorkspace) -> None:
        self.workspace = workspace
        self.now_s = 1_000_000.0
        self.minute: Callable[[str, float], Minute] = lambda slot, at_s: Minute(at_s, 10, 0, {95: 100.0, 99: 120.0})
        self.collection: Callable[[str], list[Collected]] = lambda slot: []
        self.is_away = False

    def now(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    def minutes(self, endpoint: str, since_s: float) -> Mapping[str, Sequence[Minute]]:
        if self.is_away:
            raise WorkspaceFailedError("Azure Monitor is away.")
        read = self.workspace._read()
        seen: dict[str, list[Minute]] = {}
        for kind in ("traffic", "mirror"):
            shares = read.get(kind, {})
            assert isinstance(shares, dict)
            for slot in shares:
                at_s = since_s
                while at_s < self.now_s:
                    seen.setdefault(slot, []).append(self.minute(slot, at_s))
                    at_s += 30
        return seen

    def collected(self, endpoint: str, slot: str, since_s: float, most: int) -> Sequence[Collected]:
        return self.collection(slot)[:most]
