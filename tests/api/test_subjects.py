"""Who is named as a session's subject can be erased by that name, through every door, down to the bytes on the disk."""

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dragoman.api.uploads import subjects_of_form
from dragoman.client import Stream
from dragoman.domain.errors import RequestInvalidError
from dragoman.domain.messages import SessionWishes
from tests.api.server import ServerProcess
from tests.api.streaming import pieces
from tests.api.test_past import everything, words
from tests.api.test_tenants import posted, refusal, uploaded
from tests.calls import call

pytestmark = pytest.mark.slow

ANNA = "customer:4711@shop"


async def streamed(server: ServerProcess, subjects: tuple[str, ...]) -> str:
    async with Stream(server.url, SessionWishes(languages=("es-ES",), subjects=subjects)) as stream:
        for piece in pieces(call("es").pcm()[: 6 * 32_000]):
            await stream.send(piece)
        await stream.end()
        async for _ in stream.events():
            pass
        assert stream.session_id is not None
        return stream.session_id


def command(data: Path, *words_: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "dragoman", "subjects", *words_, "--data", str(data)]
    return subprocess.run(line, capture_output=True, text=True, check=False)


def until_done(server: ServerProcess, erasure: str) -> dict[str, object]:
    for _ in range(1_000):
        told: dict[str, object] = json.loads(server.get(f"/v1/erasures/{erasure}")[1])
        if told["state"] == "done":
            return told
        time.sleep(0.1)
    raise TimeoutError("it is still waiting")


def test_a_person_is_erased_through_every_door_while_the_server_runs(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data") as server:
        live = asyncio.run(streamed(server, (ANNA,)))
        _, sent, _ = uploaded(server, "", subjects=f"{ANNA},agent-7")
        status, _, headers = posted(server, "/v1/audio/transcriptions", "", model="whisper-1", subjects=ANNA)
        assert status == 200
        asked = headers["x-request-id"]
        _, job, _ = posted(server, "/v1/jobs", "", subjects=ANNA)
        other = asyncio.run(streamed(server, ()))
        said = words(server, "", sent)
        longest = max(said.split(), key=len).strip(".,?!¿¡").lower().encode()
        assert longest in everything(server.data).lower()
        found = json.loads(server.get(f"/v1/subjects/{ANNA}")[1])
        assert found["sessions"][:3] == [live, sent, asked]
        assert found["jobs"] == [json.loads(job)["job_id"]]
        assert len(json.loads(server.get("/v1/subjects/agent-7")[1])["sessions"]) == 1

        status, body, _ = server.request("DELETE", f"/v1/subjects/{ANNA}", None)
        assert status in (200, 202)
        erased = until_done(server, json.loads(body)["erasure_id"])["erased"]
        assert isinstance(erased, dict)
        assert erased["jobs"] == 1
        for session_id in (live, sent, asked):
            assert refusal(server.get(f"/v1/transcripts/{session_id}")[1]) == "session_erased"
        assert server.get(f"/v1/transcripts/{other}")[0] == 200
        left = everything(server.data).lower()  # nobody has stopped the server: its log is looked through too
        assert longest not in left
        assert ANNA.encode() not in left
        assert not list((server.data / "jobs").iterdir())
        assert ANNA not in server.log.read_text()
        assert refusal(server.request("DELETE", f"/v1/subjects/{ANNA}", None)[1]) == "subject_unknown"


def test_what_is_held_is_not_erased_and_says_so(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data") as server:
        _, session_id, _ = uploaded(server, "", subjects="ben")
        placed = command(server.data, "hold", "ben", "--reason", "case 17")
        assert placed.returncode == 0
        for path in ("/v1/subjects/ben", f"/v1/transcripts/{session_id}"):
            status, body, _ = server.request("DELETE", path, None)
            assert (status, refusal(body)) == (409, "held")
        refused = command(server.data, "erase", "ben")
        assert refused.returncode == 1
        assert "legal hold" in refused.stderr
        assert "ben" not in command(server.data, "holds").stdout
        assert command(server.data, "release", placed.stdout.strip()).returncode == 0
        assert command(server.data, "show", "ben").stdout.split() == [session_id]
        told = json.loads(command(server.data, "erase", "ben").stdout)
        assert (told["state"], told["erased"]) == ("done", {"sessions": 1})
        assert command(server.data, "compact").returncode == 0
        assert server.get(f"/v1/transcripts/{session_id}")[0] == 410
        trail = [sys.executable, "-m", "dragoman", "audit", "list", "--data", str(server.data)]
        actions = subprocess.run(trail, capture_output=True, text=True, check=True).stdout
        for action in ("hold.place", "hold.release", "subject.erase", "database.compact"):
            assert action in actions


@pytest.mark.parametrize("subjects", ["two words", "a/b", "x" * 129, ",".join(f"p{number}" for number in range(17))])
def test_what_is_no_id_is_refused(subjects: str) -> None:
    with pytest.raises(RequestInvalidError, match="opaque id"):
        subjects_of_form(subjects)
