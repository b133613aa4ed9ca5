"""Who may use a server that has keys."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.requests import HTTPConnection
from websockets.exceptions import InvalidStatus

from dragoman.api.auth import Caller, Doorkeeper
from dragoman.domain.errors import OriginRefusedError
from dragoman.domain.events import SessionStarted
from dragoman.store.database import open_database
from dragoman.store.keys import KeyStore
from dragoman.store.scope import Scope
from dragoman.store.tickets import TicketStore
from tests.api.server import ServerProcess
from tests.api.streaming import acknowledged, bare, closing, messages

pytestmark = pytest.mark.slow


def made(data: Path, *scopes: str) -> str:
    options = [part for scope in scopes for part in ("--scope", scope)]
    command = [sys.executable, "-m", "dragoman", "keys", "create", "test", "--data", str(data), *options]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, str]]:
    data = tmp_path_factory.mktemp("keyed") / "data"
    key = made(data)
    with ServerProcess(data, allowed_origins="https://captions.example.org") as server:
        yield server, f"Bearer {key}"


async def refused(server: ServerProcess, query: str = "", **headers: str) -> int:
    """Return the status with which a stream is refused."""
    try:
        async with bare(server.url, query, **headers):
            return 101
    except InvalidStatus as error:
        return error.response.status_code


async def begun(server: ServerProcess, query: str = "", **headers: str) -> str:
    """Return the id of a session begun on a stream."""
    async with bare(server.url, query, **headers) as connection:
        await connection.send('{"type":"configure"}')
        started = await anext(messages(connection))
        assert isinstance(started, SessionStarted)
        return started.session_id


def test_a_key_opens_every_door(keyed: tuple[ServerProcess, str]) -> None:
    server, key = keyed
    session_id = asyncio.run(begun(server, Authorization=key))
    assert server.get(f"/v1/transcripts/{session_id}", Authorization=key)[0] == 200
    assert server.request("POST", "/v1/sessions", {}, Authorization=key)[0] == 201


def test_with_a_key_a_server_is_reached_by_any_of_its_names(tmp_path: Path) -> None:
    key = f"Bearer {made(tmp_path / 'data')}"
    with ServerProcess(tmp_path / "data") as server:  # this is the first that it is asked
        opened = server.request("POST", "/v1/sessions", {}, Authorization=key, Host="captions.example.org")
        assert opened[0] == 201


@pytest.mark.parametrize(
    ("host", "client", "is_served"),
    [
        ("localhost:8090", "127.0.0.1", True),
        ("[::1]:8090", "::1", True),
        ("127.0.0.1", "192.0.2.7", False),  # a name that anybody can claim
        ("captions.example.org", "127.0.0.1", False),
        ("[", "127.0.0.1", False),
    ],
)
def test_without_keys_both_name_and_address_must_be_this_machines(
    tmp_path: Path, host: str, client: str, is_served: bool
) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'test.db'}")
    scope = {"type": "http", "headers": [(b"host", host.encode())], "client": (client, 50_000), "query_string": b""}
    admitted = Doorkeeper(KeyStore(engine), TicketStore(engine), ()).admit(HTTPConnection(scope), Scope.STREAM)
    if is_served:
        assert asyncio.run(admitted) == Caller()
    else:
        with pytest.raises(OriginRefusedError):
            asyncio.run(admitted)


def test_without_a_key_doors_stay_shut(keyed: tuple[ServerProcess, str]) -> None:
    server, key = keyed
    wrong = key[:-1] + ("A" if key[-1] != "A" else "B")
    for path in ("/v1/transcripts/s_1", "/metrics"):
        assert server.get(path)[0] == 401
        assert server.get(path, Authorization=wrong)[0] == 401
    assert server.request("POST", "/v1/sessions", {})[0] == 401
    assert asyncio.run(refused(server, Authorization=wrong)) == 401
    assert asyncio.run(refused(server, "?ticket=guessed")) == 401
    assert server.get("/healthz")[0] == 200

    async def nameless() -> None:
        async with bare(server.url) as connection:
            await connection.send('{"type":"configure"}')
            reason, code = await closing(connection)
            assert reason is not None
            assert (reason.code, code) == ("key_refused", 4401)

    asyncio.run(nameless())


def test_a_key_opens_only_what_it_is_for(keyed: tuple[ServerProcess, str]) -> None:
    server, _ = keyed
    metrics = f"Bearer {made(server.data, 'metrics')}"
    assert server.get("/metrics", Authorization=metrics)[0] == 200
    assert server.request("POST", "/v1/sessions", {}, Authorization=metrics)[0] == 401


def test_a_ticket_opens_one_stream_from_its_own_site(keyed: tuple[ServerProcess, str]) -> None:
    server, key = keyed
    origin = server.url

    def ticket() -> str:
        status, body, _ = server.request("POST", "/v1/tickets", {}, Authorization=key, Origin=origin)
        assert status == 201
        return f"?ticket={json.loads(body)['ticket']}"

    first = ticket()
    assert asyncio.run(begun(server, first, Origin=origin))
    assert asyncio.run(refused(server, first, Origin=origin)) == 401  # used
    assert asyncio.run(refused(server, ticket(), Origin="https://captions.example.org")) == 401  # another site's


def test_a_token_opens_one_session_as_often_as_needed(keyed: tuple[ServerProcess, str]) -> None:
    server, key = keyed
    status, body, _ = server.request("POST", "/v1/sessions", {"languages": ["de-DE"]}, Authorization=key)
    opened = json.loads(body)
    resume = {"type": "resume", "session_id": opened["session_id"], "token": opened["token"]}

    async def resumed(message: dict[str, str]) -> int | str:
        async with bare(server.url) as connection:
            await connection.send(json.dumps(message))
            if message["token"] == opened["token"]:
                return await acknowledged(connection)
            reason, _ = await closing(connection)
            return reason.code if reason else ""

    assert status == 201
    assert asyncio.run(resumed(resume)) == 0
    assert asyncio.run(resumed(resume)) == 0
    assert asyncio.run(resumed({**resume, "token": "guessed"})) == "session_unknown"


def test_pages_of_other_sites_are_refused(keyed: tuple[ServerProcess, str]) -> None:
    server, key = keyed
    assert asyncio.run(refused(server, Authorization=key, Origin="https://evil.example")) == 403
    assert asyncio.run(refused(server, Authorization=key, Origin="null")) == 403
    assert asyncio.run(refused(server, Authorization=key, Origin="https://captions.example.org")) == 101
    assert server.get("/metrics", Authorization=key, Origin="https://evil.example")[0] == 403


def test_a_server_without_keys_serves_this_machine_only(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data") as server:
        assert server.get("/metrics")[0] == 200
        assert server.get("/metrics", Host="rebound.example")[0] == 403  # DNS rebinding
        assert server.get("/metrics", Origin="https://evil.example")[0] == 403
    command = [sys.executable, "-m", "dragoman", "serve", "--host", "0.0.0.0", "--data", str(tmp_path / "data")]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 2
    assert "dragoman keys create" in refused.stderr
