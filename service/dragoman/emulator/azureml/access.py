"""Who may come in at Azure ML's doors: tokens of Entra for management and storage; keys and tokens for endpoints."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request

from dragoman.emulator.admission import claims
from dragoman.emulator.azureml.arm import ArmError

MANAGEMENT: Final = ("https://management.azure.com", "https://management.core.windows.net")
STORAGE: Final = ("https://storage.azure.com",)
ENDPOINTS: Final = ("https://ml.azure.com",)

_SAS_S: Final = 8 * 3600
_TOKEN_S: Final = 8 * 3600


def bearer(request: Request) -> str | None:
    """Return the token of the ``Bearer`` scheme, if there is one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" and token else None


def is_open_to(token: str, audiences: tuple[str, ...]) -> bool:
    """Return whether a token of Entra does: it has not expired, and is for one of these, as far as it says so.

    Nobody checks who issued it; one that says nothing is taken.
    """
    said = claims(token)
    audience = said.get("aud")
    if isinstance(audience, str) and audience.rstrip("/") not in audiences:
        return False
    expires = said.get("exp")
    return not isinstance(expires, int | float) or expires > time.time()


def check_management(request: Request) -> None:
    """Let in who has a token for management.

    Raises:
        ArmError: as Azure refuses others.
    """
    token = bearer(request)
    own = str(request.base_url).rstrip("/")
    challenge = {"WWW-Authenticate": 'Bearer authorization_uri="https://login.microsoftonline.com/common"'}
    if token is None:
        message = "Authentication failed. The 'Authorization' header is missing."
        raise ArmError(401, "AuthenticationFailed", message, challenge)
    if not is_open_to(token, (*MANAGEMENT, own)):
        message = "The access token has expired, or is for another audience than management."
        raise ArmError(401, "InvalidAuthenticationToken", message, challenge)


class Signatures:
    """Signs what the emulator hands out: shared access signatures of containers, and tokens of endpoints."""

    def __init__(self, key: bytes) -> None:
        self.key = key

    def sas(self, container: str, permissions: str) -> str:
        """Return a signature (a query) that opens a container to ``permissions`` such as ``"rwl"`` for eight hours."""
        expiry = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + _SAS_S))
        signature = self._sign(container, permissions, expiry)
        return urlencode(
            {"sv": "2024-11-04", "sr": "c", "sp": permissions, "se": expiry, "spr": "https", "sig": signature}
        )

    def permissions(self, container: str, query: dict[str, str]) -> str:
        """Return what a signature opens a container to; nothing if it is wrong, has expired or is of another one."""
        permissions, expiry = query.get("sp", ""), query.get("se", "")
        is_ours = _is_same(query.get("sig", ""), self._sign(container, permissions, expiry))
        return permissions if is_ours and expiry > time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()) else ""

    def token(self, endpoint: str) -> tuple[str, int]:
        """Return a token that opens an endpoint, and when it ends, in seconds since 1970."""
        expires = int(time.time()) + _TOKEN_S
        claim = base64.urlsafe_b64encode(json.dumps({"endpoint": endpoint.lower(), "exp": expires}).encode()).decode()
        return f"{claim}.{self._sign(claim)}", expires

    def opens(self, token: str, endpoint: str) -> bool:
        """Return whether a token is one that we gave for an endpoint, and has not ended."""
        claim, _, signature = token.partition(".")
        if not _is_same(signature, self._sign(claim)):
            return False
        said = json.loads(base64.urlsafe_b64decode(claim))
        return bool(said["endpoint"] == endpoint.lower() and said["exp"] > time.time())

    def _sign(self, *parts: str) -> str:
        digest = hmac.new(self.key, "\n".join(parts).encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).decode()


def _is_same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def new_key() -> str:
    """Return a key for an endpoint, of 32 letters and digits."""
    return secrets.token_hex(16)
