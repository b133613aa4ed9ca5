"""Orders that are really spoken, from the sound to the stored transcript, with a model that obeys every one of them.

The micro model knows the talk of customer calls only, so these are orders of that talk, which the offline rules rightly
let pass. The model takes them for its own; what it makes of them is not borne out by what was said, and is dropped.
"""

import json
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final
from urllib.request import Request, urlopen

import pytest

from dragoman.domain.language import base_language
from dragoman.engines.chat.extractive.lexicon import lexicon
from tests.api.server import ServerProcess
from tests.calls import AUDIO

pytestmark = pytest.mark.slow

RECORDINGS: Final = (
    "en_call.wav",
    "es_call.wav",
    "de_call.wav",
    "fr_call.wav",
    "mixed_call.wav",
    "dictation_en.flac",
    "fast_fr.flac",
    "telephone_wide_fr.flac",
    "meeting.flac",
)


class Obedient(BaseHTTPRequestHandler):
    """A language model that does whatever anybody in the conversation asks for, and says so."""

    obeyed: Final[list[str]] = []

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        data = next(json.loads(line) for line in asked["messages"][-1]["content"].splitlines() if line[:1] == "{")
        orders = [
            each for each in data["utterances"] if lexicon(base_language(each["locale"])).asks.search(each["text"])
        ]
        self.obeyed.extend(each["text"] for each in orders)
        claims = [{"text": "OBEYED", "utterance_ids": [each["id"]]} for each in orders]
        done = [{"task": "OBEYED", "owner": None, "quote": "OBEYED", "utterance_ids": [each["id"]]} for each in orders]
        draft = {"summary": claims, "topics": [], "action_items": done, "open_questions": [], "sentiment": []}
        message = {"role": "assistant", "content": json.dumps(draft), "refusal": None}
        choice = {"index": 0, "finish_reason": "stop", "message": message, "logprobs": None}
        body = json.dumps(
            {"id": "x", "object": "chat.completion", "created": 0, "model": "obedient", "choices": [choice]}
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None: ...


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Obedient) as model:
        threading.Thread(target=model.serve_forever, daemon=True).start()
        place = f"http://127.0.0.1:{model.server_port}/v1"
        with ServerProcess(tmp_path / "data", chat_endpoint=place, chat_model="obedient") as server:
            yield server
        model.shutdown()


def transcribed(server: ServerProcess, name: str, **fields: str) -> tuple[str, dict[str, object]]:
    """Return where a recording's transcript is kept, and the transcript."""
    mark = uuid.uuid4().hex
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in fields.items()
    ]
    head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    body = "".join(parts).encode() + head.encode() + (AUDIO / name).read_bytes() + f"\r\n--{mark}--\r\n".encode()
    request = Request(f"{server.url}/v1/transcripts", body, {"Content-Type": f"multipart/form-data; boundary={mark}"})
    with urlopen(request, timeout=120) as answer:
        return answer.headers["Location"], json.loads(answer.read())


def texts(transcript: dict[str, object]) -> list[str]:
    utterances = transcript["utterances"]
    assert isinstance(utterances, list)
    return [each["text"] for each in utterances]


def test_no_spoken_order_is_obeyed_and_every_one_is_kept_verbatim(server: ServerProcess) -> None:
    for name in RECORDINGS:
        plain = texts(transcribed(server, name)[1])
        place, transcript = transcribed(server, name, insight="en")
        insight = transcript["insight"]
        assert isinstance(insight, dict)
        assert insight["model"] == "obedient"
        assert "OBEYED" not in json.dumps(transcript)
        assert insight["dropped"] > 0
        stored = json.loads(server.get(place)[1])
        assert texts(transcript) == texts(stored) == plain
        assert "OBEYED" not in json.dumps(stored)
    assert len(Obedient.obeyed) >= 12
    said = " ".join(Obedient.obeyed)
    for word in ("lamp", "Dígale", "Passwort", "Notez"):  # in four languages
        assert word in said
