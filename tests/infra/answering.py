"""What answers in Azure's place, at Azure's own addresses: a proxy that leads hosts to doors on this machine, over TLS.

The Speech SDK uses no proxy that it is not told of, so its endpoint is the one address that a test has to replace.
"""

import asyncio
import json
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from tests.datasets.blob_emulator import Somebody

HEADER: Final = "the-header-of-container-apps"


@dataclass
class Azure:
    """What it was asked: who wanted tokens for what, and what traces were sent with which token."""

    port: int
    signing: rsa.RSAPrivateKey
    asked: list[tuple[str, str]] = field(default_factory=list)
    traces: list[dict[str, object]] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)
    _tokens: dict[str, str] = field(default_factory=dict)

    def shown(self, resource: str) -> str:
        """Return the token that the identity shows to a resource: the same one every time."""
        if resource not in self._tokens:
            self._tokens[resource] = Somebody(resource).get_token().token
        return self._tokens[resource]

    def token(self, audience: str, tenant: str) -> str:
        """Return a token of Entra for a client of ours."""
        now = datetime.now(UTC)
        claims = {
            "aud": audience,
            "iss": f"https://login.microsoftonline.com/{tenant}/v2.0",
            "tid": tenant,
            "oid": "somebody",
            "roles": ["Dragoman.Stream"],
            "iat": now,
            "nbf": now,
            "exp": now + timedelta(hours=1),
        }
        return jwt.encode(claims, self.signing, "RS256", {"kid": "one"})


@contextmanager
def azure_apis() -> Iterator[Azure]:
    """Serve the managed identity of Container Apps, the keys of Entra, and Application Insights."""
    signing = rsa.generate_private_key(65_537, 2_048)
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(signing.public_key()))
    keys = {"keys": [{**public, "kid": "one", "use": "sig"}]}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            at = urlsplit(self.path)
            if at.path == "/msi/token" and self.headers["X-IDENTITY-HEADER"] == HEADER:
                query = {name: values[0] for name, values in parse_qs(at.query).items()}
                azure.asked.append((query["resource"], query["client_id"]))
                expires = str(int(time.time()) + 3_000)
                token = azure.shown(query["resource"])
                self._answer({"access_token": token, "expires_on": expires, "token_type": "Bearer"})
            elif at.path.endswith("/discovery/v2.0/keys"):
                self._answer(keys)
            else:
                self.send_error(404)

        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            azure.authorizations.append(self.headers["Authorization"])
            azure.traces += sent
            self._answer({"itemsReceived": len(sent), "itemsAccepted": len(sent), "errors": []})

        def _answer(self, body: Mapping[str, object]) -> None:
            data = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        azure = Azure(server.server_port, signing)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield azure
        finally:
            server.shutdown()
            thread.join()


def certify(folder: Path, hosts: list[str]) -> tuple[Path, Path]:
    """Write a certificate for hosts and for this machine, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Azure, for a test")])
    names = [*map(x509.DNSName, hosts), x509.IPAddress(ip_address("127.0.0.1"))]
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(names),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "azure.pem", folder / "azure.key"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    kind = serialization.PrivateFormat.PKCS8
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption()))
    return pem, secret


@contextmanager
def proxy(
    doors: dict[str, int], has_own_tls: set[str], straight: int, pem: Path, key: Path, seen: set[str]
) -> Iterator[tuple[str, str]]:
    """Lead each host to a port of this machine; TLS ends here, but for hosts whose doors have the certificate.

    Yields the address of the proxy, and one at which TLS ends before the port that is reached ``straight``.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, ssl.SSLError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            host = head.split()[1].partition(":")[0]
            seen.add(host)
            if host not in doors:
                writer.write(b"HTTP/1.1 502 nobody is there\r\n\r\n")
            else:
                there, back = await asyncio.open_connection("127.0.0.1", doors[host])
                if host in has_own_tls:
                    writer.write(b"HTTP/1.1 200 go on\r\n\r\n")
                else:
                    assert isinstance(writer.transport, asyncio.Transport)
                    writer.transport.pause_reading()  # what comes next is not for this reader
                    writer.write(b"HTTP/1.1 200 go on\r\n\r\n")
                    await writer.start_tls(context)
                await _both_ways((reader, writer), (there, back))
        writer.close()

    async def run() -> None:
        async with (
            await asyncio.start_server(serve, "127.0.0.1", 0) as server,
            await asyncio.start_server(partial(_join, straight), "127.0.0.1", 0, ssl=context) as secured,
        ):
            ports.extend(each.sockets[0].getsockname()[1] for each in (server, secured))
            ready.set()
            await stopping.wait()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            await asyncio.sleep(0)  # transports say that they are closed

    ports: list[int] = []
    ready, stopping, loop = threading.Event(), asyncio.Event(), asyncio.new_event_loop()
    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    assert ready.wait(10)
    try:
        yield f"http://127.0.0.1:{ports[0]}", f"https://127.0.0.1:{ports[1]}"
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join()
        loop.close()


async def _join(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        await _both_ways((reader, writer), await asyncio.open_connection("127.0.0.1", port))
    writer.close()


_Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _both_ways(here: _Ends, there: _Ends) -> None:
    pumps = [asyncio.create_task(_pump(here[0], there[1])), asyncio.create_task(_pump(there[0], here[1]))]
    try:
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for writer in (here[1], there[1]):
            writer.close()  # once it has written what it has
            with suppress(OSError, ssl.SSLError):
                await writer.wait_closed()
    finally:
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        for writer in (here[1], there[1]):
            writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
