"""What the README shows to Python programmers runs as it stands there."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.api.server import ServerProcess
from tests.calls import call
from tests.emulated import Emulator

pytestmark = pytest.mark.slow

README = Path(__file__).parents[2] / "README.md"
SNIPPETS = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def _run(snippet: str, folder: Path) -> list[str]:
    for name in ("call", "monday", "tuesday"):
        shutil.copy(call("en" if name == "call" else "fr").path, folder / f"{name}.wav")
    done = subprocess.run(
        [sys.executable, "-c", snippet], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_there_are_four_snippets() -> None:
    assert len(SNIPPETS) == 4


def test_a_recording_is_transcribed(tmp_path: Path) -> None:
    lines = _run(SNIPPETS[0], tmp_path)
    assert any(line.endswith(f"en-US {call('en').sentences[0].text}") for line in lines)


def test_a_runtime_serves_many_recordings(tmp_path: Path) -> None:
    assert _run(SNIPPETS[1], tmp_path).count("session.ended") == 2


def test_a_program_streams(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data") as server:
        lines = _run(SNIPPETS[2].replace("http://127.0.0.1:8090", server.url), tmp_path)
    assert f"en-US {call('en').sentences[0].text}" in lines


def test_an_application_of_azure_talks_to_the_emulator(tmp_path: Path, emulator: Emulator) -> None:
    (line,) = _run(SNIPPETS[3].replace("127.0.0.1:8091", emulator.address), tmp_path)
    assert line == call("en").sentences[0].text
