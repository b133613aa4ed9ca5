"""``dragoman listen`` against a real server."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from dragoman.domain.events import TranscriptFinal, from_json
from tests.api.server import ServerProcess
from tests.calls import call
from tests.stream import checked

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("data") / "dragoman") as server:
        yield server


def listen(server: ServerProcess, *arguments: str, stdin: bytes | None = None) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "dragoman", "listen", *arguments, "--server", server.url]
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=100, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_a_file_is_shown_as_it_is_said(server: ServerProcess) -> None:
    status, out, err = listen(server, str(call("mixed").path), "--translate", "en", "--fast")
    assert status == 0
    assert "— en-US → es-ES —" in out
    assert "→ en" in out
    assert "0.0 s lost" in err


def test_a_pipe_becomes_events(server: ServerProcess) -> None:
    status, out, _ = listen(server, "-", "--format", "jsonl", stdin=call("de").path.read_bytes())
    assert status == 0
    events = checked(from_json(line) for line in out.splitlines())
    assert sum(isinstance(event, TranscriptFinal) for event in events) >= len(call("de").sentences) - 3


def test_trouble_has_a_cause_and_a_cure(server: ServerProcess) -> None:
    assert listen(server, "nowhere.wav")[0] == 1
    assert "There is no file 'nowhere.wav'" in listen(server, "nowhere.wav")[2]
    status, _, err = listen(server, str(call("de").path), "--languages", "it-IT")
    assert status == 1
    assert "it-IT" in err
