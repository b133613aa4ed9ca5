"""The image's build steps and commands, in a folder instead of an image, where only its data can be written."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.infra.dockerfile import Environment, Root, Stage, stages

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
UNPRIVILEGED = ["setpriv", "--bounding-set=-all"] if os.geteuid() == 0 and shutil.which("setpriv") else []
"""Root without capabilities may write no more than anybody: a folder that is read-only is read-only."""
BUILD = stages(ROOT / "service" / "Dockerfile")
FLOW = stages(ROOT / "flows" / "Dockerfile")


@pytest.fixture(scope="module")
def image() -> Iterator[Root]:
    folder = Path(tempfile.mkdtemp(prefix="dragoman-image-"))
    try:
        root = Root(folder, ROOT)
        root.build(BUILD["build"])
        subprocess.run(["chmod", "-R", "a-w", folder], check=True)
        folder.chmod(0o755)
        for name in ("data", "tmp"):
            (folder / name).mkdir(mode=0o700)
        folder.chmod(0o555)
        yield root
    finally:
        subprocess.run(["chmod", "-R", "u+w", folder], check=True)
        shutil.rmtree(folder)


def _environment(image: Root, stage: Stage) -> Environment:
    return image.environment(stage) | {"HOME": f"{image.folder}/tmp", "TMPDIR": f"{image.folder}/tmp"}


def _command(image: Root, words: list[str], environment: Environment) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*UNPRIVILEGED, *words],
        cwd=image.folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _said(image: Root, words: list[str], environment: Environment) -> str:
    with _command(image, words, environment) as process:
        said = process.communicate(timeout=60)[0]
    assert process.returncode == 0, said
    return said


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@contextmanager
def _running(image: Root, stage: Stage) -> Iterator[str]:
    """Run what the image runs until its own health check passes; yield its address."""
    declared = stage.last("EXPOSE")
    assert declared is not None
    port = str(_free_port())
    environment = _environment(image, stage)
    words = [word.replace(declared, port) for word in [*stage.words("ENTRYPOINT"), *stage.words("CMD")]]
    health = [word.replace(declared, port) for word in stage.health()]
    process = _command(image, words, environment)
    try:
        deadline = time.monotonic() + 60
        while subprocess.run(health, cwd=image.folder, env=environment, capture_output=True, check=False).returncode:
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline, "the health check never passed"
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=30)
    assert process.returncode in (0, -15, 143)


def test_the_service_runs_from_its_locks_and_writes_its_data_only(image: Root) -> None:
    stage = BUILD["service"]
    environment = _environment(image, stage)
    said = _said(image, ["dragoman", "keys", "create", "laptop", "--if-none"], environment)
    key = said.split()[0]
    assert "There is a key" in _said(image, ["dragoman", "keys", "create", "laptop", "--if-none"], environment)
    with _running(image, stage) as address, httpx.Client(base_url=address, timeout=60) as client:
        recording = (ROOT / "samples" / "audio" / "en_call.wav").read_bytes()
        answer = client.post(
            "/v1/transcripts",
            files={"file": ("call.wav", recording)},
            data={"format": "text"},
            headers={"Authorization": f"Bearer {key}"},
        )
        assert answer.status_code == 200, answer.text
        assert len(answer.text.split()) > 20
    assert (image.folder / "data" / "dragoman.db").exists()


def test_a_flow_answers_score(image: Root) -> None:
    with _running(image, FLOW["flow"]) as address, httpx.Client(base_url=address, timeout=60) as client:
        line = json.loads((ROOT / "flows" / "insight" / "data.jsonl").read_text().splitlines()[0])
        answer = client.post("/score", json={"conversation": line["conversation"], "language": "en"})
        assert answer.status_code == 200, answer.text
        summary = answer.json()["insight"]["summary"]
        assert summary
        assert all(claim["utterance_ids"] for claim in summary)


def test_the_image_is_nobodys_and_needs_no_shell() -> None:
    assert BUILD["service"].last("USER") == FLOW["flow"].last("USER") == "10001"
    assert BUILD["service"].words("ENTRYPOINT") == ["dragoman"]


def test_both_images_are_built_alike() -> None:
    assert BUILD["build"].steps == FLOW["build"].steps


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [hadolint, "service/Dockerfile", "flows/Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
