"""Blob Storage, played by Azurite: what is pushed comes back, by key and by token."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient

from dragoman.datasets.blob import BlobFolder, open_place
from dragoman.datasets.erasing import erase_items
from dragoman.datasets.limits import Allowance, Limits
from dragoman.datasets.places import BlobAccess, BlobPlace, parse_place
from dragoman.datasets.pushing import push
from dragoman.datasets.sources import Recordings, open_source
from dragoman.datasets.store import DatasetStore
from dragoman.domain.errors import DatasetInvalidError, SourceFailedError
from dragoman.engines.azure.access import Identity
from tests.datasets.blob_emulator import ACCOUNT, KEY, Somebody, azurite, certificate
from tests.datasets.test_archive import zipped
from tests.datasets.test_pushing import made

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def access(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BlobAccess]:
    """Give access to an account with an empty container ``speech``."""
    with azurite(tmp_path_factory.mktemp("azurite")) as endpoint:
        with BlobServiceClient(endpoint, credential={"account_name": ACCOUNT, "account_key": KEY}) as account:
            account.create_container("speech").close()
        yield BlobAccess(endpoint=endpoint, key=KEY)


def place_of(access: BlobAccess, path: str) -> BlobPlace:
    place = parse_place(f"{access.endpoint}/{path}", access)
    assert place is not None
    return place


def test_what_is_pushed_comes_back(access: BlobAccess, tmp_path: Path) -> None:
    calls = made(tmp_path / "in")
    with open_place(place_of(access, "speech/sets"), access) as blobs:
        assert push(calls, blobs) is True
        assert push(calls, blobs) is False
    url = f"{access.endpoint}/speech/sets/calls/{calls.version}"
    with open_source(url, tmp_path / "scratch", Allowance(Limits()), access) as found:
        assert isinstance(found, Recordings)
        assert found.card == calls.card
        assert [draft.given["sha256"] for draft in found.drafts] == [calls.recordings[0].sha256]
        assert found.locate("monday/a.wav").read_bytes() == (tmp_path / "in" / "monday" / "a.wav").read_bytes()
    assert not list((tmp_path / "scratch").iterdir())


def test_what_was_erased_is_erased_there_when_it_is_pushed_again(access: BlobAccess, tmp_path: Path) -> None:
    store = DatasetStore(tmp_path / "store")
    calls = made(tmp_path / "in")
    store.keep_files(calls)
    kept = store.keep(calls).dataset
    with open_place(place_of(access, "speech/erased"), access) as blobs:
        push(kept, blobs)
        assert len(blobs.names("calls")) == 3
        erase_items(store, lambda _: True, "session")
        assert push(store.open("calls"), blobs) is True
        names = [name.rpartition("/")[2] for name in blobs.names(f"calls/{calls.version}")]
        assert names == ["dataset.json", "erased.json", "manifest.jsonl"]


def test_an_archive_among_the_blobs_is_unpacked(access: BlobAccess, tmp_path: Path) -> None:
    zipped(tmp_path / "calls.zip", {"calls/a.wav": b"a", "calls/b.wav": b"b"})
    with open_place(place_of(access, "speech/archives"), access) as blobs:
        blobs.write("calls.zip", tmp_path / "calls.zip")
    url = f"{access.endpoint}/speech/archives/calls.zip"
    with open_source(url, tmp_path / "scratch", Allowance(Limits()), access) as found:
        assert isinstance(found, Recordings)
        assert [draft.file for draft in found.drafts] == ["a.wav", "b.wav"]


def test_a_prefix_is_a_folder_and_not_the_beginning_of_a_name(access: BlobAccess, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    with open_place(place_of(access, "speech/prefix"), access) as blobs:
        blobs.write("one/a.wav", tmp_path / "x")
        blobs.write("one_more/b.wav", tmp_path / "x")
    with open_place(place_of(access, "speech/prefix/one"), access) as blobs:
        blobs.fetch(tmp_path / "out", Allowance(Limits()))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.wav"]


def test_a_name_that_leads_outside_is_refused(access: BlobAccess, tmp_path: Path) -> None:
    credential = {"account_name": ACCOUNT, "account_key": KEY}
    with BlobServiceClient(str(access.endpoint), credential=credential) as account:
        account.get_blob_client("speech", "evil/a\\..\\b.wav").upload_blob(b"x")
    with (
        open_place(place_of(access, "speech/evil"), access) as blobs,
        pytest.raises(DatasetInvalidError, match="inside"),
    ):
        blobs.fetch(tmp_path / "out", Allowance(Limits()))


def test_limits_hold(access: BlobAccess, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(bytes(10_000))
    with open_place(place_of(access, "speech/large"), access) as blobs:
        blobs.write("a.wav", tmp_path / "x")
        with pytest.raises(SourceFailedError, match="--max-gb"):
            blobs.fetch(tmp_path / "out", Allowance(Limits(max_bytes=5_000)))


@pytest.mark.parametrize(
    ("path", "says"), [("speech/nothing", "no blobs under 'speech/nothing/'"), ("nowhere/x", "no such container")]
)
def test_what_is_not_there_is_said(access: BlobAccess, tmp_path: Path, path: str, says: str) -> None:
    with open_place(place_of(access, path), access) as blobs, pytest.raises(SourceFailedError, match=says):
        blobs.fetch(tmp_path / "out", Allowance(Limits()))


def test_a_wrong_key_is_refused(access: BlobAccess, tmp_path: Path) -> None:
    wrong = replace(access, key="AAAA")
    with open_place(place_of(access, "speech/x"), wrong) as blobs, pytest.raises(SourceFailedError, match="let us in"):
        blobs.fetch(tmp_path / "out", Allowance(Limits()))


def test_a_token_opens_the_door_and_a_wrong_one_does_not(tmp_path: Path) -> None:
    pem, key = certificate(tmp_path)
    with azurite(tmp_path, "--oauth", "basic", "--cert", str(pem), "--key", str(key)) as endpoint:
        with ContainerClient(endpoint, "speech", Somebody(), connection_verify=str(pem)) as container:
            container.create_container()
            blobs = BlobFolder(container, "sets")
            calls = made(tmp_path / "in")
            assert push(calls, blobs) is True
            blobs.fetch(tmp_path / "out", Allowance(Limits()))
            assert (tmp_path / "out" / "calls" / calls.version / "manifest.jsonl").is_file()
        stranger = Somebody("https://graph.microsoft.com")
        refused = pytest.raises(SourceFailedError, match=r"let us in|does not know us")
        with ContainerClient(endpoint, "speech", stranger, connection_verify=str(pem)) as container, refused:
            BlobFolder(container, "sets").has("x")


def test_without_a_token_azure_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # so that there is no az
    place = BlobPlace("https://acme.blob.core.windows.net", "speech", "")
    with (
        pytest.raises(SourceFailedError, match="Nobody gives us a token for 'https://acme"),
        open_place(place, BlobAccess(identity=Identity.CLI)),
    ):
        pass
