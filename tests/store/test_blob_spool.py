"""Accepted audio in Blob Storage, played by Azurite: takeovers, full blobs and faults."""

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import ServiceResponseTimeoutError
from azure.core.pipeline.transport import RequestsTransport
from azure.storage.blob import BlobServiceClient, ContainerClient

from dragoman.domain.errors import SpoolFailedError
from dragoman.store.blobs import BlobSpool, open_container
from tests.datasets.blob_emulator import ACCOUNT, KEY, Somebody, azurite, certificate
from tests.store.test_spool import ID, read, speech, spooling

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from azure.core.pipeline.transport import HttpRequest
    from azure.core.rest import HttpResponse

    from dragoman.store.ports import Spool

pytestmark = pytest.mark.slow

CREDENTIAL: Final = AzureNamedKeyCredential(ACCOUNT, KEY)


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with azurite(tmp_path_factory.mktemp("azurite")) as endpoint:
        yield endpoint


@pytest.fixture
def container(account: str) -> str:
    """The name of a new container."""
    name = f"c{secrets.token_hex(8)}"
    with BlobServiceClient(account, credential=CREDENTIAL) as client:
        client.create_container(name).close()
    return name


def spool_of(account: str, container: str, most_blocks: int = 49_000, sync_ms: int = 5) -> BlobSpool:
    return BlobSpool(open_container(account, container, CREDENTIAL), "audio", sync_ms, most_blocks)


def test_a_full_blob_is_followed_by_the_next(account: str, container: str) -> None:
    async def body() -> None:
        said = b""
        for life in range(3):
            async with spooling(spool_of(account, container, most_blocks=2)) as spool:
                audio = await spool.open(ID)
                assert audio.durable == len(said) // 2
                for part in range(5):
                    pcm = speech(100 + part, seed=life)
                    audio.append(pcm)
                    said += pcm
                    await audio.until_durable(len(said) // 2)
                assert await read(audio) == said
                assert await read(audio, 333) == said[666:]
                assert await spool.kept() == [ID]
        with BlobServiceClient(account, credential=CREDENTIAL) as client:
            assert len(list(client.get_container_client(container).list_blob_names())) == 8
        async with spooling(spool_of(account, container)) as spool:
            await spool.delete(ID)
            assert await spool.kept() == []

    asyncio.run(body())


@pytest.mark.parametrize("most_blocks", [49_000, 1])
def test_who_opens_a_session_takes_it_over(account: str, container: str, most_blocks: int) -> None:
    async def body() -> None:
        async with (
            spooling(spool_of(account, container, most_blocks)) as here,
            spooling(spool_of(account, container, most_blocks)) as there,
        ):
            first = await here.open(ID)
            first.append(speech(100))
            await first.until_durable(100)
            second = await there.open(ID)
            assert second.durable == 100
            first.append(speech(50))
            with pytest.raises(SpoolFailedError, match="Another server"):
                await first.until_durable(150)
            second.append(speech(30, seed=1))
            assert await second.until_durable(130) == 130
            assert await read(second) == speech(100) + speech(30, seed=1)
            assert (first.durable, second.durable) == (100, 130)

    asyncio.run(body())


def test_of_many_that_open_at_once_one_can_write(account: str, container: str) -> None:
    async def body() -> None:
        spools = [spool_of(account, container) for _ in range(6)]
        audios = await asyncio.gather(*(spool.open(ID) for spool in spools))
        for number, audio in enumerate(audios):
            audio.append(speech(10, seed=number))
        outcomes = await asyncio.gather(*(audio.until_durable(10) for audio in audios), return_exceptions=True)
        assert sorted(type(each).__name__ for each in outcomes) == ["SpoolFailedError"] * 5 + ["int"]
        winner = next(number for number, each in enumerate(outcomes) if each == 10)
        assert await read(audios[winner]) == speech(10, seed=winner)
        await asyncio.gather(*(spool.close() for spool in spools))

    asyncio.run(body())


class Faulty(RequestsTransport):  # type: ignore[misc]  # the SDK loads it late, without a type
    """Sends what a script lets through: of each append, ``.`` goes well, and the others go wrong in their way.

    ``t`` is not sent and times out, ``T`` is sent and its answer lost, ``5`` is sent and answered with 503, which may
    mean that. After ``X``, which is sent, storage is away until ``is_away`` is unset.
    """

    def __init__(self, script: str) -> None:
        super().__init__()
        self._script = iter(script)
        self.is_away = False

    def send(self, request: "HttpRequest", **options: object) -> "HttpResponse":
        what = next(self._script, ".") if "comp=appendblock" in request.url else "."
        if what == "t" or self.is_away:
            raise ServiceResponseTimeoutError("nobody answers")
        answer: HttpResponse = super().send(request, **options)
        self.is_away = what == "X"
        if what in "TX":
            raise ServiceResponseTimeoutError("the answer is lost")
        if what == "5":
            answer.status_code = 503  # type: ignore[misc]  # of the answers of requests it can be set
        return answer


@pytest.mark.parametrize("script", ["5", "t", "T", "tTt", ".5.t.T", "TTTT", "ttt"])
def test_what_passes_costs_nothing(account: str, container: str, script: str) -> None:
    async def body() -> None:
        async with faulty(account, container, Faulty(script)) as spool:
            audio = await spool.open(ID)
            for part in range(6):
                audio.append(speech(100, seed=part))
                await audio.until_durable(100 * (part + 1))
            assert await read(audio) == b"".join(speech(100, seed=part) for part in range(6))

    asyncio.run(body())


@pytest.mark.parametrize(("script", "kept"), [(".ttttt", 100), (".X", 200)])
def test_what_does_not_pass_fails_the_session_and_acknowledges_nothing(
    account: str, container: str, script: str, kept: int
) -> None:
    """What was taken without an answer is found by who resumes the session; nobody was told that it is safe."""

    async def body() -> None:
        storage = Faulty(script)
        async with faulty(account, container, storage) as spool:
            audio = await spool.open(ID)
            audio.append(speech(100))
            await audio.until_durable(100)
            audio.append(speech(100, seed=1))
            with pytest.raises(SpoolFailedError, match="resume"):
                await audio.until_durable(200)
            assert audio.durable == 100
            with pytest.raises(SpoolFailedError):
                audio.append(speech(1))
            storage.is_away = False
            await audio.close()
            again = await spool.open(ID)
            assert again.durable == kept
            assert await read(again) == (speech(100) + speech(100, seed=1))[: 2 * kept]

    asyncio.run(body())


@asynccontextmanager
async def faulty(account: str, container: str, storage: Faulty) -> "AsyncIterator[Spool]":
    client = ContainerClient(account, container, credential=CREDENTIAL, retry_total=0, transport=storage)
    async with spooling(BlobSpool(client, "audio", sync_ms=5)) as spool:
        yield spool


def test_a_container_that_is_not_there_is_named(account: str) -> None:
    async def body() -> None:
        async with spooling(spool_of(account, "nowhere")) as spool:
            for ask in (spool.kept(), spool.open(ID)):
                with pytest.raises(SpoolFailedError, match="DRAGOMAN_SPOOL"):
                    await ask

    asyncio.run(body())


def test_a_token_opens_it_too(tmp_path: "Path") -> None:
    pem, secret = certificate(tmp_path)
    options = ("--oauth", "basic", "--cert", str(pem), "--key", str(secret))

    async def body(account: str, somebody: Somebody) -> bytes:
        client = ContainerClient(account, "audio", credential=somebody, retry_total=0, connection_verify=str(pem))
        async with spooling(BlobSpool(client, sync_ms=5)) as spool:
            audio = await spool.open(ID)
            audio.append(speech(100))
            await audio.until_durable(100)
            return await read(audio)

    with azurite(tmp_path, *options) as account:
        with BlobServiceClient(account, credential=CREDENTIAL, connection_verify=str(pem)) as client:
            client.create_container("audio").close()
        assert asyncio.run(body(account, Somebody())) == speech(100)
        with pytest.raises(SpoolFailedError, match="does not know us"):
            asyncio.run(body(account, Somebody("https://another.example.org")))
