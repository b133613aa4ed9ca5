"""Ten kills of a server and five crashes of its database lose no job, and nobody hears of an error of ours."""

import http.client
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.api.server import ServerProcess
from tests.api.test_app import form
from tests.calls import AUDIO

if TYPE_CHECKING:
    from tests.postgres import PostgresServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

KILLS: Final = 10
FILES: Final = ("one_speaker_quick_switches.flac", "one_speaker_quick_switches.flac", "es_call.wav")
JOBS: Final = 12


@pytest.fixture
def postgres_settings(postgres: "PostgresServer") -> Iterator[dict[str, str]]:
    with postgres.database() as name:
        yield {"database_url": postgres.url(name)}


@pytest.mark.nightly  # the other one does the same and more
def test_ten_kills_lose_no_job(tmp_path: Path) -> None:
    ten_kills(tmp_path, {}, lambda: None)


def test_ten_kills_and_five_crashes_of_postgresql_lose_no_job(
    tmp_path: Path, postgres: "PostgresServer", postgres_settings: dict[str, str]
) -> None:
    ten_kills(tmp_path, postgres_settings, postgres.crash)


@dataclass
class Sender:
    """Somebody who sends jobs and asks again, under the same key, until each is taken; and who looks at them."""

    server: ServerProcess
    job_ids: list[str] = field(default_factory=list)
    refusals: list[tuple[int, str | None]] = field(default_factory=list)

    def run(self) -> None:
        for number in range(JOBS):
            body, kind = form((AUDIO / FILES[number % len(FILES)]).read_bytes())
            taken = self.ask("POST", "/v1/jobs", body, {"Content-Type": kind, "Idempotency-Key": f"job {number}"})
            self.job_ids.append(str(taken["job_id"]))
            self.ask("GET", f"/v1/jobs/{self.job_ids[0]}")

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> dict[str, object]:
        """Return the answer, however often it takes; what was refused meanwhile is noted."""
        for _ in range(600):
            connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
            try:
                connection.request(method, path, body, headers or {})
                answer = connection.getresponse()
                found = answer.read()
                if answer.status < 300:
                    return dict(json.loads(found))
                self.refusals.append((answer.status, answer.headers["Retry-After"]))
            except (OSError, http.client.HTTPException):  # it was killed
                pass
            finally:
                connection.close()
            time.sleep(0.1)
        raise TimeoutError(f"nobody answers; the last refusals are {self.refusals[-3:]}")


def ten_kills(tmp_path: Path, settings: dict[str, str], crash: Callable[[], None]) -> None:
    rng = random.Random(7)
    with ServerProcess(tmp_path / "data", **settings) as server:
        sender = Sender(server)
        sending = threading.Thread(target=sender.run)
        sending.start()
        while len(sender.job_ids) < JOBS // 2:  # of few, one would be hit so often that it is given up
            time.sleep(0.05)
        for number in range(KILLS):
            time.sleep(rng.uniform(0.1, 0.6))
            if number % 2:
                crash()
                time.sleep(rng.uniform(0.0, 0.3))
            server.kill()
            server.start()
        sending.join()
        assert len(set(sender.job_ids)) == JOBS
        ends = []
        for job_id in sender.job_ids:
            while (end := sender.ask("GET", f"/v1/jobs/{job_id}"))["state"] in ("queued", "running"):
                time.sleep(0.1)
            ends.append(end)
        assert [end for end in ends if end["state"] != "completed"] == []
        for end in ends:
            ledgers = sender.ask("GET", f"/v1/transcripts/{end['session_id']}")["ledgers"]
            assert isinstance(ledgers, list)
            assert ledgers[0]["accepted_samples"] / 16 == pytest.approx(end["duration_ms"], abs=1)
    assert {status for status, _ in sender.refusals} <= {503}, sender.refusals
    assert all(after is not None for _, after in sender.refusals)
