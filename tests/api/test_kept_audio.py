"""Accepted audio is gone when a session has ended, or is kept for as long as that is said."""

import asyncio
import io
import signal
import urllib.request
import wave
from pathlib import Path

import pytest

from tests.api.server import ServerProcess
from tests.api.test_subjects import streamed
from tests.api.test_tenants import refusal
from tests.calls import call

pytestmark = pytest.mark.slow


def heard(server: ServerProcess, session_id: str) -> bytes:
    with urllib.request.urlopen(f"{server.url}/v1/transcripts/{session_id}/audio", timeout=30) as answer:
        sound: bytes = answer.read()
    with wave.open(io.BytesIO(sound)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        frames: bytes = file.readframes(file.getnframes())
        return frames


def test_what_is_kept_can_be_heard_until_it_is_erased_or_old(tmp_path: Path) -> None:
    kept = {"keep_audio": "true"}
    with ServerProcess(tmp_path / "data", **kept) as server:
        one, two = (asyncio.run(streamed(server, ("anna",))) for _ in range(2))
        said = call("es").pcm()[: 6 * 32_000]
        assert heard(server, one) == heard(server, one) == said
        server.kill()
        server.start()  # what is kept is not swept away
        assert heard(server, two) == said
        assert server.request("DELETE", f"/v1/transcripts/{one}", None)[0] == 204
        assert refusal(server.get(f"/v1/transcripts/{one}/audio")[1]) == "session_erased"
        assert not (server.data / "spool" / f"{one}.s16").exists()
        server.kill(signal.SIGTERM)
    with ServerProcess(tmp_path / "data", **kept, retention_audio_days="0.000001") as server:
        for _ in range(200):
            status, body = server.get(f"/v1/transcripts/{two}/audio")
            if status == 410:
                break
        assert refusal(body) == "audio_gone"
        assert server.get(f"/v1/transcripts/{two}")[0] == 200


def test_what_is_not_kept_says_so(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data") as server:
        session_id = asyncio.run(streamed(server, ()))
        status, body = server.get(f"/v1/transcripts/{session_id}/audio")
        assert (status, refusal(body)) == (410, "audio_gone")
