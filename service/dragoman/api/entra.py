"""Bearer tokens of Microsoft Entra ID: signed by a key that its tenant publishes, for us, now, with a role of ours."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dragoman.api.signed import Clock, FetchKeys, Issuer, claimed, ends_s, fetch_keys
from dragoman.domain.caller import Caller
from dragoman.domain.errors import KeyRefusedError
from dragoman.store.scope import Scope

ROLES: Final[Mapping[str, Scope]] = {f"Dragoman.{scope.value.capitalize()}": scope for scope in Scope}
"""App roles, as an application's manifest names them: ``Dragoman.Stream`` and so on."""

_REQUIRED: Final = ("aud", "exp", "iat", "iss", "nbf", "tid")


@dataclass(frozen=True, slots=True)
class EntraOptions:
    """``audience`` is our application's id, or its URI; ``tenants`` are the ids of those that may use it."""

    audience: str
    tenants: tuple[str, ...]
    authority: str = "https://login.microsoftonline.com"


class EntraTokens:
    """Says whose token it is."""

    def __init__(self, options: EntraOptions, fetch: FetchKeys = fetch_keys, clock: Clock = time.monotonic) -> None:
        self._audiences = (options.audience, f"api://{options.audience}")
        self._issuers = {tenant: _issuer(options.authority, tenant, fetch, clock) for tenant in options.tenants}

    async def verify(self, token: str, scope: Scope) -> Caller:
        """Return whose token it is, if it has the role for a scope.

        Raises:
            KeyRefusedError: if it is not one that opens this door; why is said as far as it helps an honest caller.
            TokenKeysMissingError: if the tenant's keys cannot be had.
        """
        tenant = claimed(token).get("tid")
        if not isinstance(tenant, str) or tenant not in self._issuers:
            raise KeyRefusedError("This token is of a tenant that does not use this server.")
        claims = await self._issuers[tenant].checked(token, self._audiences, _REQUIRED)
        roles = claims.get("roles")
        granted = {ROLES[role] for role in roles if role in ROLES} if isinstance(roles, list) else set()
        if scope not in granted:
            raise KeyRefusedError(
                f"This token does not open this door; it needs the role 'Dragoman.{scope.capitalize()}'."
            )
        who = claims.get("oid") or claims.get("azp") or claims.get("appid")
        if not isinstance(who, str):
            raise KeyRefusedError("This token does not say whose it is.")
        return Caller(tenant=tenant, owner=who, until_s=ends_s(claims))


def _issuer(authority: str, tenant: str, fetch: FetchKeys, clock: Clock) -> Issuer:
    names = (f"{authority}/{tenant}/v2.0", f"https://sts.windows.net/{tenant}/")
    return Issuer(names, f"{authority}/{tenant}/discovery/v2.0/keys", fetch, clock)
