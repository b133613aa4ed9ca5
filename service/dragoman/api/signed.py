"""Signed tokens: each by a key that its issuer publishes, for us, and in time."""

import asyncio
import json
import time
import urllib.request
from collections.abc import Callable, Sequence
from typing import Final

import jwt
from jwt import PyJWK, PyJWKSet
from jwt.exceptions import PyJWKError, PyJWKSetError, PyJWTError

from dragoman.domain.errors import KeyRefusedError, TokenKeysMissingError

_ALGORITHMS: Final = ["RS256"]  # what Microsoft signs with; nothing else, or a token could choose how it is checked
_LONGEST_TOKEN: Final = 16_384
_LEEWAY_S: Final = 60
_KEYS_KEPT_S: Final = 24 * 3_600
_KEYS_ASKED_S: Final = 60.0
"""Keys are asked for again at most this often, however many tokens name one that is not known."""
_ANSWER_S: Final = 5.0

FetchKeys = Callable[[str], bytes]
Clock = Callable[[], float]
Claims = dict[str, object]


def fetch_keys(url: str) -> bytes:
    """Return what an issuer publishes.

    Raises:
        OSError: if it cannot be had.
    """
    with urllib.request.urlopen(url, timeout=_ANSWER_S) as answer:  # noqa: S310 - the address is the operator's
        return bytes(answer.read(1_000_000))


def claimed(token: str) -> Claims:
    """Return what a token says. Nothing of it is believed yet.

    Raises:
        KeyRefusedError: if it is none that can be read.
    """
    if len(token) > _LONGEST_TOKEN:
        raise KeyRefusedError("This is no token: it is too long.")
    try:
        claims: Claims = jwt.decode(token, options={"verify_signature": False})
    except (PyJWTError, ValueError, RecursionError) as error:
        raise KeyRefusedError("This is no token that can be read.") from error
    return claims


def ends_s(claims: Claims) -> float:
    """Return when a token that was checked ends for us, in Unix time."""
    end = claims["exp"]
    assert isinstance(end, int | float)
    return float(end) + _LEEWAY_S


class Issuer:
    """Who signs tokens: the names under which it does, and where its keys are."""

    def __init__(
        self, names: Sequence[str], url: str, fetch: FetchKeys = fetch_keys, clock: Clock = time.monotonic
    ) -> None:
        self._names = list(names)
        self._url = url
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str, PyJWK] = {}
        self._asked_s = -float(_KEYS_KEPT_S)
        self._asking = asyncio.Lock()

    async def checked(self, token: str, audiences: Sequence[str], required: Sequence[str]) -> Claims:
        """Return what a token says, if it is this issuer's, for one of these, in time, and says all that is required.

        Raises:
            KeyRefusedError: if it is not; why is said as far as it helps an honest caller.
            TokenKeysMissingError: if the issuer's keys cannot be had.
        """
        key = await self._key(token)
        try:
            claims: Claims = jwt.decode(
                token,
                key,
                algorithms=_ALGORITHMS,
                audience=list(audiences),
                issuer=self._names,
                leeway=_LEEWAY_S,
                options={"require": list(required)},
            )
        except (PyJWTError, ValueError, TypeError) as error:
            raise KeyRefusedError(f"This token is refused: {type(error).__name__}.") from error
        return claims

    async def _key(self, token: str) -> PyJWK:
        try:
            header = jwt.get_unverified_header(token)
        except (PyJWTError, ValueError) as error:
            raise KeyRefusedError("This is no token that can be read.") from error
        name = header.get("kid")
        if header.get("alg") not in _ALGORITHMS or not isinstance(name, str):
            raise KeyRefusedError("This token is not signed as its issuer signs.")
        async with self._asking:
            age_s = self._clock() - self._asked_s
            if age_s >= _KEYS_KEPT_S or (name not in self._keys and age_s >= _KEYS_ASKED_S):
                await self._ask()
        key = self._keys.get(name)
        if key is None:
            raise KeyRefusedError("This token is signed by a key that its issuer does not publish.")
        return key

    async def _ask(self) -> None:
        self._asked_s = self._clock()
        try:
            found = PyJWKSet.from_dict(json.loads(await asyncio.to_thread(self._fetch, self._url)))
            self._keys = {key.key_id: key for key in found.keys if key.key_id and key.key_type == "RSA"}
        except (OSError, ValueError, PyJWKError, PyJWKSetError) as error:
            if not self._keys:  # those that are known are good until others are
                raise TokenKeysMissingError("The keys of the token's issuer cannot be had; try again.") from error
