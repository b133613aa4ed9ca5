"""An image built by a registry: what it is sent, and what becomes of a build that fails."""

import io
import json
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from image import BuildError, build, commit, source
from tests.infra.arm_double import ArmDouble, asking

if TYPE_CHECKING:
    from arm import Json

REGISTRY = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/r"
ROOT = Path(__file__).parents[2]


def _run(status: str, **more: object) -> httpx.Response:
    return httpx.Response(200, json={"properties": {"runId": "ca1", "status": status, **more}})


def _double(*statuses: httpx.Response) -> ArmDouble:
    place: Json = {"uploadUrl": "https://storage.example/source?sig=x", "relativePath": "source/1.tar.gz"}
    return ArmDouble(
        {
            "/listBuildSourceUploadUrl": place,
            "/source": [httpx.Response(201)],
            "/scheduleRun": [_run("Queued")],
            "/runs/ca1": list(statuses),
            "/listLogSasUrl": {"logLink": "https://storage.example/log"},
            "/log": [httpx.Response(200, text="step 1\nstep 2\nno space left")],
        }
    )


def test_a_build_is_waited_for_and_named_by_its_digest() -> None:
    output = {"registry": "r.azurecr.io", "repository": "insight", "tag": "0123", "digest": "sha256:abc"}
    double = _double(_run("Running"), _run("Running"), _run("Succeeded", outputImages=[output]))
    with asking(double) as (arm, http):
        made = build(
            arm,
            http,
            REGISTRY,
            b"packed",
            "insight:0123",
            dockerfile="flows/Dockerfile",
            arguments={"FLOW": "answer"},
            sleep=_now,
        )
    assert made == "r.azurecr.io/insight@sha256:abc"
    assert ("PUT", "/source", b"packed") in double.asked
    request = json.loads(next(body for _, path, body in double.asked if path.endswith("/scheduleRun")))
    assert request["sourceLocation"] == "source/1.tar.gz"
    assert request["arguments"] == [{"name": "FLOW", "value": "answer", "isSecret": False}]
    assert (ROOT / request["dockerFilePath"]).exists()


def test_a_build_that_fails_says_why() -> None:
    with (
        asking(_double(_run("Failed"))) as (arm, http),
        pytest.raises(BuildError, match=r"(?s)Failed:\n.*no space left"),
    ):
        build(arm, http, REGISTRY, b"packed", "insight:0123", dockerfile="flows/Dockerfile", arguments={}, sleep=_now)


def test_what_is_built_is_what_was_committed(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init", "--quiet")
    (tmp_path / "prompt.txt").write_text("good")
    git("add", ".")
    git("commit", "--quiet", "--message", "first")
    with tarfile.open(fileobj=io.BytesIO(source(tmp_path))) as packed:
        assert packed.getnames() == ["prompt.txt"]
    assert len(commit(tmp_path)) == 12
    (tmp_path / "prompt.txt").write_text("better")
    with pytest.raises(BuildError, match=r"Commit first.*\n.*prompt.txt"):
        source(tmp_path)


def _now(seconds: float) -> None:
    assert seconds > 0
