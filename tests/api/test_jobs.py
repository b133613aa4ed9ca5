"""Long files as jobs: taken once, worked on whatever happens to the worker, and told of."""

import hashlib
import hmac
import http.server
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.api.server import ServerProcess
from tests.calls import AUDIO

pytestmark = pytest.mark.slow

Json = dict[str, object]
SHORT = "one_speaker_quick_switches.flac"
LONG = "meeting.flac"


def submit(server: ServerProcess, name: str = SHORT, key: str | None = None, **fields: str) -> tuple[int, Json]:
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
        for field, value in fields.items()
    ]
    audio = (AUDIO / name).read_bytes() if (AUDIO / name).exists() else b"no audio at all"
    head = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
    body = b"".join(parts) + head + audio + b"\r\n--b--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=b"} | ({"Idempotency-Key": key} if key else {})
    request = urllib.request.Request(f"{server.url}/v1/jobs", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def state(server: ServerProcess, job: Json) -> Json:
    status, body = server.get(f"/v1/jobs/{job['job_id']}")
    assert status == 200
    found: Json = json.loads(body)
    return found


def until(server: ServerProcess, job: Json, *states: str) -> Json:
    for _ in range(600):
        found = state(server, job)
        if found["state"] in states:
            return found
        time.sleep(0.1)
    raise TimeoutError(f"the job is still {found['state']}")


def until_gone(file: Path) -> None:
    for _ in range(100):
        if not file.exists():
            return
        time.sleep(0.05)
    raise TimeoutError("the file is still there")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("jobs") / "data") as running:
        yield running


def test_a_job_ends_with_a_transcript_and_its_file_is_gone(server: ServerProcess) -> None:
    status, job = submit(server, translate="en")
    assert (status, job["state"]) == (202, "queued")
    done = until(server, job, "completed", "failed")
    assert (done["state"], done["attempts"], done["error"]) == ("completed", 1, None)
    assert (done["done_ms"], done["duration_ms"]) == (16_760, 16_761)  # settled samples, rounded down
    status, body = server.get(f"/v1/transcripts/{done['session_id']}")
    assert status == 200
    assert len(json.loads(body)["utterances"]) >= 4
    until_gone(server.data / "jobs" / str(job["job_id"]))
    assert job["job_id"] in [each["job_id"] for each in json.loads(server.get("/v1/jobs")[1])["jobs"]]


def test_one_key_begins_one_job(server: ServerProcess) -> None:
    _, first = submit(server, key="monday")
    _, again = submit(server, key="monday")
    assert again["job_id"] == first["job_id"]
    status, other = submit(server, key="monday", translate="de")
    assert (status, other["error"]["code"]) == (409, "job_conflict")  # type: ignore[index] # an error
    assert until(server, first, "completed")["attempts"] == 1


def test_what_is_no_audio_fails_and_says_why(server: ServerProcess) -> None:
    _, job = submit(server, "letter.txt")
    failed = until(server, job, "failed", "completed")
    assert failed["error"]["code"] == "audio_unreadable"  # type: ignore[index] # an error
    assert failed["session_id"] is None


def test_a_job_is_cancelled(server: ServerProcess) -> None:
    _, long = submit(server, LONG)
    _, waiting = submit(server)
    until(server, long, "running")
    for job in (long, waiting):
        status, body, _ = server.request("DELETE", f"/v1/jobs/{job['job_id']}", None)
        assert (status, json.loads(body)["state"]) == (200, "cancelled")
    _, after = submit(server)
    assert until(server, after, "completed")
    assert state(server, long)["state"] == "cancelled"
    assert server.request("DELETE", f"/v1/jobs/{after['job_id']}", None)[0] == 200
    assert state(server, after)["state"] == "completed"


def test_wishes_that_cannot_be_met_are_refused_at_the_door(server: ServerProcess) -> None:
    assert submit(server, languages="xx-XX")[0] == 422
    status, body = submit(server, webhook="https://example.org/")
    assert (status, body["error"]["code"]) == (422, "webhook_refused")  # type: ignore[index] # an error
    assert server.get("/v1/jobs/j_1")[0] == 404
    assert server.request("DELETE", "/v1/jobs/j_1", None)[0] == 404


@contextmanager
def listening(*statuses: int) -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """Listen to webhooks; answer with these, and then with 204."""
    heard: list[tuple[str, bytes]] = []
    answers = list(statuses)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((self.headers["Dragoman-Signature"], body))
            self.send_response(answers.pop(0) if answers else 204)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as it is called there
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        thread = threading.Thread(target=listener.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{listener.server_port}", heard
        finally:
            listener.shutdown()
            thread.join()


def test_the_end_is_told_with_a_signature_until_somebody_listens(tmp_path: Path) -> None:
    with (
        listening(500) as (host, heard),
        ServerProcess(tmp_path / "data", webhook_hosts=host, webhook_secret="a secret") as server,
    ):
        _, job = submit(server, webhook=f"http://{host}/told?by=dragoman")
        until(server, job, "completed")
        for _ in range(200):
            if len(heard) == 2:
                break
            time.sleep(0.1)
        assert len(heard) == 2
        for signature, body in heard:
            at, _, seal = signature.removeprefix("t=").partition(",v1=")
            assert hmac.new(b"a secret", f"{at}.".encode() + body, hashlib.sha256).hexdigest() == seal
            assert abs(time.time() - int(at)) < 60
            told = json.loads(body)
            assert (told["job_id"], told["state"]) == (job["job_id"], "completed")
        for elsewhere in (
            "http://127.0.0.1:1/",
            "https://example.org/",
            f"http://user@{host}/",
            "ftp://x/",
            "http://[",
        ):
            assert submit(server, webhook=elsewhere)[0] == 422
