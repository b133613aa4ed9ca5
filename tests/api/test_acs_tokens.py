"""Tokens that Azure Communication Services signs let its calls in; forged ones do not."""

import asyncio
import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from websockets.exceptions import InvalidStatus

from dragoman.api.acs_tokens import AcsOptions, AcsTokens
from dragoman.domain.caller import Caller
from dragoman.domain.errors import KeyRefusedError, TokenKeysMissingError
from dragoman.store.scope import Scope
from tests.api.acs_client import Said, frames, metadata, streaming
from tests.api.server import ServerProcess
from tests.api.test_entra import AUDIENCE, FORGED, FORGERIES, OURS, Tenant, published, signed
from tests.api.test_tenants import made
from tests.calls import call

ISSUER: Final = "https://acscallautomation.communication.azure.com"
OF_ENTRA: Final = {"another tenant", "no tenant", "a tenant that is a list", "nobody's", "somebody who is no text"} | {
    "no roles",
    "roles that are a text",
    "a role nearly ours",
    "no beginning",
}
"""Forgeries of claims that these tokens do not have."""


def token(**changed: object) -> str:
    """Return what Azure would sign: it names no tenant, no person and no roles."""
    return signed(**{"iss": ISSUER, "tid": None, "oid": None, "roles": None, **changed})  # type: ignore[arg-type]


def verified(shown: str, scope: Scope = Scope.STREAM, answer: bytes | OSError | None = None) -> Caller:
    tenant = Tenant(published(k1=OURS) if answer is None else answer)
    tokens = AcsTokens(AcsOptions(AUDIENCE, "acme"), tenant.fetch)
    caller = asyncio.run(tokens.verify(shown, scope))
    assert tenant.asked == [f"{ISSUER}/calling/keys"]
    return caller


def test_a_token_for_our_resource_opens_streams_and_nothing_else() -> None:
    assert verified(token()) == Caller("acme", f"acs {AUDIENCE}")
    with pytest.raises(KeyRefusedError, match="streams only"):
        verified(token(), Scope.TRANSCRIPTS)


@pytest.mark.parametrize("name", sorted(FORGERIES.keys() - OF_ENTRA))
def test_a_forged_token_is_refused(name: str) -> None:
    with pytest.raises(KeyRefusedError):
        verified(FORGERIES[name]())


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "somebody-else"},
        {"aud": None},
        {"iss": f"{ISSUER}.evil.example"},
        {"iss": None},
        {"exp": 1_000_000_000},
        {"exp": None},
        {"nbf": 4_000_000_000},
        {"key": FORGED},
        {"kid": "k9"},
        {"algorithm": "RS512"},
    ],
)
def test_one_thing_wrong_is_enough(changed: dict[str, object]) -> None:
    with pytest.raises(KeyRefusedError):
        verified(token(**changed))


def test_without_keys_nobody_is_let_in() -> None:
    with pytest.raises(TokenKeysMissingError):
        verified(token(), answer=OSError("away"))


@contextmanager
def publishing(keys: bytes) -> Iterator[str]:
    """Publish keys as Azure does; give the issuer's address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/calling/keys" else 404)
            self.send_header("Content-Length", str(len(keys)))
            self.end_headers()
            self.wfile.write(keys)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its name
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}"
        finally:
            listening.shutdown()
            thread.join()


@pytest.mark.slow
def test_a_call_is_streamed_with_the_token_that_azure_signed(tmp_path: Path) -> None:
    reader = made(tmp_path / "data", "acme")

    async def stream(server: ServerProcess, issuer: str) -> None:
        shown = token(iss=issuer)
        headers = {"Authorization": f"Bearer {shown}", "x_ms_call_connection_id": "call-1"}
        async with streaming(server, "/v1/acs?languages=en-US", **headers) as connection:
            for message in (metadata(), *frames([Said(call("en").pcm()[: 8 * 32_000])])):
                await connection.send(message)
        for wrong in (token(iss=issuer, aud="other"), token(iss=ISSUER), "dgm_nothing", ""):
            with pytest.raises(InvalidStatus) as refused:
                async with streaming(server, "/v1/acs", Authorization=f"Bearer {wrong}"):
                    pass
            assert refused.value.response.status_code == 401

    with publishing(published(k1=OURS)) as issuer:
        settings = {"acs_resource": AUDIENCE, "acs_tenant": "acme", "acs_issuer": issuer}
        with ServerProcess(tmp_path / "data", **settings) as server:
            asyncio.run(stream(server, issuer))
            for _ in range(600):
                status, told = server.get("/v1/acs/calls/call-1?format=text", Authorization=reader)
                assert status == 200
                if call("en").sentences[0].text in told:
                    break
                time.sleep(0.1)
            shown = token(iss=issuer)
            assert server.get("/v1/acs/calls/call-1", Authorization=f"Bearer {shown}")[0] == 401
    assert call("en").sentences[0].text in told
