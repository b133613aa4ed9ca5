"""What is one tenant's is no other's, on any route; and nobody uses more than it may."""

import asyncio
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from dragoman.domain.events import SessionStarted
from tests.api.server import ServerProcess
from tests.api.streaming import bare, closing, messages
from tests.calls import AUDIO

pytestmark = pytest.mark.slow

KNOWN = {
    "/v1/transcripts/{session_id}": ["json", "jsonl", "srt", "vtt", "tsv", "text"],
}
"""Routes that name a session, and the forms in which they answer."""


def made(data: Path, tenant: str, *options: str) -> str:
    command = [sys.executable, "-m", "dragoman", "keys", "create", "test", "--data", str(data), "--tenant", tenant]
    done = subprocess.run([*command, *options], check=True, capture_output=True, text=True)
    return f"Bearer {done.stdout.strip()}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    data = tmp_path_factory.mktemp("tenants") / "data"
    made(data, "first")
    with ServerProcess(data) as running:
        yield running


def uploaded(server: ServerProcess, key: str, **fields: str) -> tuple[int, str, dict[str, str]]:
    """Send the shortest sample call; return the status, the session's id (or why there is none) and the headers."""
    status, body, headers = posted(server, "/v1/transcripts", key, **fields)
    return status, headers["location"].rpartition("/")[2] if status == 200 else body, headers


def posted(server: ServerProcess, path: str, key: str, **fields: str) -> tuple[int, str, dict[str, str]]:
    """Send the shortest sample call; return the status, the answer and the headers."""
    audio = (AUDIO / "one_speaker_quick_switches.flac").read_bytes()
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    body = (
        b"".join(parts)
        + b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.flac"\r\n\r\n'
        + audio
        + b"\r\n--b--\r\n"
    )
    headers = {"Authorization": key, "Content-Type": "multipart/form-data; boundary=b"}
    request = urllib.request.Request(f"{server.url}{path}", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            found = {name.lower(): value for name, value in answer.headers.items()}
            return answer.status, answer.read().decode(), found
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), {name.lower(): value for name, value in error.headers.items()}


async def begun(server: ServerProcess, key: str) -> str:
    async with bare(server.url, Authorization=key) as connection:
        await connection.send('{"type":"configure"}')
        started = await anext(messages(connection))
        assert isinstance(started, SessionStarted)
        return started.session_id


async def resumed(server: ServerProcess, key: str, session_id: str) -> str | None:
    """Return why a session cannot be resumed."""
    async with bare(server.url, Authorization=key) as connection:
        await connection.send(json.dumps({"type": "resume", "session_id": session_id}))
        reason, _ = await closing(connection)
        return reason.code if reason else None


def test_every_route_that_names_a_session_is_known_here(server: ServerProcess) -> None:
    document = json.loads(server.get("/openapi.json")[1])
    named = {path for path in document["paths"] if "{" in path}
    others = {
        "/v1/sessions/{session_id}/feedback",
        "/v1/feedback/{feedback_id}/review",
        "/v1/operations/sessions/{session_id}",
        "/v1/transcripts/{session_id}/audio",
        "/v1/jobs/{job_id}",
        "/v1/acs/calls/{call_id}",
        "/v1/acs/calls/{call_id}/events",
    }
    assert named == {*KNOWN, *others, "/v1/subjects/{subject}", "/v1/erasures/{erasure_id}"}


def test_what_is_another_tenants_is_not_there(server: ServerProcess) -> None:
    ours, theirs = made(server.data, "first"), made(server.data, "second")
    status, mine, _ = uploaded(server, ours)
    assert status == 200
    status, other, _ = uploaded(server, theirs)
    assert status == 200
    live = asyncio.run(begun(server, ours))
    for path, forms in KNOWN.items():
        for form in forms:
            for key, own, foreign in ((ours, mine, other), (theirs, other, mine), (theirs, other, live)):
                assert server.get(f"{path.format(session_id=own)}?format={form}", Authorization=key)[0] == 200
                status, body = server.get(f"{path.format(session_id=foreign)}?format={form}", Authorization=key)
                assert (status, json.loads(body)["error"]["code"]) == (404, "session_unknown")
    for sessions in ([mine], [other, mine]):
        asked = {"question": "Who calls?", "sessions": sessions}
        assert server.request("POST", "/v1/answers", asked, Authorization=theirs)[0] == 404
    assert asyncio.run(resumed(server, theirs, live)) == "session_unknown"
    assert asyncio.run(resumed(server, theirs, mine)) == "session_unknown"


def test_another_tenants_audio_is_not_there(server: ServerProcess) -> None:
    ours, theirs = made(server.data, "first"), made(server.data, "second")
    _, mine, _ = uploaded(server, ours)
    live = asyncio.run(begun(server, ours))
    for session_id, own in ((mine, (410, "audio_gone")), (live, (409, "session_open"))):
        path = f"/v1/transcripts/{session_id}/audio"
        for key, expected in ((ours, own), (theirs, (404, "session_unknown"))):
            status, body = server.get(path, Authorization=key)
            assert (status, refusal(body)) == expected


def test_feedback_on_another_tenants_session_is_not_there(server: ServerProcess) -> None:
    ours, theirs = made(server.data, "first"), made(server.data, "second")
    _, mine, _ = uploaded(server, ours)
    path, said = f"/v1/sessions/{mine}/feedback", {"kind": "rating", "part": "transcript", "rating": 2}
    assert server.request("POST", path, said, Authorization=ours)[0] == 201
    for method, body in (("GET", None), ("POST", said), ("POST", {"kind": "shout"})):
        status, answer, _ = server.request(method, path, body, Authorization=theirs)
        foreign = (status, refusal(answer))
        status, answer, _ = server.request(method, path.replace(mine, "s_0"), body, Authorization=theirs)
        assert foreign == (status, refusal(answer))
        assert foreign in ((404, "session_unknown"), (422, "request_invalid"))
    assert len(json.loads(server.get(path, Authorization=ours)[1])["feedback"]) == 1


def test_another_tenants_jobs_are_not_there(server: ServerProcess) -> None:
    ours, theirs = made(server.data, "first"), made(server.data, "second")
    status, body, _ = posted(server, "/v1/jobs", ours)
    job = json.loads(body)["job_id"]
    assert status == 202
    for method in ("GET", "DELETE"):
        status, body, _ = server.request(method, f"/v1/jobs/{job}", None, Authorization=theirs)
        assert (status, refusal(body)) == (404, "job_unknown")
        assert server.request("GET", f"/v1/jobs/{job}", None, Authorization=ours)[0] == 200
    listed = json.loads(server.get("/v1/jobs", Authorization=theirs)[1])["jobs"]
    assert job not in [each["job_id"] for each in listed]


def test_another_tenants_calls_are_not_there(server: ServerProcess) -> None:
    ours, theirs = made(server.data, "first"), made(server.data, "second")
    status, body, _ = server.request("POST", "/v1/acs/calls", {}, Authorization=ours)
    assert status == 201
    call = json.loads(body)["call_id"]
    for path in (f"/v1/acs/calls/{call}", f"/v1/acs/calls/{call}/events"):
        foreign = server.get(path, Authorization=theirs)
        unknown = server.get(path.replace(call, "c_1"), Authorization=theirs)
        assert foreign[0] == unknown[0] == 404
        assert refusal(foreign[1]) == refusal(unknown[1])


def test_another_tenants_people_are_not_there(server: ServerProcess) -> None:
    ours, theirs = made(server.data, "first"), made(server.data, "second")
    status, mine, _ = uploaded(server, ours, subjects="anna")
    assert status == 200
    for method in ("GET", "DELETE"):
        status, body, _ = server.request(method, "/v1/subjects/anna", None, Authorization=theirs)
        assert (status, refusal(body)) == (404, "subject_unknown")
    assert json.loads(server.get("/v1/subjects/anna", Authorization=ours)[1])["sessions"] == [mine]
    status, body, headers = server.request("DELETE", "/v1/subjects/anna", None, Authorization=ours)
    assert (status, json.loads(body)["erased"]) == (200, {"sessions": 1})
    erasure = headers["location"]
    assert json.loads(server.get(erasure, Authorization=ours)[1])["state"] == "done"
    for path in (erasure, "/v1/erasures/e_1"):
        status, body = server.get(path, Authorization=theirs)
        assert (status, refusal(body)) == (404, "erasure_unknown")
    assert server.get(f"/v1/transcripts/{mine}", Authorization=ours)[0] == 410


def test_keys_of_one_tenant_see_the_same(server: ServerProcess) -> None:
    one, two = made(server.data, "third"), made(server.data, "third")
    _, session_id, _ = uploaded(server, one)
    assert server.get(f"/v1/transcripts/{session_id}", Authorization=two)[0] == 200


def refusal(body: str) -> str:
    return str(json.loads(body)["error"]["code"])


def test_who_has_used_its_minutes_waits_until_tomorrow(server: ServerProcess) -> None:
    key = made(server.data, "fourth", "--minutes-per-day", "0.2")
    assert uploaded(server, key)[0] == 200
    status, body, headers = uploaded(server, key)
    assert (status, refusal(body)) == (429, "quota_exceeded")
    assert 0 < int(headers["retry-after"]) <= 86_400
    assert server.request("POST", "/v1/sessions", {}, Authorization=key)[0] == 429


def test_a_file_that_is_too_much_for_today_is_not_taken(server: ServerProcess) -> None:
    size = (AUDIO / "one_speaker_quick_switches.flac").stat().st_size
    key = made(server.data, "fifth", "--mb-per-day", str(1.5 * size / 1_000_000))
    assert uploaded(server, key)[0] == 200
    assert uploaded(server, key)[0] == 429


def test_streams_are_counted_while_they_live(server: ServerProcess) -> None:
    key = made(server.data, "sixth", "--streams", "1")

    async def two() -> str | None:
        async with bare(server.url, Authorization=key) as first:
            await first.send('{"type":"configure"}')
            await anext(messages(first))
            async with bare(server.url, Authorization=key) as second:
                await second.send('{"type":"configure"}')
                reason, _ = await closing(second)
            await first.send(bytes(32_000))
            await first.send('{"type":"end"}')
            async for _ in messages(first):
                pass
            return reason.code if reason else None

    assert asyncio.run(two()) == "quota_exceeded"
    assert asyncio.run(begun(server, key))
