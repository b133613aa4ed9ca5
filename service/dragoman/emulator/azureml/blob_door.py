"""The blob door: as much of Blob Storage as assets are uploaded with, and collected data is read with.

Addresses are in the style of Azurite: ``https://127.0.0.1:8092/ACCOUNT.blob.SUFFIX/CONTAINER/BLOB``.
"""

import base64
import re
from collections.abc import AsyncIterator
from datetime import datetime
from email.utils import format_datetime
from typing import Final
from xml.etree import ElementTree as ET

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import FileResponse, Response

from dragoman.emulator.azureml.access import STORAGE, Signatures, bearer, is_open_to
from dragoman.emulator.azureml.blobs import Blob, BlobNameError, Blobs

ACCOUNT: Final = "dragoman"
SUFFIX: Final = "emulator"
ROOT: Final = f"/{ACCOUNT}.blob.{SUFFIX}"

_VERSION: Final = "2024-11-04"
_PERMISSION: Final = {"GET": "r", "HEAD": "r", "PUT": "w", "DELETE": "d"}
_MOST_LISTED: Final = 5_000


class StorageError(Exception):
    """An answer with an error, in the words of Blob Storage."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def add_blob_door(app: FastAPI, blobs: Blobs, signatures: Signatures) -> None:
    """Add the routes."""
    router = APIRouter(prefix=ROOT)

    @router.api_route("/{container}", methods=["GET", "HEAD", "PUT"])
    async def of_container(container: str, request: Request) -> Response:
        """Make, find or list a container."""
        query = dict(request.query_params)
        listing = query.get("comp") == "list"
        _check(request, signatures, container, "l" if listing else _PERMISSION[request.method])
        if request.method == "PUT":
            if not blobs.create_container(container):
                raise StorageError(409, "ContainerAlreadyExists", "The specified container already exists.")
            return Response(status_code=201, headers=_head())
        if not blobs.has_container(container):
            raise StorageError(404, "ContainerNotFound", "The specified container does not exist.")
        return _listed(blobs, container, query) if listing else Response(headers=_head())

    @router.api_route("/{container}/{name:path}", methods=["GET", "HEAD"])
    async def read(container: str, name: str, request: Request) -> Response:
        """Return a blob, or what is said about it."""
        _check(request, signatures, container, "r")
        blob = _found(blobs, container, name)
        headers = _head(blob)
        # Storage has a range header of its own beside HTTP's.
        asked = request.headers.get("x-ms-range") or request.headers.get("range")
        if request.method == "GET" and asked and blob.size:
            return _part(blobs, container, blob, asked)
        if request.method == "GET":
            return FileResponse(blobs.path(container, name), headers=headers, media_type=blob.content_type)
        return Response(headers=headers | {"content-length": str(blob.size)}, media_type=blob.content_type)

    @router.put("/{container}/{name:path}")
    async def write(container: str, name: str, request: Request) -> Response:
        """Make a blob, one of its blocks, or change its metadata."""
        _check(request, signatures, container, "w")
        blobs.create_container(container)
        match request.query_params.get("comp"):
            case None:
                return await _put(blobs, container, name, request)
            case "metadata":
                blob = blobs.describe(container, _found(blobs, container, name), _metadata(request))
                return Response(headers=_head(blob))
            case "block":
                await _put_block(blobs, container, name, request)
                return Response(status_code=201, headers=_head())
            case "blocklist":
                return await _put_blocks(blobs, container, name, request)
            case other:
                raise StorageError(501, "NotImplemented", f"The emulator does not know 'comp={other}'.")

    @router.delete("/{container}/{name:path}")
    async def delete(container: str, name: str, request: Request) -> Response:
        """Forget a blob."""
        _check(request, signatures, container, "d")
        _found(blobs, container, name)
        blobs.delete(container, name)
        return Response(status_code=202, headers=_head())

    app.include_router(router)

    @app.exception_handler(StorageError)
    async def refuse(request: Request, error: StorageError) -> Response:
        headers = _head() | {"x-ms-error-code": error.code}
        body = (
            f"<?xml version='1.0' encoding='utf-8'?><Error><Code>{error.code}</Code><Message>{error}</Message></Error>"
        )
        return Response(body, error.status, headers, "application/xml")

    @app.exception_handler(BlobNameError)
    async def bad_name(request: Request, error: BlobNameError) -> Response:
        return await refuse(request, StorageError(400, "InvalidResourceName", str(error)))


def _check(request: Request, signatures: Signatures, container: str, permission: str) -> None:
    token = bearer(request)
    if token is not None and is_open_to(token, STORAGE):
        return
    if token is not None or "sig" not in request.query_params:
        raise StorageError(401, "InvalidAuthenticationInfo", "A token for storage, or a signature, is needed.")
    permissions = signatures.permissions(container, dict(request.query_params))
    if not permissions:
        raise StorageError(
            403, "AuthenticationFailed", "The signature is wrong, has expired, or is of another container."
        )
    if permission not in permissions:
        raise StorageError(403, "AuthorizationPermissionMismatch", f"The signature does not permit '{permission}'.")


def _found(blobs: Blobs, container: str, name: str) -> Blob:
    if blob := blobs.get(container, name):
        return blob
    raise StorageError(404, "BlobNotFound", "The specified blob does not exist.")


def _metadata(request: Request) -> dict[str, str]:
    prefix = "x-ms-meta-"
    return {name[len(prefix) :]: value for name, value in request.headers.items() if name.startswith(prefix)}


def _kind(request: Request) -> str:
    return (
        request.headers.get("x-ms-blob-content-type")
        or request.headers.get("content-type")
        or "application/octet-stream"
    )


async def _put(blobs: Blobs, container: str, name: str, request: Request) -> Response:
    if request.headers.get("x-ms-blob-type") != "BlockBlob":
        raise StorageError(501, "NotImplemented", "The emulator's clients write block blobs only.")
    if request.headers.get("if-none-match") == "*" and blobs.get(container, name):
        raise StorageError(409, "BlobAlreadyExists", "The specified blob already exists.")
    incoming, digest = await blobs.receive(request.stream())
    sum_ = request.headers.get("content-md5")
    if sum_ and base64.b64decode(sum_) != digest:
        incoming.unlink()
        raise StorageError(400, "Md5Mismatch", "The MD5 value specified in the request did not match with what came.")
    blob = blobs.put(container, name, incoming, _kind(request), _metadata(request))
    return Response(status_code=201, headers=_head(blob) | {"Content-MD5": base64.b64encode(digest).decode()})


def _blocks_of(blobs: Blobs, container: str, name: str) -> str:
    """Return the prefix that blocks have until they are a blob; no other container has such a name."""
    return f".blocks-{container}/{name}"


async def _put_block(blobs: Blobs, container: str, name: str, request: Request) -> None:
    incoming, _ = await blobs.receive(request.stream())
    block = base64.urlsafe_b64encode(request.query_params["blockid"].encode()).decode()
    folder = _blocks_of(blobs, container, name)
    blobs.put(".blocks", f"{folder}/{block}", incoming, "application/octet-stream", {})


async def _put_blocks(blobs: Blobs, container: str, name: str, request: Request) -> Response:
    folder = _blocks_of(blobs, container, name)
    listed = ET.fromstring(await request.body())  # noqa: S314 - of a test double's own client, and has no entities
    names = [base64.urlsafe_b64encode((each.text or "").encode()).decode() for each in listed]

    async def joined() -> AsyncIterator[bytes]:
        for block in names:
            if blobs.get(".blocks", f"{folder}/{block}") is None:
                raise StorageError(400, "InvalidBlockList", "The specified block list is invalid.")
            yield blobs.path(".blocks", f"{folder}/{block}").read_bytes()

    incoming, _ = await blobs.receive(joined())
    blob = blobs.put(container, name, incoming, _kind_of_list(request), _metadata(request))
    for block in names:
        blobs.delete(".blocks", f"{folder}/{block}")
    return Response(status_code=201, headers=_head(blob))


def _kind_of_list(request: Request) -> str:
    return request.headers.get("x-ms-blob-content-type") or "application/octet-stream"


def _part(blobs: Blobs, container: str, blob: Blob, asked: str) -> Response:
    found = re.fullmatch(r"bytes=(\d+)-(\d*)", asked)
    start = int(found[1]) if found else 0
    if found is None or start >= blob.size:
        raise StorageError(416, "InvalidRange", "The range specified is invalid for the current size of the resource.")
    end = min(int(found[2]) if found[2] else blob.size - 1, blob.size - 1)
    with blobs.path(container, blob.name).open("rb") as file:
        file.seek(start)
        content = file.read(end - start + 1)
    headers = _head(blob) | {"Content-Range": f"bytes {start}-{end}/{blob.size}"}
    return Response(content, 206, headers, blob.content_type)


def _head(blob: Blob | None = None) -> dict[str, str]:
    headers = {"x-ms-version": _VERSION, "x-ms-request-server-encrypted": "true"}
    if blob is None:
        return headers
    return headers | {
        "ETag": blob.etag,
        "Last-Modified": _date(blob),
        "x-ms-blob-type": "AppendBlob" if blob.is_appended else "BlockBlob",
        "x-ms-creation-time": _date(blob),
        "Accept-Ranges": "bytes",
        **{f"x-ms-meta-{name}": value for name, value in blob.metadata.items()},
    }


def _date(blob: Blob) -> str:
    return format_datetime(datetime.fromisoformat(blob.modified), usegmt=True)


def _listed(blobs: Blobs, container: str, query: dict[str, str]) -> Response:
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    most = min(int(query.get("maxresults", _MOST_LISTED)), _MOST_LISTED)
    root = ET.Element("EnumerationResults", ContainerName=container)
    ET.SubElement(root, "Prefix").text = prefix
    shown, folders, marker = ET.SubElement(root, "Blobs"), set[str](), ""
    for blob in blobs.below(container, prefix):
        if blob.name < query.get("marker", ""):
            continue
        if len(shown) == most:
            marker = blob.name
            break
        head, cut, _ = blob.name[len(prefix) :].partition(delimiter) if delimiter else (blob.name, "", "")
        if cut and head not in folders:
            folders.add(head)
            ET.SubElement(ET.SubElement(shown, "BlobPrefix"), "Name").text = f"{prefix}{head}{delimiter}"
        elif not cut:
            _show(ET.SubElement(shown, "Blob"), blob, with_metadata="metadata" in query.get("include", ""))
    ET.SubElement(root, "NextMarker").text = marker
    return Response(
        ET.tostring(root, encoding="utf-8", xml_declaration=True), headers=_head(), media_type="application/xml"
    )


def _show(element: ET.Element, blob: Blob, *, with_metadata: bool) -> None:
    ET.SubElement(element, "Name").text = blob.name
    properties = ET.SubElement(element, "Properties")
    for name, value in (
        ("Creation-Time", _date(blob)),
        ("Last-Modified", _date(blob)),
        ("Etag", blob.etag.strip('"')),
        ("Content-Length", str(blob.size)),
        ("Content-Type", blob.content_type),
        ("BlobType", "AppendBlob" if blob.is_appended else "BlockBlob"),
    ):
        ET.SubElement(properties, name).text = value
    if with_metadata:
        metadata = ET.SubElement(element, "Metadata")
        for name, value in blob.metadata.items():
            ET.SubElement(metadata, name).text = value
