"""Calls of Azure Communication Services, streamed by a scripted client over a real socket."""

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import uvicorn
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from dragoman.api.app import create_app
from dragoman.domain.caller import Caller
from dragoman.domain.errors import KeyRefusedError
from dragoman.domain.events import (
    AudioAck,
    Event,
    SessionEnded,
    SessionStarted,
    TranscriptFinal,
    TranslationFinal,
    WarningEvent,
    from_json,
)
from dragoman.runtime import Runtime
from dragoman.settings import read_settings
from dragoman.store.scope import Scope
from tests.api.acs_client import Said, audio, followed, frames, metadata, send, streaming, told
from tests.api.server import ServerProcess
from tests.api.streaming import finals
from tests.api.test_app import Server
from tests.api.test_doorkeeper import made
from tests.calls import call
from tests.stream import checked

pytestmark = pytest.mark.slow

ANNA, BEN = "8:acs:3d20e1de-0f28-41c5-84a0_anna", "4:+4915112345678"
TOKEN_OF_AZURE = "Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl"
SECOND = 32_000


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, str]]:
    data = tmp_path_factory.mktemp("acs") / "data"
    key = made(data)
    with ServerProcess(data, resume_s="3", max_sessions="100") as server:
        yield server, f"Bearer {key}"


def expected(server: ServerProcess, key: str) -> tuple[str, str]:
    """Return the id of a call and the address at which it may be streamed."""
    status, body, _ = server.request("POST", "/v1/acs/calls", None, Authorization=key)
    assert status == 201
    answer = json.loads(body)
    return answer["call_id"], answer["path"]


async def streamed(
    keyed: tuple[ServerProcess, str], packets: Sequence[str], query: str = "", first: str = ""
) -> tuple[str, list[Event]]:
    """Return the id of a call and its events, streamed while an application follows it."""
    server, key = keyed
    call_id, path = expected(server, key)
    following = asyncio.create_task(followed(server, call_id, key))
    async with streaming(server, path + query, Authorization=TOKEN_OF_AZURE) as connection:
        await connection.send(first or metadata())
        await send(connection, packets)
    return call_id, await following


def by_session(events: Sequence[Event]) -> list[list[Event]]:
    """Return the events of each session, in the order in which they began."""
    sessions: dict[str, list[Event]] = {}
    for event in events:
        sessions.setdefault(event.session_id, []).append(event)
    return list(sessions.values())


def ended(events: Sequence[Event]) -> SessionEnded:
    (last,) = (event for event in events if isinstance(event, SessionEnded))
    return last


def most(name: str, events: Sequence[Event], until_ms: int = 1_000_000) -> bool:
    truth = [sentence.text for sentence in call(name).sentences if sentence.end_ms < until_ms]
    heard = [final.text for final in finals(events)]
    return len(set(truth) & set(heard)) >= 2 * len(truth) // 3


def test_a_mixed_call_is_one_session(keyed: tuple[ServerProcess, str]) -> None:
    server, key = keyed
    pcm = call("mixed").pcm()
    extra = ['{"kind":"DtmfData","dtmfData":{"data":"3"}}', '{"kind":"StopAudio","stopAudio":{}}']
    packets = frames([Said(pcm)])
    call_id, events = asyncio.run(streamed(keyed, [*packets[:5], *extra, *packets[5:]], "&translate=en"))
    checked(events)
    assert ended(events).reason == "completed"
    assert ended(events).ledger.accepted_samples == len(pcm) // 2
    assert ended(events).ledger.lost_samples == 0
    assert most("mixed", events)
    assert any(isinstance(event, TranslationFinal) for event in events)
    assert {final.speaker for final in finals(events)} == {None}
    document = json.loads(server.get(f"/v1/acs/calls/{call_id}", Authorization=key)[1])
    assert document["sessions"] == [{"session_id": events[0].session_id, "speaker": None}]
    texts = [final.text for final in finals(events)]
    assert [each["text"] for each in document["transcript"]["utterances"]] == texts
    kept = json.loads(server.get(f"/v1/transcripts/{events[0].session_id}", Authorization=key)[1])
    assert [each["text"] for each in kept["utterances"]] == texts
    captions = server.get(f"/v1/acs/calls/{call_id}?format=vtt&captions_in=en", Authorization=key)[1]
    assert captions.startswith("WEBVTT")


def test_participants_are_sessions_on_one_clock(keyed: tuple[ServerProcess, str]) -> None:
    """Anna falls silent, so that nothing comes of her; Ben joins 7.5 s after her."""
    server, key = keyed
    anna, ben = call("en").pcm()[: 12 * SECOND], call("es").pcm()
    said = [Said(anna, ANNA), Said(ben, BEN, 7_500)]
    call_id, events = asyncio.run(streamed(keyed, frames(said), "&languages=en-US,es-ES"))
    first, second = by_session(events)
    for each in (first, second):
        checked(each)
    assert [next(event.source for event in each if isinstance(event, SessionStarted)) for each in (first, second)] == [
        "acs speaker-1",
        "acs speaker-2",
    ]
    assert {final.speaker for final in finals(first)} == {"speaker-1"}
    assert {final.speaker for final in finals(second)} == {"speaker-2"}
    assert most("en", first, 11_500)
    assert most("es", second)
    begins = {sentence.text: sentence.start_ms for sentence in call("es").sentences}
    late = [(final, begins[final.text] + 7_500) for final in finals(second) if final.text in begins]
    assert late
    assert all(abs(final.start_ms - start_ms) < 400 for final, start_ms in late)
    whole = 7_500 * 16 + len(ben) // 2
    assert ended(second).ledger.accepted_samples == pytest.approx(whole, abs=200 * 16)
    assert whole - 3_500 * 16 < ended(first).ledger.accepted_samples <= whole  # and she is silent, not forgotten
    # Her last sentence is said when she has said it, not when the call is over.
    last = [event for event in events if isinstance(event, TranscriptFinal)]
    assert last.index(finals(first)[-1]) < len(last) - 3
    document = server.get(f"/v1/acs/calls/{call_id}", Authorization=key)[1]
    starts = [each["start_ms"] for each in json.loads(document)["transcript"]["utterances"]]
    assert starts == sorted(starts)
    assert "[" in server.get(f"/v1/acs/calls/{call_id}?format=text", Authorization=key)[1]
    everything = document + "".join(event.model_dump_json() for event in events) + server.log.read_text()
    assert "anna" not in everything
    assert "4915112345678" not in everything


def test_24_khz_and_the_other_way_to_write_names(keyed: tuple[ServerProcess, str]) -> None:
    pcm = call("de").pcm()
    packets = frames([Said(pcm, ANNA)], 24_000, pascal=True)
    _, events = asyncio.run(streamed(keyed, packets, "&languages=de-DE", metadata(24_000)))
    checked(events)
    assert most("de", events)
    assert ended(events).ledger.accepted_samples == pytest.approx(len(pcm) // 2, abs=200)


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([audio(b"\0\0", None, 0)], "message_invalid: The first message must be AudioMetadata."),
        (["no json"], "message_invalid: A message is no JSON."),
        (["[" * 20_000], "message_invalid: A message is no JSON."),
        (["[]"], "message_invalid: A message has no kind."),
        ([metadata(8_000)], "message_invalid: AudioMetadata cannot be read: samplerate"),
        ([metadata().replace("PCM", "OPUS")], "message_invalid: AudioMetadata cannot be read: encoding"),
        ([metadata(), '{"kind":"AudioData"}'], "message_invalid: AudioData cannot be read"),
        (
            [metadata(), '{"kind":"AudioData","audioData":{"data":"a"}}'],
            "message_invalid: AudioData cannot be read: da",
        ),
        ([metadata(), '{"kind":"AudioData","audioData":{"data":"AAAA"}}'], "message_invalid: AudioData cannot be read"),
        ([metadata(), metadata(24_000)], "message_invalid: AudioMetadata changes the audio"),
        ([metadata(), audio(b"", None, 0), audio(b"", None, 5 * 3_600_000)], "message_invalid: A timestamp is hours"),
    ],
)
def test_what_cannot_be_read_closes_with_a_reason(
    keyed: tuple[ServerProcess, str], messages: list[str], reason: str
) -> None:
    server, key = keyed

    async def refused() -> tuple[int | None, str | None]:
        async with streaming(server, expected(server, key)[1]) as connection:
            for message in messages:
                await connection.send(message)
            with pytest.raises(ConnectionClosed):
                await connection.recv()
            return connection.close_code, connection.close_reason

    code, said = asyncio.run(refused())
    assert code == 4400
    assert said is not None
    assert said.startswith(reason)


def test_a_wish_that_cannot_be_met_closes_with_a_reason(keyed: tuple[ServerProcess, str]) -> None:
    server, key = keyed

    async def refused() -> str | None:
        async with streaming(server, expected(server, key)[1] + "&languages=it-IT") as connection:
            await connection.send(metadata())
            await connection.send(audio(bytes(640), None, 0))
            with pytest.raises(ConnectionClosed):
                await connection.recv()
            return connection.close_reason

    reason = asyncio.run(refused())
    assert reason is not None
    assert reason.startswith("language_unsupported: ")
    assert len(reason.encode()) <= 123


def test_what_was_acknowledged_outlives_a_killed_server(tmp_path: Path) -> None:
    """Azure hears no acknowledgement; who follows the call does."""

    async def until_killed(server: ServerProcess) -> AudioAck:
        async with streaming(server, "/v1/acs?call=mine") as connection:
            await connection.send(metadata())
            sending = asyncio.create_task(send(connection, frames([Said(call("en").pcm())]), 0.005))
            async for message in told(server, "mine", ""):
                if isinstance(message, AudioAck) and message.accepted_samples > 6 * 16_000:
                    sending.cancel()
                    await asyncio.gather(sending, return_exceptions=True)
                    server.kill()
                    return message
        raise AssertionError("nothing was acknowledged")

    with ServerProcess(tmp_path / "data", resume_s="1") as server:
        acknowledged = asyncio.run(until_killed(server))
        server.start()
        for _ in range(200):
            lines = server.get(f"/v1/transcripts/{acknowledged.session_id}?format=jsonl")[1].splitlines()
            events = [from_json(line) for line in lines]
            if isinstance(events[-1], SessionEnded):
                break
            time.sleep(0.1)
        checked(events)
        assert ended(events).ledger.accepted_samples >= acknowledged.accepted_samples
        assert ended(events).ledger.lost_samples == 0
        assert finals(events)
        # The server that started again knows the call, and so would any other.
        status, body = server.get("/v1/acs/calls/mine")
        assert status == 200
        assert [each["session_id"] for each in json.loads(body)["sessions"]] == [acknowledged.session_id]
        assert finals(events)[0].text in server.get("/v1/acs/calls/mine?format=text")[1]
        assert finals(events)[0].text in server.get("/v1/acs/calls/mine/events")[1]
        assert server.get("/v1/acs/calls/theirs")[0] == server.get("/v1/acs/calls/%00")[0] == 404


def test_a_lost_connection_goes_on_in_the_same_session(keyed: tuple[ServerProcess, str]) -> None:
    """What was said while nobody was connected is a silence, and what follows stands where it was said."""
    server, key = keyed
    pcm = call("fr").pcm()
    packets = frames([Said(pcm, ANNA)])

    async def run() -> list[Event]:
        call_id, path = expected(server, key)
        following = asyncio.create_task(followed(server, call_id, key))
        async with streaming(server, path) as connection:
            await connection.send(metadata())
            await send(connection, packets[:500])  # 10 s
            await asyncio.sleep(0.3)
            connection.transport.abort()
        async with streaming(server, path) as connection:
            await connection.send(metadata())
            await send(connection, packets[600:])
        return await following

    events = asyncio.run(run())
    checked(events)
    assert ended(events).reason == "completed"
    assert ended(events).ledger.accepted_samples == pytest.approx(len(pcm) // 2, abs=200 * 16)
    truth = {sentence.text: sentence.start_ms for sentence in call("fr").sentences if sentence.start_ms > 12_500}
    late = [final for final in finals(events) if final.text in truth]
    assert len(late) >= len(truth) // 2
    assert all(abs(final.start_ms - truth[final.text]) < 400 for final in late)


def test_a_call_that_does_not_come_back_ends_with_what_it_has(keyed: tuple[ServerProcess, str]) -> None:
    server, key = keyed

    async def run() -> list[Event]:
        call_id, path = expected(server, key)
        following = asyncio.create_task(followed(server, call_id, key))
        async with streaming(server, path) as connection:
            await connection.send(metadata())
            await send(connection, frames([Said(call("en").pcm()[: 10 * SECOND])]))
            await asyncio.sleep(0.5)
            connection.transport.abort()
        return await following

    events = asyncio.run(run())
    checked(events)
    assert "client_gone" in [event.code for event in events if isinstance(event, WarningEvent)]
    assert ended(events).ledger.accepted_samples == 10 * 16_000
    assert finals(events)


def test_a_later_connection_takes_the_call_over(keyed: tuple[ServerProcess, str]) -> None:
    server, key = keyed

    async def run() -> tuple[int | None, list[Event]]:
        call_id, path = expected(server, key)
        following = asyncio.create_task(followed(server, call_id, key))
        packets = frames([Said(call("en").pcm()[: 8 * SECOND])])
        async with streaming(server, path) as one:
            await one.send(metadata())
            await send(one, packets[:200])
            async with streaming(server, path) as other:
                await other.send(metadata())
                with pytest.raises(ConnectionClosed):
                    await one.recv()
                await send(other, packets[200:])
            return one.close_code, await following

    code, events = asyncio.run(run())
    checked(events)
    assert code == 4409
    assert ended(events).ledger.accepted_samples == pytest.approx(8 * 16_000, abs=200 * 16)


def test_there_are_limits_to_participants(keyed: tuple[ServerProcess, str]) -> None:
    packets = [audio(bytes(640), f"8:acs:{number}", 20 * turn) for turn in range(3) for number in range(18)]
    _, events = asyncio.run(streamed(keyed, packets, "&languages=en-US"))
    sessions = by_session(events)
    assert len(sessions) == 16
    for each in sessions:
        checked(each)
    refused = [event for event in events if isinstance(event, WarningEvent) and event.code == "participant_refused"]
    assert len(refused) == 2


async def status(server: ServerProcess, path: str, **headers: str) -> int:
    try:
        async with streaming(server, path, **headers):
            return 101
    except InvalidStatus as error:
        return error.response.status_code


def test_a_call_is_streamed_by_those_only_who_may(keyed: tuple[ServerProcess, str]) -> None:
    server, key = keyed
    call_id, path = expected(server, key)
    assert asyncio.run(status(server, "/v1/acs")) == 401
    assert asyncio.run(status(server, "/v1/acs", Authorization=TOKEN_OF_AZURE)) == 401
    assert asyncio.run(status(server, path[:-1])) == 401
    assert asyncio.run(status(server, path.replace(call_id, "c_1"))) == 401
    assert asyncio.run(status(server, f"{path}&wishes=1")) == 422
    assert asyncio.run(status(server, f"{path}&lid=never")) == 422
    assert asyncio.run(status(server, "/v1/acs?call=mine", Authorization=key)) == 101
    assert server.get("/v1/acs/calls/mine", Authorization=key)[0] == 200
    assert server.get("/v1/acs/calls/mine")[0] == 401
    assert server.get("/v1/acs/calls/other", Authorization=key)[0] == 404
    ticket = json.loads(server.request("POST", "/v1/tickets", None, Authorization=key)[1])["ticket"]
    of_azure = {"Authorization": TOKEN_OF_AZURE, "x_ms_call_connection_id": "411f0b00-bb72"}
    assert asyncio.run(status(server, f"/v1/acs?ticket={ticket}", **of_azure)) == 101
    assert server.get("/v1/acs/calls/411f0b00-bb72", Authorization=key)[0] == 200


class Tokens:
    """Checks tokens as somebody does who knows Azure's keys."""

    async def verify(self, token: str, scope: Scope) -> Caller:
        if token != "signed" or scope is not Scope.STREAM:
            raise KeyRefusedError("This token is not Azure's.")
        return Caller()


class TokenServer(Server):
    """A server that has somebody to check the tokens of calls."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(runtime)
        self.config = uvicorn.Config(
            create_app(runtime, call_tokens=Tokens()), log_level="error", ws="websockets-sansio"
        )


def test_tokens_of_azure_are_checked_by_who_can(tmp_path: Path) -> None:
    async def opened(port: int, token: str) -> int:
        try:
            async with connect(
                f"ws://127.0.0.1:{port}/v1/acs", additional_headers={"Authorization": f"Bearer {token}"}
            ):
                return 101
        except InvalidStatus as error:
            return error.response.status_code

    with TokenServer(Runtime(read_settings(data=tmp_path))) as server:
        assert asyncio.run(opened(server.port, "signed")) == 101
        assert asyncio.run(opened(server.port, "forged")) == 401
