"""The page's modules without a page: their own tests, their types, and the client in Node against a server."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from dragoman.domain.events import SessionEnded, TranscriptFinal, from_json
from tests.api.server import ServerProcess
from tests.calls import call
from tests.stream import checked

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent


def node(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run Node, which must know WebSocket: 22, or 20 with a switch."""
    found = shutil.which("node")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout if found else ""
    major = int(match[1]) if (match := re.match(r"v(\d+)", version)) else 0
    if found is None or major < 20:
        pytest.skip(f"node 20 or newer is not installed, but {version.strip() or 'none'}")
    switches = ["--experimental-websocket"] if major < 22 else []
    return subprocess.run([found, *switches, *arguments], input=stdin, capture_output=True, timeout=60, check=False)


@pytest.mark.parametrize("name", ["client", "captions", "operations"])
def test_the_module_keeps_its_promises(name: str) -> None:
    done = node("--test", str(HERE / f"{name}.test.js"))
    assert done.returncode == 0, done.stdout.decode()


def test_types_are_right(packages: Path) -> None:
    done = node(str(packages / "typescript" / "bin" / "tsc"), "--project", str(HERE))
    assert done.returncode == 0, done.stdout.decode()


def test_the_client_works_in_node(server: ServerProcess) -> None:
    done = node(str(HERE / "stream.js"), server.url, json.dumps({"languages": ["fr-FR"]}), stdin=call("fr").pcm())
    assert done.returncode == 0, done.stderr.decode()
    events = checked(from_json(line) for line in done.stdout.splitlines())
    assert len([event for event in events if isinstance(event, TranscriptFinal)]) >= len(call("fr").sentences)
    ended = events[-1]
    assert isinstance(ended, SessionEnded)
    assert ended.ledger.accepted_samples == len(call("fr").pcm()) // 2
