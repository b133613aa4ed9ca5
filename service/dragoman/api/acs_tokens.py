"""The token that Azure Communication Services signs for each WebSocket that it opens: for our resource, and now.

Source: learn.microsoft.com, "Secure webhook endpoints and WebSocket connections" (Call Automation), read 2026-11: a JWT
of 24 hours in the header ``Authorization``; its audience is the immutable id of the resource.
"""

import time
from dataclasses import dataclass
from typing import Final

from dragoman.api.signed import Clock, FetchKeys, Issuer, claimed, fetch_keys
from dragoman.domain.caller import DEFAULT_TENANT, Caller
from dragoman.domain.errors import KeyRefusedError
from dragoman.store.scope import Scope

_REQUIRED: Final = ("aud", "exp", "iss")


@dataclass(frozen=True, slots=True)
class AcsOptions:
    """``resource`` is the immutable id of our resource; what it streams belongs to ``tenant``."""

    resource: str
    tenant: str = DEFAULT_TENANT
    issuer: str = "https://acscallautomation.communication.azure.com"


class AcsTokens:
    """Says for whom a call is streamed."""

    def __init__(self, options: AcsOptions, fetch: FetchKeys = fetch_keys, clock: Clock = time.monotonic) -> None:
        self._options = options
        self._issuer = Issuer((options.issuer,), f"{options.issuer}/calling/keys", fetch, clock)

    async def verify(self, token: str, scope: Scope) -> Caller:
        """Return for whom a call is streamed. Such a token opens streams, and no other door.

        Raises:
            KeyRefusedError: if the token is not good.
            TokenKeysMissingError: if Azure's keys cannot be had.
        """
        claimed(token)  # one that is too long or too deep is not read any further
        if scope is not Scope.STREAM:
            raise KeyRefusedError("A token of Azure Communication Services opens streams only.")
        await self._issuer.checked(token, (self._options.resource,), _REQUIRED)
        return Caller(tenant=self._options.tenant, owner=f"acs {self._options.resource}")
