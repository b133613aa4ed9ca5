"""Who may come in: a key or a token, as Azure takes them. Both are compared and never kept."""

import base64
import binascii
import hmac
import json
import time
from typing import Final

from starlette.requests import HTTPConnection

KEY: Final = "dragoman-emulator"
"""The subscription key that every client of an emulator may use, as Azurite has one for Storage."""

_KEY_NAME: Final = "ocp-apim-subscription-key"
_CHAT_KEY_NAME: Final = "api-key"


def refusal(connection: HTTPConnection, keys: frozenset[str]) -> int | None:
    """Return the HTTP status with which a client is refused; ``None`` if it may come in.

    Keys come in a header, those of the JavaScript SDK in the query too. Any token of the ``Bearer`` scheme is taken,
    but one that says that it has expired.
    """
    key = (
        connection.headers.get(_KEY_NAME)
        or connection.headers.get(_CHAT_KEY_NAME)
        or next((value for name, value in connection.query_params.items() if name.lower() == _KEY_NAME), None)
    )
    if key is not None:
        return None if any(hmac.compare_digest(key.encode(), each.encode()) for each in keys) else 401
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return None if scheme.lower() == "bearer" and token and not _has_expired(token) else 401


def claims(token: str) -> dict[str, object]:
    """Return what a token says, if it is a JWT; its signature is not looked at."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        said = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _has_expired(token: str) -> bool:
    """Return whether a token is a JWT that says so."""
    expires = claims(token).get("exp")
    return isinstance(expires, int | float) and expires < time.time()
