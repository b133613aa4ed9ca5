"""What was said is found, and erased; and what was done is told."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.api.server import ServerProcess
from tests.api.test_tenants import begun, made, uploaded

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    data = tmp_path_factory.mktemp("past") / "data"
    made(data, "first")
    with ServerProcess(data) as running:
        yield running


def words(server: ServerProcess, key: str, session_id: str) -> str:
    """Return what the longest utterance of a session says."""
    utterances = json.loads(server.get(f"/v1/transcripts/{session_id}", Authorization=key)[1])["utterances"]
    return str(max((each["text"] for each in utterances), key=len))


def found(server: ServerProcess, key: str, query: str) -> list[str]:
    status, body = server.get(f"/v1/search?q={quote(query)}", Authorization=key)
    assert status == 200
    return [each["session_id"] for each in json.loads(body)["finals"]]


def audit(data: Path, *words_: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dragoman", "audit", *words_, "--data", str(data)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_what_was_said_is_found_by_its_tenant_until_it_is_erased(server: ServerProcess) -> None:
    ours, theirs = made(server.data, "first"), made(server.data, "second")
    _, session_id, _ = uploaded(server, ours)
    said = words(server, ours, session_id)
    assert session_id in found(server, ours, said)
    assert found(server, theirs, said) == []
    path = f"/v1/transcripts/{session_id}"
    assert server.request("DELETE", path, None, Authorization=theirs)[0] == 404
    assert server.request("DELETE", path, None, Authorization=ours)[0] == 204
    assert session_id not in found(server, ours, said)
    for method in ("GET", "DELETE"):
        status, body, _ = server.request(method, path, None, Authorization=ours)
        assert (status, json.loads(body)["error"]["code"]) == (410, "session_erased")
        assert server.request(method, path, None, Authorization=theirs)[0] == 404


def test_nothing_of_it_is_left_on_the_disk(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data") as server:
        _, session_id, _ = uploaded(server, "")
        said = words(server, "", session_id)
        longest = max(said.split(), key=len).strip(".,?!¿¡")
        assert longest.encode() in everything(server.data)
        assert server.request("DELETE", f"/v1/transcripts/{session_id}", None)[0] == 204
        server.kill(signal.SIGTERM)
        left = everything(server.data)
        assert said.encode() not in left
        assert longest.lower().encode() not in left.lower()
        assert session_id.encode() in left  # its tombstone, and what was done with it


def everything(folder: Path) -> bytes:
    """Return all that is on the disk."""
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


def test_what_is_live_is_not_erased(server: ServerProcess) -> None:
    key = made(server.data, "first")
    live = asyncio.run(begun(server, key))
    status, body, _ = server.request("DELETE", f"/v1/transcripts/{live}", None, Authorization=key)
    assert (status, json.loads(body)["error"]["code"]) == (409, "session_open")


def test_what_was_done_is_told_and_no_word_of_what_was_said(server: ServerProcess) -> None:
    key = made(server.data, "first", "--scope", "transcripts", "--scope", "stream")
    _, session_id, _ = uploaded(server, key)
    said = words(server, key, session_id)
    found(server, key, said)
    server.request("DELETE", f"/v1/transcripts/{session_id}", None, Authorization=key)
    told = audit(server.data, "list", "-f", "jsonl").stdout
    actor = key.removeprefix("Bearer dgm_")[:8]
    mine = [each for each in map(json.loads, told.splitlines()) if each["actor"] == actor]
    assert [each["action"] for each in mine] == ["transcript.create", "transcript.read", "search", "transcript.erase"]
    assert {each["resource"] for each in mine} == {session_id, "finals"}
    assert json.loads(mine[0]["details"])["speech"].startswith("whisper micro@")
    first = json.loads(told.splitlines()[1])
    assert first["action"] == "versions.change"
    assert json.loads(first["details"])["speech"] == json.loads(mine[0]["details"])["speech"]
    assert any(
        each["action"] == "key.create" and each["resource"] == actor for each in map(json.loads, told.splitlines())
    )
    assert said not in told
    whole = audit(server.data, "verify")
    assert whole.returncode == 0
    assert whole.stdout.split()[0] == str(len(told.splitlines()))
