"""What somebody corrects becomes what is measured on and taught with, until its session is erased."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dragoman.resources import samples_folder
from tests.api.server import ServerProcess
from tests.api.test_tenants import made

pytestmark = pytest.mark.slow


def streamed(server: ServerProcess, key: str) -> dict[str, object]:
    """Stream a short sample; return its first final."""
    file = samples_folder() / "audio" / "one_speaker_quick_switches.flac"
    command = [sys.executable, "-m", "dragoman", "listen", str(file), "--server", server.url, "--fast", "-f", "jsonl"]
    done = subprocess.run(
        [*command, "--key", key.removeprefix("Bearer ")], check=True, capture_output=True, text=True, timeout=100
    )
    events = [json.loads(line) for line in done.stdout.splitlines()]
    return next(event for event in events if event["type"] == "transcript.final")


def test_a_correction_of_a_live_session_becomes_a_recording_of_a_new_version(tmp_path: Path) -> None:
    data = tmp_path / "data"
    key = made(data, "first")
    with ServerProcess(data, keep_audio="true") as server:
        final = streamed(server, key)
        said = {"kind": "correction", "part": "transcript", "utterance_id": final["utterance_id"], "text": ""}
        path = f"/v1/sessions/{final['session_id']}/feedback"
        status, body, _ = server.request("POST", path, said, Authorization=key)
        assert status == 201
        command = [sys.executable, "-m", "dragoman", "feedback"]
        feedback_id = json.loads(body)["feedback_id"]
        for arguments in (("accept", feedback_id), ("build", "corrections", "--consent", "a test")):
            subprocess.run([*command, *arguments, "--data", str(data)], check=True, capture_output=True, timeout=100)
        (manifest,) = (data / "datasets" / "corrections").glob("*/manifest.jsonl")
        (item,) = map(json.loads, manifest.read_text().splitlines())
        assert item["session"] == final["session_id"]
        assert (manifest.parent / item["file"]).is_file()
        assert server.request("DELETE", f"/v1/transcripts/{item['session']}", None, Authorization=key)[0] == 204
        assert list((data / "spool").glob("*.s16")) == []
        assert manifest.read_text() == ""
        assert not (manifest.parent / item["file"]).exists()
