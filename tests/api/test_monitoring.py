"""What operators see of live quality, of their own tenant."""

import asyncio
import http.server
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dragoman.domain.events import SessionEnded, WarningEvent
from dragoman.jobs.webhooks import SIGNATURE, signature
from tests.api.server import ServerProcess, free_port
from tests.api.streaming import bare, closing, messages
from tests.api.test_tenants import made, posted, uploaded

pytestmark = pytest.mark.slow

SECRET = "a secret"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    data = tmp_path_factory.mktemp("monitoring") / "data"
    made(data, "first")
    with ServerProcess(data) as running:
        yield running


def seen(server: ServerProcess, key: str) -> dict[str, list[dict[str, object]]]:
    status, body = server.get("/v1/operations/monitor", Authorization=key)
    assert status == 200
    found = json.loads(body)
    assert isinstance(found, dict)
    return found


def test_what_was_said_is_seen_in_figures_of_ones_tenant_only(server: ServerProcess) -> None:
    ours, theirs = (made(server.data, tenant, "--scope", "metrics", "--scope", "transcripts") for tenant in ("a", "b"))
    assert uploaded(server, ours)[0] == 200
    for _ in range(300):
        if (found := seen(server, ours))["signals"]:
            break
        time.sleep(0.1)
    signals = {each["signal"]: each for each in found["signals"]}
    assert signals["confidence"]["n"] == signals["speech_rate"]["n"]
    assert 5 < float(str(signals["speech_rate"]["mean"])) < 30
    objectives = {each["name"]: each for each in found["objectives"]}
    assert (objectives["availability"]["good"], objectives["availability"]["total"]) == (1, 1)
    assert (objectives["nothing_lost"]["attained"], objectives["nothing_lost"]["budget_left"]) == (1.0, 1.0)
    assert seen(server, theirs)["signals"] == []
    assert "drift" in found
    admin = made(server.data, "default", "--scope", "admin")
    everybody = json.loads(server.get("/v1/operations/monitor", Authorization=admin)[1])
    assert (everybody["tenant"], bool(everybody["signals"])) == (None, True)
    assert server.get("/v1/operations/monitor?tenant=a", Authorization=theirs)[0] == 401


def test_it_is_for_who_may_read_figures(server: ServerProcess) -> None:
    key = made(server.data, "a", "--scope", "stream")
    assert server.get("/v1/operations/monitor", Authorization=key)[0] == 401


def test_rules_that_cannot_be_used_keep_a_server_from_starting(tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text("[drift]\nalpha = 5\n")
    with pytest.raises(RuntimeError, match=r"drift\.alpha"):
        ServerProcess(tmp_path / "data", monitoring=str(rules)).start()


class Listener(http.server.BaseHTTPRequestHandler):
    """Takes what is told."""

    heard: list[tuple[str, bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.heard.append((self.headers[SIGNATURE], body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
        pass


def test_an_alert_is_called_out_and_signed(tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(
        "[[alerts]]\nname = 'spoken'\ntitle = 'Somebody speaks'\nsignal = 'utterance_s'\nhours = 1\n"
        "above = 0.0\nclear = 0.0\nleast_n = 1\nseverity = 4\n"
    )
    Listener.heard = []
    port = free_port()
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Listener) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        try:
            settings = {
                "monitoring": str(rules),
                "alert_webhooks": f"http://127.0.0.1:{port}/alerts",
                "webhook_hosts": f"127.0.0.1:{port}",
                "webhook_secret": SECRET,
            }
            data = tmp_path / "data"
            with ServerProcess(data, **settings) as server:
                assert uploaded(server, "")[0] == 200
                assert uploaded(server, "")[0] == 200
                server.kill()  # it is counted by the next one, at once, and judged
                server.start()
                for _ in range(300):
                    if Listener.heard:
                        break
                    time.sleep(0.1)
        finally:
            listening.shutdown()
            thread.join()
    subjects = [json.loads(body)["subject"] for _, body in Listener.heard]
    assert len(subjects) == len(set(subjects)) > 0  # one call for each language that was spoken
    for signed, body in Listener.heard:
        told = json.loads(body)
        assert (told["type"], told["state"], told["rule"], told["severity"]) == ("alert", "fired", "spoken", 4)
        at_s = int(signed.split(",")[0].removeprefix("t="))
        assert signed == signature(SECRET.encode(), body, at_s)


def set_budget(server: ServerProcess, tenant: str, usd: float) -> None:
    command = [sys.executable, "-m", "dragoman", "monitor", "budget", tenant, "--usd", str(usd)]
    subprocess.run([*command, "--data", str(server.data)], check=True, capture_output=True)


def test_who_has_nothing_left_is_refused_at_every_door_with_what_to_do(server: ServerProcess) -> None:
    key = made(server.data, "poor")
    status, session_id, _ = uploaded(server, key)
    assert status == 200
    set_budget(server, "poor", 0.0)
    for status, body, _ in (
        uploaded(server, key),
        posted(server, "/v1/jobs", key),
        server.request("POST", "/v1/sessions", {}, Authorization=key),
    ):
        error = json.loads(body)["error"]
        assert (status, error["code"], error["retryable"]) == (402, "budget_exhausted", False)
        assert "dragoman monitor budget poor --usd" in error["message"]
    assert asyncio.run(refused(server, key)) == "budget_exhausted"
    asked = {"question": "Who calls?", "sessions": [session_id]}
    assert server.request("POST", "/v1/answers", asked, Authorization=key)[0] == 402
    set_budget(server, "poor", 1.0)
    assert uploaded(server, key)[0] == 200
    account = seen(server, made(server.data, "poor", "--scope", "metrics"))["budgets"][0]
    assert (account["tenant"], account["limit_usd"]) == ("poor", 1.0)


async def refused(server: ServerProcess, key: str) -> str | None:
    async with bare(server.url, Authorization=key) as connection:
        await connection.send('{"type":"configure"}')
        reason, _ = await closing(connection)
        return reason.code if reason else None


def test_a_live_session_is_ended_before_it_costs_what_is_not_there_and_loses_nothing(server: ServerProcess) -> None:
    key = made(server.data, "thrifty")
    set_budget(server, "thrifty", 80 * 1.30 / 3_600)  # 80 seconds

    async def talk() -> tuple[list[str], SessionEnded]:
        async with bare(server.url, Authorization=key) as connection:
            await connection.send('{"type":"configure"}')
            for _ in range(700):
                await connection.send(bytes(3_200))  # 70 seconds, as fast as they are taken
            warned: list[str] = []
            async for event in messages(connection):
                if isinstance(event, WarningEvent):
                    warned.append(event.code)
                if isinstance(event, SessionEnded):
                    return warned, event
        raise AssertionError("the session did not end")

    warned, ended = asyncio.run(talk())
    assert "budget_exhausted" in warned
    ledger = ended.ledger
    assert ended.reason == "completed"
    assert ledger.accepted_samples == ledger.final_samples <= 80 * 16_000
    assert (ledger.lost_samples, ledger.discarded_samples) == (0, 0)
