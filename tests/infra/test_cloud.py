"""The service, told what the templates tell its container, hears a call: addresses, identity and scopes all fit."""

import os
import signal
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.storage.blob import ContainerClient

from dragoman.client import stream_blocking
from dragoman.domain.messages import SessionWishes
from dragoman.emulator.run import running
from dragoman.scoring import create_score_app
from dragoman.settings import Settings
from infra.check.bicep.deployment import deploy
from infra.check.bicep.functions import TENANT
from infra.check.container import container
from tests.api.server import ServerProcess
from tests.api.streaming import pieces
from tests.calls import call
from tests.datasets.blob_emulator import KEY, azurite
from tests.emulated import Emulator
from tests.infra.answering import HEADER, Azure, azure_apis, certify, proxy
from tests.postgres import PostgresServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
VARIABLES = {
    "DRAGOMAN_ALERT_EMAILS": "operators@example.org",
    "DRAGOMAN_ENTRA_AUDIENCE": "11111111-2222-3333-4444-555555555555",
    "DRAGOMAN_INSIGHT_AT_ENDPOINT": "true",
    "SERVICE_API_IMAGE_NAME": "registry.example.org/dragoman:1",
}


def test_a_call_is_heard_with_what_the_templates_deliver(
    postgres: PostgresServer, emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = container(deploy(ROOT / "infra" / "production.bicepparam", VARIABLES)).variables
    hosts = {name: urlsplit(value).hostname or "" for name, value in told.items() if "://" in value}
    hosts["traces"] = told["APPLICATIONINSIGHTS_CONNECTION_STRING"].rpartition("://")[2].rstrip("/")
    database = urlsplit(told["DRAGOMAN_DATABASE_URL"])
    pem, key = certify(tmp_path, [*filter(None, hosts.values()), "login.microsoftonline.com"])
    for name in os.environ:
        if name.startswith(("DRAGOMAN_", "AZURE_", "PG")):
            monkeypatch.delenv(name)
    with ExitStack() as still:
        azure = still.enter_context(azure_apis())
        flow = still.enter_context(running(create_score_app("insight", Settings(threads=1))))
        account = hosts["DRAGOMAN_SPOOL"].partition(".")[0]
        monkeypatch.setenv("AZURITE_ACCOUNTS", f"{account}:{KEY}")
        storage = still.enter_context(azurite(tmp_path, "--oauth", "basic", f"--cert={pem}", f"--key={key}"))
        # The templates make the container, and the service could not.
        _make_container(storage, account, urlsplit(told["DRAGOMAN_SPOOL"]).path.strip("/"), pem)
        doors = {
            hosts["DRAGOMAN_CHAT_ENDPOINT"]: _port(emulator.url),
            hosts["DRAGOMAN_INSIGHT_ENDPOINT"]: _port(f"http://{flow}"),
            hosts["DRAGOMAN_SPOOL"]: _port(storage),
            hosts["traces"]: azure.port,
            "login.microsoftonline.com": azure.port,
        }
        way, speech = still.enter_context(
            proxy(doors, {hosts["DRAGOMAN_SPOOL"]}, _port(emulator.url), pem, key, azure.hosts)
        )
        still.enter_context(postgres.over_tls(pem, key))
        password = azure.shown("https://ossrdbms-aad.database.windows.net")
        still.enter_context(postgres.owned(database.path.strip("/"), database.username or "", password))
        # Not told by the templates: where this machine keeps what stands for the network, the platform and the disk.
        platform = {
            "HTTPS_PROXY": way,
            "NO_PROXY": "127.0.0.1",
            "SSL_CERT_FILE": str(pem),
            "REQUESTS_CA_BUNDLE": str(pem),
            "PGHOSTADDR": "127.0.0.1",
            "PGPORT": str(postgres.port),
            "IDENTITY_ENDPOINT": f"http://127.0.0.1:{azure.port}/msi/token",
            "IDENTITY_HEADER": HEADER,
        }
        # The Speech SDK uses no proxy that it is not told of.
        replaced = told["DRAGOMAN_AZURE_ENDPOINTS"].replace(f"https://{hosts['DRAGOMAN_AZURE_ENDPOINTS']}", speech)
        for name, value in {**told, **platform, "DRAGOMAN_AZURE_ENDPOINTS": replaced}.items():
            monkeypatch.setenv(name, value)
        pcm = call("de").pcm()[: 12 * 32_000]
        wishes = SessionWishes(languages=("de-DE",), translate=("en",), insight="en", polish=True)
        with ServerProcess(tmp_path / "data") as server:
            ready = server.get("/readyz")
            token = azure.token(told["DRAGOMAN_ENTRA_AUDIENCE"], TENANT)
            events = list(stream_blocking(server.url, iter(pieces(pcm)), wishes, key=token))
            server.kill(signal.SIGTERM)  # so that it sends the last traces
    assert ready[0] == 200
    ended = events[-1]
    assert ended.type == "session.ended"
    assert ended.ledger.accepted_samples == ended.ledger.final_samples == len(pcm) // 2
    assert {event.engine for event in events if event.type == "transcript.final"} == {"azure"}
    assert any(event.type == "translation.final" for event in events)
    assert [event.message for event in events if event.type in ("warning", "error")] == []
    assert {event.type for event in events} >= {"insight.ready"}
    assert azure.hosts == set(doors)
    assert set(azure.asked) == {
        (resource, told["DRAGOMAN_AZURE_CLIENT_ID"])
        for resource in (
            "https://cognitiveservices.azure.com",
            "https://ml.azure.com",
            "https://monitor.azure.com/",
            "https://ossrdbms-aad.database.windows.net",
            "https://storage.azure.com",
        )
    }
    _has_traces(azure, told["APPLICATIONINSIGHTS_CONNECTION_STRING"])


def _has_traces(azure: Azure, connection: str) -> None:
    assert set(azure.authorizations) == {f"Bearer {azure.shown('https://monitor.azure.com/')}"}
    assert {str(trace["iKey"]) for trace in azure.traces} == {connection.partition(";")[0].partition("=")[2]}
    assert {"session", "utterance"} <= {name for trace in azure.traces for name in _names(trace)}


def _names(trace: dict[str, object]) -> set[str]:
    data = trace["data"]
    assert isinstance(data, dict)
    return {str(data["baseData"].get("name"))}


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port
    return port


def _make_container(storage: str, account: str, name: str, pem: Path) -> None:
    url = f"https://127.0.0.1:{_port(storage)}/{account}"
    credential = AzureNamedKeyCredential(account, KEY)
    with ContainerClient(url, name, credential=credential, connection_verify=str(pem)) as made:
        made.create_container()
