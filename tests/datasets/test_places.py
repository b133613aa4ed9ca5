"""Which addresses are of Blob Storage, and what they mean."""

import pytest

from dragoman.datasets.places import BlobAccess, BlobPlace, Workspace, parse_place, parse_workspace
from dragoman.domain.errors import SettingsError, SourceFailedError

EMULATOR = BlobAccess(endpoint="http://127.0.0.1:10000/devstoreaccount1")
ACCOUNT = "https://acme.blob.core.windows.net"


@pytest.mark.parametrize(
    ("url", "access", "place"),
    [
        (f"{ACCOUNT}/speech/calls/v1/", BlobAccess(), BlobPlace(ACCOUNT, "speech", "calls/v1")),
        (f"{ACCOUNT}/speech", BlobAccess(), BlobPlace(ACCOUNT, "speech", "")),
        (f"{ACCOUNT}/speech/my%20calls", BlobAccess(), BlobPlace(ACCOUNT, "speech", "my calls")),
        (
            "https://a.blob.core.usgovcloudapi.net/c",
            BlobAccess(),
            BlobPlace("https://a.blob.core.usgovcloudapi.net", "c", ""),
        ),
        (f"{EMULATOR.endpoint}/speech/calls", EMULATOR, BlobPlace(str(EMULATOR.endpoint), "speech", "calls")),
        ("https://example.org/calls.zip", BlobAccess(), None),
        (f"{ACCOUNT}/speech/calls.zip?sig=x", BlobAccess(), None),
        ("https://acme.blob.core.windows.net.example.org/x", BlobAccess(), None),
        ("http://acme.blob.core.windows.net/x", BlobAccess(), None),
        ("folder/calls", BlobAccess(), None),
    ],
)
def test_an_address_of_blob_storage_is_known(url: str, access: BlobAccess, place: BlobPlace | None) -> None:
    assert parse_place(url, access) == place


def test_an_address_without_a_container_is_refused() -> None:
    with pytest.raises(SourceFailedError, match="names no container"):
        parse_place(ACCOUNT, BlobAccess())


@pytest.mark.parametrize("text", [None, "", "name", "a/b", "a//c", "a/b/c/d"])
def test_a_workspace_is_written_with_its_subscription_and_group(text: str | None) -> None:
    assert parse_workspace("a/b/c") == Workspace("a", "b", "c")
    with pytest.raises(SettingsError, match="DRAGOMAN_AZUREML_WORKSPACE"):
        parse_workspace(text)
