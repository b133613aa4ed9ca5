"""Accepted audio in Azure Blob Storage, in append blobs. The one module of the store that knows the SDK.

The audio of a session is one blob, or several that follow each other, because a blob takes 50,000 blocks: its name is
the session's and the sample that it begins with. Who opens a session writes its own mark into the metadata, and with
that changes the ETag; every append names the ETag that it knows. So whoever opened it before can append no more.
"""

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.storage.blob import ContainerClient

from dragoman.domain.audio import SAMPLE_WIDTH_BYTES
from dragoman.domain.errors import SpoolFailedError
from dragoman.store.ports import Durability
from dragoman.store.session_id import is_session_id
from dragoman.store.shelf import ShelfSpool

if TYPE_CHECKING:
    from azure.core.credentials import AzureNamedKeyCredential, TokenCredential
    from azure.storage.blob import BlobClient

T = TypeVar("T")

_PAUSES_S: Final = (0.1, 0.3, 1.0, 2.0)
"""How long it is tried again; then the session is resumed, and its client has kept what is missing."""

_CONNECT_S, _READ_S = 5, 10
_PASSING: Final = frozenset({408, 429, 500, 502, 503, 504})
_FORBIDDEN: Final = 403
_NOT_MET: Final = 412

_MOST_BLOCKS: Final = 49_000
"""A blob takes 50,000. Source: learn.microsoft.com, "Scalability and performance targets for Blob storage", 2026-11."""

_PARALLEL: Final = 16
"""Appends at once: each waits for the network for some 10 ms."""

_WRITER: Final = "writer"
_IS_FULL: Final = "full"


class BlobSpool(ShelfSpool):
    """Keeps accepted audio in a container, under a prefix. Closing it closes the client.

    Processes may share the container: who opens a session takes it over from whoever had it open before.
    """

    def __init__(
        self, container: ContainerClient, prefix: str = "", sync_ms: int = 200, most_blocks: int = _MOST_BLOCKS
    ) -> None:
        super().__init__(_BlobShelf(container, prefix, most_blocks), sync_ms, _PARALLEL)


def open_container(
    account_url: str, container: str, credential: "AzureNamedKeyCredential | TokenCredential"
) -> ContainerClient:
    """Return a client that does not try again by itself: here it is known what an append may have done."""
    return ContainerClient(
        account_url,
        container,
        credential=credential,
        retry_total=0,
        connection_timeout=_CONNECT_S,
        read_timeout=_READ_S,
    )


class _BlobShelf:
    """The ``Shelf`` of append blobs."""

    def __init__(self, container: ContainerClient, prefix: str, most_blocks: int) -> None:
        self._container = container
        self._prefix = f"{prefix}/" if prefix else ""
        self._most_blocks = most_blocks

    @property
    def durability(self) -> Durability:
        """Durable audio survives the loss of a disk."""
        return "blob"

    def open(self, session_id: str) -> "BlobTape":
        """Take over a session's blobs, or create the first."""
        return BlobTape(self._container, f"{self._prefix}{session_id}/", self._most_blocks)

    def has(self, session_id: str) -> bool:
        """Return whether a session has a blob."""
        return bool(_names(self._container, f"{self._prefix}{session_id}/"))

    def kept(self) -> list[str]:
        """Return the sessions that have a blob."""
        names = _persisting(lambda: list(self._container.list_blob_names(name_starts_with=self._prefix)))
        sessions = {name.removeprefix(self._prefix).partition("/")[0] for name in names}
        return sorted(filter(is_session_id, sessions))

    def delete(self, session_id: str) -> None:
        """Delete a session's blobs."""
        for name in _names(self._container, f"{self._prefix}{session_id}/"):
            try:
                _persisting(self._container.get_blob_client(name).delete_blob)
            except _GoneError:
                continue

    def close(self) -> None:
        """Close the client."""
        self._container.close()


@dataclass(slots=True)
class _Part:
    """One blob of a session, from byte ``start`` on."""

    blob: "BlobClient"
    start: int
    size: int
    blocks: int
    etag: str


class BlobTape:
    """A ``Tape`` of append blobs, taken over from whoever had it."""

    def __init__(self, container: ContainerClient, prefix: str, most_blocks: int) -> None:
        self._container = container
        self._prefix = prefix
        self._most_blocks = most_blocks
        self._writer = secrets.token_hex(16)
        starts = sorted(_start(name) for name in _names(container, prefix))
        self._parts = [self._take(starts[-1] if starts else 0)]
        # A part that is full is followed by another, which its writer may not have come to make.
        while self._parts[-1].blocks < 0:
            full = self._parts[-1]
            self._parts.append(self._take(full.start + full.size))
        self._parts[:0] = [_Part(self._blob(start), start, 0, -1, "") for start in starts[:-1]]

    @property
    def size_bytes(self) -> int:
        """What Blob Storage has confirmed."""
        return self._parts[-1].start + self._parts[-1].size

    def write(self, pcm: bytes) -> None:
        """Append a block; see ``Tape``."""
        if self._parts[-1].blocks >= self._most_blocks:
            self._roll()
        part = self._parts[-1]
        is_unsure = False

        def append() -> None:
            nonlocal is_unsure
            if is_unsure and self._has_landed(part, len(pcm)):
                return
            is_unsure = True  # an answer may be lost after the block was taken
            try:
                answer = part.blob.append_block(
                    pcm,
                    length=len(pcm),
                    appendpos_condition=part.size,
                    etag=part.etag,
                    match_condition=MatchConditions.IfNotModified,
                )
                part.etag = str(answer["etag"])
            except HttpResponseError as error:
                if error.status_code != _NOT_MET or not self._has_landed(part, len(pcm)):
                    raise

        _persisting(append)
        part.size += len(pcm)
        part.blocks += 1

    def read(self, first: int, last: int) -> bytes:
        """Return bytes of the blobs; see ``Tape``."""
        found = b""
        while first < last:
            part = next(each for each in reversed(self._parts) if each.start <= first)
            follower = next((each.start for each in self._parts if each.start > part.start), last)
            length = min(last, follower) - first
            pcm = _persisting(lambda: part.blob.download_blob(first - part.start, length).readall())  # noqa: B023
            found += pcm
            first += length
        return found

    def release(self) -> None:
        """Do nothing: what is in Blob Storage stays as it is, for whoever takes it over."""

    def _blob(self, start: int) -> "BlobClient":
        return self._container.get_blob_client(f"{self._prefix}{start // SAMPLE_WIDTH_BYTES:012d}.s16")

    def _take(self, start: int) -> _Part:
        """Make the blob that begins at a byte ours; one that is full stays as it is, and has no ``blocks`` left."""
        blob = self._blob(start)

        def take() -> _Part:
            while True:
                self._create(blob)
                found = blob.get_blob_properties()
                blocks = int(found.append_blob_committed_block_count or 0)
                part = _Part(blob, start, int(found.size), blocks, str(found.etag))
                if found.metadata.get(_IS_FULL):
                    part.blocks = -1
                    return part
                try:
                    mine = {_WRITER: self._writer}
                    answer = blob.set_blob_metadata(mine, etag=part.etag, match_condition=MatchConditions.IfNotModified)
                except HttpResponseError as error:
                    if error.status_code != _NOT_MET:
                        raise
                    continue  # whoever had it has appended in between
                part.etag = str(answer["etag"])
                return part

        return _persisting(take)

    def _roll(self) -> None:
        """Go on with the next blob; whoever opens the session meanwhile finds that this one is full."""
        part = self._parts[-1]

        full = {_WRITER: self._writer, _IS_FULL: "true"}

        def fill() -> None:
            try:
                part.blob.set_blob_metadata(full, etag=part.etag, match_condition=MatchConditions.IfNotModified)
            except HttpResponseError as error:
                if error.status_code != _NOT_MET:
                    raise
                if part.blob.get_blob_properties().metadata != full:  # or it was done, and the answer was lost
                    raise _taken_over() from error

        _persisting(fill)
        start = part.start + part.size
        blob = self._blob(start)
        _persisting(lambda: self._create(blob))
        found = _persisting(blob.get_blob_properties)
        if found.metadata.get(_WRITER) != self._writer:
            raise _taken_over()
        self._parts.append(_Part(blob, start, 0, 0, str(found.etag)))

    def _create(self, blob: "BlobClient") -> None:
        with suppress(ResourceExistsError):
            blob.create_append_blob(metadata={_WRITER: self._writer}, match_condition=MatchConditions.IfMissing)

    def _has_landed(self, part: _Part, length: int) -> bool:
        """Return whether a block was taken whose answer was lost.

        Raises:
            SpoolFailedError: if somebody else has taken over.
        """
        found = part.blob.get_blob_properties()
        if found.metadata.get(_WRITER) != self._writer or found.size not in (part.size, part.size + length):
            raise _taken_over()
        part.etag = str(found.etag)
        return int(found.size) == part.size + length


class _GoneError(SpoolFailedError):
    """There is no such blob or container."""


def _taken_over() -> SpoolFailedError:
    return SpoolFailedError("Another server has gone on with the session; resume it.")


def _names(container: ContainerClient, prefix: str) -> list[str]:
    return _persisting(lambda: list(container.list_blob_names(name_starts_with=prefix)))


def _start(name: str) -> int:
    return int(name.rpartition("/")[2].removesuffix(".s16")) * SAMPLE_WIDTH_BYTES


def _persisting(ask: Callable[[], T]) -> T:
    """Ask storage, and again while what is wrong may pass.

    Raises:
        SpoolFailedError: if it does not answer, or with no.
    """
    for pause_s in (*_PAUSES_S, None):
        try:
            return ask()
        except HttpResponseError as error:
            if pause_s is None or error.status_code not in _PASSING:
                raise _spool_error(error) from error
        except AzureError as error:
            if pause_s is None or isinstance(error, ClientAuthenticationError):
                raise _spool_error(error) from error
        time.sleep(pause_s)
    raise AssertionError("the last attempt returns or raises")


def _spool_error(error: AzureError) -> SpoolFailedError:
    if isinstance(error, ResourceNotFoundError):
        return _GoneError("Blob Storage has no such container or blob; check DRAGOMAN_SPOOL.")
    if isinstance(error, ClientAuthenticationError):
        return SpoolFailedError("Blob Storage does not know us; check the identity of this server.")
    if isinstance(error, HttpResponseError):
        if error.status_code == _FORBIDDEN:
            return SpoolFailedError("Blob Storage does not let us in; we need the role Storage Blob Data Contributor.")
        return SpoolFailedError(f"Blob Storage answers {error.status_code} ({error.reason}); resume the session.")
    return SpoolFailedError(f"Blob Storage cannot be reached ({type(error).__name__}); resume the session.")
