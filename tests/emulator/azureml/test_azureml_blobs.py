"""The blob door, with Azure's own client for it."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.storage.blob import ContainerClient

from dragoman.emulator.azureml.blobs import BlobNameError, Blobs
from dragoman.emulator.azureml.certificate import certificate
from tests.emulator.azureml.emulating import AzureMl, Credential

CONTAINER = "pieces"


def url(azureml: AzureMl) -> str:
    return f"https://{azureml.address}/dragoman.blob.emulator/{CONTAINER}"


@pytest.fixture
def store(azureml: AzureMl) -> Iterator[ContainerClient]:
    credential = Credential(audience="https://storage.azure.com")
    client = ContainerClient.from_container_url(
        url(azureml),
        credential=credential,
        max_single_put_size=1 << 16,
        max_block_size=1 << 16,
        max_single_get_size=1 << 16,
    )
    with closing(client):
        if not client.exists():
            client.create_container()
        yield client


def test_what_is_large_comes_in_blocks_and_goes_in_ranges(store: ContainerClient) -> None:
    content = os.urandom(300_000)
    store.upload_blob("a/large.bin", content, metadata={"kind": "noise"}, max_concurrency=4, overwrite=True)
    blob = store.get_blob_client("a/large.bin")
    assert blob.download_blob().readall() == content
    assert blob.download_blob(offset=100, length=5).readall() == content[100:105]
    assert blob.get_blob_properties().metadata == {"kind": "noise"}
    with pytest.raises(ResourceExistsError):
        store.upload_blob("a/large.bin", b"", overwrite=False)


def test_blobs_are_listed_by_prefix_and_by_folder_and_in_pages(store: ContainerClient) -> None:
    for name in ("list/a.txt", "list/b/c.txt", "list/b/d.txt", "list/e.txt"):
        store.upload_blob(name, name.encode(), overwrite=True, validate_content=True)
    assert list(store.list_blob_names(name_starts_with="list/b/")) == ["list/b/c.txt", "list/b/d.txt"]
    assert sorted(each.name for each in store.walk_blobs("list/")) == ["list/a.txt", "list/b/", "list/e.txt"]
    pages = store.list_blobs(name_starts_with="list/", results_per_page=3).by_page()
    assert [[blob.name for blob in page] for page in pages] == [
        ["list/a.txt", "list/b/c.txt", "list/b/d.txt"],
        ["list/e.txt"],
    ]
    store.delete_blob("list/a.txt")
    with pytest.raises(ResourceNotFoundError):
        store.get_blob_client("list/a.txt").get_blob_properties()


def test_signatures_open_their_container_for_what_they_permit(azureml: AzureMl, store: ContainerClient) -> None:
    store.upload_blob("signed.txt", b"read me", overwrite=True)
    answer = azureml.http.post(
        f"{azureml.arm}/models/any/versions/1/startPendingUpload?api-version=2023-08-01-preview",
        json={"pendingUploadType": "TemporaryBlobReference"},
        headers={"Authorization": "Bearer token"},
    )
    signed = answer.json()["blobReferenceForConsumption"]["credential"]["sasUri"]
    with ContainerClient.from_container_url(signed) as own:
        own.upload_blob("model.bin", b"weights")
        assert list(own.list_blob_names()) == ["model.bin"]
        with pytest.raises(HttpResponseError, match="does not permit"):
            own.delete_blob("model.bin")
    query = signed.partition("?")[2]
    with (
        ContainerClient.from_container_url(f"{url(azureml)}?{query}") as other,
        pytest.raises(ClientAuthenticationError, match="of another container"),
    ):
        other.download_blob("signed.txt")
    assert azureml.http.get(f"{url(azureml)}/signed.txt").status_code == 401


@pytest.mark.parametrize("name", ["../secret", "a/../../b", "a//b", "", "/a", ".properties/x"])
def test_names_that_leave_their_folder_are_refused(tmp_path: Path, name: str) -> None:
    blobs = Blobs(tmp_path)
    with pytest.raises(BlobNameError):
        blobs.put("box", name, b"", "text/plain", {})
    assert blobs.get("box", name) is None


def test_a_certificate_is_made_once_for_a_host(tmp_path: Path) -> None:
    made = certificate(tmp_path)
    shown = made.chain.read_bytes()
    assert certificate(tmp_path).chain.read_bytes() == shown
    assert certificate(tmp_path, "emulator.local").chain.read_bytes() != shown
    assert made.key.stat().st_mode & 0o077 == 0
