"""Operators see how everything is doing: their tenant, or all of them, and no word of what was said."""

import asyncio
import json
import signal
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from dragoman.domain.messages import SessionWishes
from dragoman.store.keys import KeyStore
from dragoman.store.scope import Scope
from tests.api.keyed import bearer
from tests.api.server import ServerProcess
from tests.api.streaming import bare, finals, messages, pieces, spoken
from tests.api.test_past import audit
from tests.api.test_tenants import begun, refusal, uploaded
from tests.calls import call

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    data = tmp_path_factory.mktemp("operations") / "data"
    bearer(data, "first")
    with ServerProcess(data, operator_tenant="platform") as running:
        yield running


def board(server: ServerProcess, key: str, query: str = "") -> dict[str, object]:
    status, body = server.get(f"/v1/operations{query}", Authorization=key)
    assert status == 200, body
    found = json.loads(body)
    assert isinstance(found, dict)
    return found


def sessions(server: ServerProcess, key: str, query: str = "") -> list[str]:
    found = board(server, key, query)["sessions"]
    assert isinstance(found, list)
    return [each["session_id"] for each in found]


def test_who_sees_what(server: ServerProcess) -> None:
    metrics = bearer(server.data, "first", Scope.METRICS)
    admin = bearer(server.data, "first", Scope.ADMIN)
    platform = bearer(server.data, "platform", Scope.ADMIN)
    visitor = bearer(server.data, "platform", Scope.METRICS)
    reader = bearer(server.data, "first", Scope.TRANSCRIPTS)
    other = bearer(server.data, "second")
    _, mine, _ = uploaded(server, reader)
    _, theirs, _ = uploaded(server, other)
    for key in (metrics, admin):
        assert mine in sessions(server, key)
        assert theirs not in json.dumps(board(server, key))
        status, body = server.get("/v1/operations?tenant=second", Authorization=key)
        assert (status, refusal(body)) == (401, "key_refused")
    assert {mine, theirs} <= set(sessions(server, platform))
    assert theirs in sessions(server, platform, "?tenant=second")
    assert mine not in sessions(server, platform, "?tenant=second")
    assert sessions(server, visitor) == []
    for path in ("", "/stream", f"/sessions/{mine}"):
        status, body = server.get(f"/v1/operations{path}", Authorization=reader)
        assert (status, refusal(body)) == (401, "key_refused")


def test_another_tenants_timeline_is_not_there(server: ServerProcess) -> None:
    ours, theirs = bearer(server.data, "first"), bearer(server.data, "second")
    platform = bearer(server.data, "platform", Scope.ADMIN)
    _, mine, _ = uploaded(server, ours)
    path = f"/v1/operations/sessions/{mine}"
    for each in (path, path.replace(mine, "s_0")):
        status, body = server.get(each, Authorization=theirs)
        assert (status, refusal(body)) == (404, "session_unknown")
    assert json.loads(server.get(path, Authorization=ours)[1])["is_readable"]
    assert not json.loads(server.get(path, Authorization=platform)[1])["is_readable"]
    told = [json.loads(line) for line in audit(server.data, "list", "-f", "jsonl").stdout.splitlines()]
    looked = [each for each in told if each["action"] == "timeline.read" and each["resource"] == mine]
    assert [each["tenant"] for each in looked] == ["first", "platform"]


def test_figures_are_those_of_the_sessions_and_hold_no_words(server: ServerProcess) -> None:
    key = bearer(server.data, "third")
    _, session_id, _ = uploaded(server, key)
    document = json.loads(server.get(f"/v1/transcripts/{session_id}", Authorization=key)[1])
    utterances, (ledger,) = document["utterances"], document["ledgers"]
    found = board(server, key)
    assert found["ledger"] == [
        {
            "tenant": "third",
            "sessions": 1,
            "open": 0,
            "accepted": ledger["accepted_samples"],
            "final": ledger["final_samples"],
            "text": ledger["text_samples"],
            "lost": 0,
            "discarded": 0,
            "waiting": 0,
        }
    ]
    spoken_ms = sum(each["end_ms"] - each["start_ms"] for each in utterances)
    languages = found["languages"]
    assert isinstance(languages, list)
    assert sum(each["speech_ms"] for each in languages) == spoken_ms
    (row,) = found["sessions"] if isinstance(found["sessions"], list) else []
    assert (row["kind"], row["finals"], row["waiting_ms"]) == ("file", len(utterances), 0)
    timeline = json.loads(server.get(f"/v1/operations/sessions/{session_id}", Authorization=key)[1])
    said = [each for each in timeline["intervals"] if each["kind"] == "speech"]
    assert [each["utterance_id"] for each in said] == [each["utterance_id"] for each in utterances]
    assert timeline["end_ms"] == ledger["accepted_samples"] * 1000 // ledger["sample_rate_hz"]
    for each in utterances:
        assert each["text"] not in json.dumps([found, timeline], ensure_ascii=False)


def test_a_live_stream_is_seen_while_it_lives_and_told_how_soon_it_was_heard(server: ServerProcess) -> None:
    key = bearer(server.data, "fourth")

    async def body() -> None:
        async with bare(server.url, Authorization=key) as connection:
            await connection.send('{"type":"configure"}')
            stream = messages(connection)
            await anext(stream)
            sent, first = 0, call("de").sentences[0]
            for awaited, until_ms in (("partial", (first.start_ms + first.end_ms) // 2), ("final", 8_000)):
                for piece in pieces(call("de").pcm()[sent : 32 * until_ms]):
                    await connection.send(piece)
                sent = 32 * until_ms
                async for message in stream:
                    if message.type == f"transcript.{awaited}":
                        break
            found = await asyncio.to_thread(board, server, key)
            (row,) = found["sessions"] if isinstance(found["sessions"], list) else []
            assert row["is_open"]
            assert row["locale"] == "de-DE"
            assert row["engine"] == "whisper"
            assert row["waiting_ms"] is not None
            (ledger,) = found["ledger"] if isinstance(found["ledger"], list) else []
            assert (ledger["sessions"], ledger["open"]) == (1, 1)
            assert ledger["accepted"] == sum(ledger[name] for name in ("final", "lost", "discarded", "waiting"))
            assert ledger["accepted"] == 16_000 * 8
            await connection.send('{"type":"end"}')
            async for _ in stream:
                pass

    asyncio.run(body())
    series = board(server, key)["series"]
    assert isinstance(series, dict)
    assert sum(value or 0 for value in series["finals"]) >= 1
    for name in ("final_p95_ms", "word_p50_ms", "partial_p95_ms"):
        assert any(value is not None for value in series[name]), name
    foreign = board(server, bearer(server.data, "fifth"))["series"]
    assert isinstance(foreign, dict)
    assert sum(value or 0 for value in foreign["finals"]) == 0


def test_the_stream_tells_what_is_new(server: ServerProcess) -> None:
    key = bearer(server.data, "sixth")
    request = urllib.request.Request(f"{server.url}/v1/operations/stream?hours=1", headers={"Authorization": key})
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")

        def snapshot() -> dict[str, object]:
            lines = iter(answer.readline, b"")
            assert next(lines) == b"event: snapshot\n"
            found = json.loads(next(lines).removeprefix(b"data: "))
            assert next(lines) == b"\n"
            assert isinstance(found, dict)
            return found

        assert snapshot()["sessions"] == []
        live = asyncio.run(begun(server, key))
        while not (seen := snapshot()["sessions"]):
            pass
        assert isinstance(seen, list)
        assert [each["session_id"] for each in seen] == [live]


def test_who_is_let_in_no_more_is_told_no_more(server: ServerProcess) -> None:
    key = bearer(server.data, "seventh")
    request = urllib.request.Request(f"{server.url}/v1/operations/stream", headers={"Authorization": key})
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.readline() == b"event: snapshot\n"
        with closing(KeyStore.open(f"sqlite:///{server.data / 'dragoman.db'}")) as keys:
            keys.revoke(key.removeprefix("Bearer dgm_")[:8])
        *_, last, data, _ = answer.readlines()
    assert last == b"event: problem\n"
    assert refusal(data.removeprefix(b"data: ").decode()) == "token_ended"


@pytest.mark.parametrize("query", ["?hours=0", "?hours=745", "?hours=x", f"?tenant={'x' * 65}"])
def test_what_cannot_be_asked_is_refused(server: ServerProcess, query: str) -> None:
    status, body = server.get(f"/v1/operations{query}", Authorization=bearer(server.data, "first"))
    assert (status, refusal(body)) == (422, "request_invalid")


def test_history_is_there_after_a_restart_and_who_looks_does_not_keep_a_server_from_stopping(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data") as server:
        heard = asyncio.run(spoken(server.url, pieces(call("es").pcm()[: 32_000 * 6]), SessionWishes()))
        with urllib.request.urlopen(f"{server.url}/v1/operations/stream", timeout=60) as answer:
            before = json.loads([answer.readline() for _ in range(2)][1].removeprefix(b"data: "))
            server.kill(signal.SIGTERM)
        server.start()
        after = board(server, "")
        for name in ("ledger", "languages", "latency", "costs", "sessions"):
            assert after[name] == before[name], name
        assert before["latency"]["finals"] == len(finals(heard))
        assert sum(value or 0 for value in before["series"]["finals"]) == len(finals(heard))
