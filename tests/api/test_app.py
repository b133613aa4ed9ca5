"""The HTTP door over a real socket on the loopback interface."""

import http.client
import json
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from dragoman.api.app import create_app
from dragoman.domain.events import DurableEvent, SessionEnded, TranscriptFinal, from_json
from dragoman.resources import samples_folder
from dragoman.runtime import Runtime
from dragoman.settings import read_settings
from tests.calls import CANDIDATES, call
from tests.stream import checked

pytestmark = pytest.mark.slow


class Server(uvicorn.Server):
    """A server on a free port, in a thread."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(uvicorn.Config(create_app(runtime), log_level="error"))
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.run, args=([self.socket],))

    def __enter__(self) -> "Server":
        self.thread.start()
        while not self.started:
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self.should_exit = True
        self.thread.join()
        self.socket.close()

    def request(self, method: str, path: str, body: bytes = b"", content_type: str = "") -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, {"Content-Type": content_type} if content_type else {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def post(self, audio: bytes, **fields: str) -> tuple[int, str]:
        return self.request("POST", "/v1/transcripts", *form(audio, **fields))


def form(audio: bytes, **fields: str) -> tuple[bytes, str]:
    """Return the body and the content type of a form with a file."""
    mark = secrets.token_hex(8)
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="call.wav"\r\n\r\n'
    body = "".join([*parts, head]).encode() + audio + f"\r\n--{mark}--\r\n".encode()
    return body, f"multipart/form-data; boundary={mark}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(Runtime(read_settings(data=tmp_path_factory.mktemp("data")))) as server:
        yield server


def test_the_server_lives_and_is_ready(server: Server) -> None:
    assert server.request("GET", "/healthz") == (200, "ok\n")
    status, body = server.request("GET", "/readyz")
    assert (status, json.loads(body)) == (
        200,
        {
            "transcription": {"engine": "whisper", "model": "whisper-micro", "locales": sorted(CANDIDATES)},
            "translation": {"targets": ["de", "en", "es", "fr"]},
        },
    )


def test_a_server_without_its_model_is_alive_but_not_ready(tmp_path: Path) -> None:
    with Server(Runtime(read_settings(model="./nowhere", data=tmp_path))) as server:
        assert server.request("GET", "/healthz")[0] == 200
        status, body = server.request("GET", "/readyz")
        assert (status, json.loads(body)["error"]["code"]) == (503, "model_missing")


def test_a_server_whose_model_is_busy_takes_no_new_session(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Runtime, "delay_s", 1.5)
    status, body = server.request("POST", "/v1/sessions", b"{}", "application/json")
    assert (status, json.loads(body)["error"]["code"]) == (429, "capacity")
    assert server.request("GET", "/readyz")[0] == 503
    assert "dragoman_model_delay_seconds 1.5" in server.request("GET", "/metrics")[1]


def test_a_file_becomes_a_transcript(server: Server) -> None:
    status, body = server.post(call("fr").path.read_bytes(), translate="en")
    document = json.loads(body)
    assert (status, document["source"], document["languages"]) == (200, "call.wav", ["fr-FR"])
    thanks = call("fr").sentences[14]
    assert thanks.text in [each["text"] for each in document["utterances"]]
    assert thanks.english in [each["translations"]["en"] for each in document["utterances"]]


@pytest.mark.parametrize(
    ("name", "beginning"), [("srt", "1\n"), ("vtt", "WEBVTT"), ("tsv", "start_ms"), ("text", "[00")]
)
def test_a_file_becomes_captions(server: Server, name: str, beginning: str) -> None:
    status, body = server.post(call("en").path.read_bytes(), format=name)
    assert status == 200
    assert body.startswith(beginning)


def test_captions_are_in_the_language_asked_for(server: Server) -> None:
    audio = call("es").path.read_bytes()
    status, body = server.post(audio, format="srt", translate="en")
    assert (status, json.loads(body)["error"]["code"]) == (422, "captions_language")
    assert server.post(audio, format="srt", translate="en", captions_in="fr")[0] == 422
    status, body = server.post(audio, format="srt", translate="en", captions_in="EN")
    assert status == 200
    assert call("es").sentences[5].english in body


def test_a_file_becomes_a_stream_of_events(server: Server) -> None:
    status, body = server.post(call("mixed").path.read_bytes(), format="jsonl", word_times="true")
    events = [from_json(line) for line in body.splitlines()]
    finals = [
        event
        for event in checked(e for e in events if isinstance(e, DurableEvent))
        if isinstance(event, TranscriptFinal)
    ]
    assert status == 200
    assert [final.locale for final in finals] == [sentence.locale for sentence in call("mixed").sentences]


def test_a_reader_that_leaves_ends_the_work_and_what_was_said_stays(server: Server) -> None:
    body, content_type = form((samples_folder() / "audio" / "meeting.flac").read_bytes(), format="jsonl")
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("POST", "/v1/transcripts", body, {"Content-Type": content_type})
    answer = connection.getresponse()
    place = answer.headers["Location"]
    answer.readline()
    connection.close()
    for _ in range(100):
        told = [from_json(line) for line in server.request("GET", f"{place}?format=jsonl")[1].splitlines()]
        if isinstance(told[-1], SessionEnded):
            break
        time.sleep(0.1)
    events = checked(event for event in told if isinstance(event, DurableEvent))
    assert isinstance(last := events[-1], SessionEnded)
    assert last.reason == "cancelled"
    assert last.ledger.accepted_samples < 600 * 16_000  # not all of the ten minutes


@pytest.mark.parametrize(
    ("audio", "fields", "code"),
    [
        (b"no audio", {}, "audio_unreadable"),
        (b"", {}, "audio_empty"),
        (b"", {"languages": "en"}, "locale_invalid"),
        (b"", {"languages": "it-IT"}, "language_unsupported"),
        (b"", {"languages": "en-US,es-ES,de-DE,fr-FR,it-IT", "lid": "at-start"}, "language_limit"),
    ],
)
def test_trouble_has_a_code_and_a_cure(server: Server, audio: bytes, fields: dict[str, str], code: str) -> None:
    status, body = server.post(audio, **fields)
    assert (status, json.loads(body)["error"]["code"]) == (422, code)


def test_a_stream_that_cannot_begin_is_refused_and_not_empty(server: Server) -> None:
    status, body = server.post(b"", languages="xx", format="jsonl")
    assert (status, json.loads(body)["error"]["code"]) == (422, "locale_invalid")


def test_a_request_without_a_file_is_refused(server: Server) -> None:
    status, body = server.request("POST", "/v1/transcripts", b"{}", "application/json")
    assert (status, json.loads(body)["error"]["code"]) == (422, "request_invalid")
    assert "file" in json.loads(body)["error"]["message"]
