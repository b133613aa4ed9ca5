"""Files of jobs, in a folder and in Blob Storage as Azurite plays it: kept whole, fetched anywhere, dropped."""

import io
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.storage.blob import BlobServiceClient, ContainerClient

from dragoman.domain.errors import AudioNotFoundError, SpoolFailedError
from dragoman.store.blob_files import BlobFiles, open_files
from dragoman.store.job_files import FolderFiles, JobFiles
from tests.datasets.blob_emulator import ACCOUNT, KEY, Somebody, azurite, certificate

if TYPE_CHECKING:
    from dragoman.store.job_files import FileShelf

CREDENTIAL = AzureNamedKeyCredential(ACCOUNT, KEY)
SOUND = bytes(range(256)) * 80_000  # larger than a block


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with azurite(tmp_path_factory.mktemp("azurite")) as endpoint:
        yield endpoint


Open = Callable[[], "FileShelf"]


@pytest.fixture(params=["folder", pytest.param("blob", marks=pytest.mark.slow)])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Open the same place, as one server after the other does."""
    opened: list[FileShelf] = []
    name = f"c{secrets.token_hex(8)}"
    if request.param == "blob":
        account = request.getfixturevalue("account")
        with BlobServiceClient(account, credential=CREDENTIAL) as client:
            client.create_container(name).close()

    def open_one() -> "FileShelf":
        scratch = tmp_path / f"server{len(opened)}"
        opened.append(
            open_files(request.getfixturevalue("account"), name, "audio", CREDENTIAL, scratch)
            if request.param == "blob"
            else FolderFiles(tmp_path / "jobs")
        )
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


def test_what_one_server_keeps_another_fetches_until_it_is_dropped(shelf: Open, tmp_path: Path) -> None:
    one, other = shelf(), shelf()
    assert one.place == other.place
    source = io.BytesIO(SOUND)
    source.seek(6)  # somebody has looked at it
    one.keep("j_1", source)
    with other.fetched("j_1") as path:
        assert path.read_bytes() == SOUND
    other.drop("j_1")
    other.drop("j_1")
    with pytest.raises(AudioNotFoundError), one.fetched("j_1"):
        pass
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and SOUND[:256] in path.read_bytes()]


def test_what_breaks_off_is_not_kept(shelf: Open) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > len(SOUND) // 2:
                raise OSError(5, "it is gone")
            return super().read(size)

    files = shelf()
    with pytest.raises((SpoolFailedError, OSError)):
        files.keep("j_1", Broken(SOUND))
    with pytest.raises(AudioNotFoundError), files.fetched("j_1"):
        pass


def test_files_of_the_folder_are_read_when_new_ones_go_to_the_container(shelf: Open, tmp_path: Path) -> None:
    folder = FolderFiles(tmp_path / "old")
    folder.keep("j_1", io.BytesIO(b"old"))
    files = JobFiles(folder, shelf())
    files.keep("j_2", io.BytesIO(b"new"))
    assert len(files.places) == 2
    for job_id, place, said in (("j_1", folder.place, b"old"), ("j_2", files.place, b"new")):
        with files.fetched(job_id, place) as path:
            assert path.read_bytes() == said
        files.drop(job_id)
        with pytest.raises(AudioNotFoundError), files.fetched(job_id, place):
            pass


@pytest.mark.slow
def test_a_container_that_is_not_there_is_named(account: str, tmp_path: Path) -> None:
    files = open_files(account, "nowhere", "", CREDENTIAL, tmp_path)
    with pytest.raises(SpoolFailedError, match="DRAGOMAN_SPOOL"):
        files.keep("j_1", io.BytesIO(b"x"))
    files.close()


@pytest.mark.slow
def test_a_token_opens_it_too(tmp_path: Path) -> None:
    pem, secret = certificate(tmp_path)

    def told(account: str, somebody: Somebody) -> bytes:
        client = ContainerClient(account, "audio", credential=somebody, retry_total=0, connection_verify=str(pem))
        files = BlobFiles(client, "", tmp_path / "scratch")
        try:
            files.keep("j_1", io.BytesIO(b"a call"))
            with files.fetched("j_1") as path:
                return path.read_bytes()
        finally:
            files.close()

    with azurite(tmp_path, "--oauth", "basic", "--cert", str(pem), "--key", str(secret)) as account:
        with BlobServiceClient(account, credential=CREDENTIAL, connection_verify=str(pem)) as client:
            client.create_container("audio").close()
        assert told(account, Somebody()) == b"a call"
        with pytest.raises(SpoolFailedError, match="does not know us"):
            told(account, Somebody("https://another.example.org"))
