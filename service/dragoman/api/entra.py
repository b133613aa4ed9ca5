"""Bearer tokens of Microsoft Entra ID: signed by a key that its tenant publishes, for us, now, with a role of ours."""

import asyncio
import json
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import jwt
from jwt import PyJWK, PyJWKSet
from jwt.exceptions import PyJWKError, PyJWKSetError, PyJWTError

from dragoman.domain.caller import Caller
from dragoman.domain.errors import KeyRefusedError, TokenKeysMissingError
from dragoman.store.scope import Scope

ROLES: Final[Mapping[str, Scope]] = {f"Dragoman.{scope.value.capitalize()}": scope for scope in Scope}
"""App roles, as an application's manifest names them: ``Dragoman.Stream`` and so on."""

_ALGORITHMS: Final = ["RS256"]  # what Entra signs with; nothing else, or a token could choose how it is checked
_REQUIRED: Final = ["aud", "exp", "iat", "iss", "nbf", "tid"]
_LONGEST_TOKEN: Final = 16_384
_LEEWAY_S: Final = 60
_KEYS_KEPT_S: Final = 24 * 3_600
_KEYS_ASKED_S: Final = 60.0
"""Keys are asked for again at most this often, however many tokens name one that is not known."""
_ANSWER_S: Final = 5.0

FetchKeys = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class EntraOptions:
    """``audience`` is our application's id, or its URI; ``tenants`` are the ids of those that may use it."""

    audience: str
    tenants: tuple[str, ...]
    authority: str = "https://login.microsoftonline.com"


def fetch_keys(url: str) -> bytes:
    """Return what a tenant publishes.

    Raises:
        OSError: if it cannot be had.
    """
    with urllib.request.urlopen(url, timeout=_ANSWER_S) as answer:  # noqa: S310 - the authority is the operator's
        return bytes(answer.read(1_000_000))


@dataclass
class _Published:
    """The keys of one tenant, and when they were asked for."""

    keys: dict[str, PyJWK] = field(default_factory=dict)
    asked_s: float = -_KEYS_KEPT_S


class EntraTokens:
    """Says whose token it is."""

    def __init__(
        self, options: EntraOptions, fetch: FetchKeys = fetch_keys, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._options = options
        self._fetch = fetch
        self._clock = clock
        self._published = {tenant: _Published() for tenant in options.tenants}
        self._asking = asyncio.Lock()

    async def verify(self, token: str, scope: Scope) -> Caller:
        """Return whose token it is, if it has the role for a scope.

        Raises:
            KeyRefusedError: if it is not one that opens this door; why is said as far as it helps an honest caller.
            TokenKeysMissingError: if the tenant's keys cannot be had.
        """
        tenant = self._tenant(token)
        claims = self._checked(token, tenant, await self._key(token, tenant))
        roles = claims.get("roles")
        granted = {ROLES[role] for role in roles if role in ROLES} if isinstance(roles, list) else set()
        if scope not in granted:
            raise KeyRefusedError(
                f"This token does not open this door; it needs the role 'Dragoman.{scope.capitalize()}'."
            )
        who = claims.get("oid") or claims.get("azp") or claims.get("appid")
        if not isinstance(who, str):
            raise KeyRefusedError("This token does not say whose it is.")
        return Caller(tenant=tenant, owner=who)

    def _tenant(self, token: str) -> str:
        """Return the tenant that a token says it is from, if it is one of ours. Nothing is believed yet."""
        if len(token) > _LONGEST_TOKEN:
            raise KeyRefusedError("This is no token: it is too long.")
        try:
            claims = jwt.decode(token, options={"verify_signature": False})
        except (PyJWTError, ValueError, RecursionError) as error:
            raise KeyRefusedError("This is no token that can be read.") from error
        tenant = claims.get("tid")
        if not isinstance(tenant, str) or tenant not in self._published:
            raise KeyRefusedError("This token is of a tenant that does not use this server.")
        return tenant

    async def _key(self, token: str, tenant: str) -> PyJWK:
        try:
            header = jwt.get_unverified_header(token)
        except (PyJWTError, ValueError) as error:
            raise KeyRefusedError("This is no token that can be read.") from error
        name = header.get("kid")
        if header.get("alg") not in _ALGORITHMS or not isinstance(name, str):
            raise KeyRefusedError("This token is not signed as tokens of Entra are.")
        published = self._published[tenant]
        async with self._asking:
            age_s = self._clock() - published.asked_s
            if age_s >= _KEYS_KEPT_S or (name not in published.keys and age_s >= _KEYS_ASKED_S):
                await self._ask(tenant, published)
        key = published.keys.get(name)
        if key is None:
            raise KeyRefusedError("This token is signed by a key that its tenant does not publish.")
        return key

    async def _ask(self, tenant: str, published: _Published) -> None:
        published.asked_s = self._clock()
        url = f"{self._options.authority}/{tenant}/discovery/v2.0/keys"
        try:
            found = PyJWKSet.from_dict(json.loads(await asyncio.to_thread(self._fetch, url)))
            published.keys = {key.key_id: key for key in found.keys if key.key_id and key.key_type == "RSA"}
        except (OSError, ValueError, PyJWKError, PyJWKSetError) as error:
            if not published.keys:  # those that are known are good until others are
                raise TokenKeysMissingError("The keys of the token's tenant cannot be had; try again.") from error

    def _checked(self, token: str, tenant: str, key: PyJWK) -> dict[str, object]:
        issuers = [f"{self._options.authority}/{tenant}/v2.0", f"https://sts.windows.net/{tenant}/"]
        audiences = [self._options.audience, f"api://{self._options.audience}"]
        try:
            claims: dict[str, object] = jwt.decode(
                token,
                key,
                algorithms=_ALGORITHMS,
                audience=audiences,
                issuer=issuers,
                leeway=_LEEWAY_S,
                options={"require": _REQUIRED},
            )
        except (PyJWTError, ValueError, TypeError) as error:
            raise KeyRefusedError(f"This token is refused: {type(error).__name__}.") from error
        return claims
