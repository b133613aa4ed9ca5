"""Framing of the Speech service's WebSocket protocol: headers, a blank line, a body; binary messages count the headers.

Source: docs/azure-fidelity.md. The SDK overlooks what is framed in another way, and waits.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from dragoman.domain.errors import MessageInvalidError

_LENGTH_BYTES: Final = 2
_MOST_HEADERS: Final = 32


@dataclass(frozen=True, slots=True)
class Message:
    """What a client says. ``headers`` have names in lower case; ``body`` is text, or the bytes of a binary message."""

    path: str
    request_id: str
    headers: Mapping[str, str]
    body: str | bytes


def parse(data: str | bytes) -> Message:
    """Return a message.

    Raises:
        MessageInvalidError: if it is none.
    """
    if isinstance(data, str):
        head, parted, body = data.partition("\r\n\r\n")
        if not parted:
            raise MessageInvalidError("A text message needs a blank line (CRLF CRLF) after its headers.")
        return _message(head, body)
    length = int.from_bytes(data[:_LENGTH_BYTES], "big")
    head_bytes, payload = data[_LENGTH_BYTES : _LENGTH_BYTES + length], data[_LENGTH_BYTES + length :]
    if len(data) < _LENGTH_BYTES or len(head_bytes) < length:
        raise MessageInvalidError("A binary message is shorter than its header length says.")
    try:
        return _message(head_bytes.decode("ascii").rstrip("\r\n"), payload)
    except UnicodeDecodeError as error:
        raise MessageInvalidError("The headers of a binary message must be ASCII.") from error


def compose(
    path: str, request_id: str, body: Mapping[str, JsonValue] | None, headers: Mapping[str, str] | None = None
) -> str:
    """Return a message of the server, in the letter case that clients insist on."""
    lines = {"X-RequestId": request_id, "Path": path}
    if body is not None:
        lines["Content-Type"] = "application/json; charset=utf-8"
    lines |= headers or {}
    head = "".join(f"{name}:{value}\r\n" for name, value in lines.items())
    return f"{head}\r\n{json.dumps(body, ensure_ascii=False) if body is not None else ''}"


def _message(head: str, body: str | bytes) -> Message:
    headers: dict[str, str] = {}
    lines = head.split("\r\n")
    if len(lines) > _MOST_HEADERS:
        raise MessageInvalidError(f"A message may have {_MOST_HEADERS} headers.")
    for line in lines:
        name, parted, value = line.partition(":")
        if not parted or not name.strip():
            raise MessageInvalidError("A header is written 'Name:Value'.")
        headers[name.strip().lower()] = value.strip()
    if not headers.get("path"):
        raise MessageInvalidError("A message needs a 'Path' header.")
    return Message(headers["path"].lower(), headers.get("x-requestid", ""), headers, body)
