"""Who may use the doors: keys, one-time tickets for browsers, and no pages of other sites."""

import asyncio
import re
import secrets
import time
from collections.abc import Collection
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from dragoman.api.entra import EntraTokens
from dragoman.domain.caller import Caller as Caller
from dragoman.domain.errors import KeyRefusedError, OriginRefusedError, TokenEndedError
from dragoman.store.digest import digest
from dragoman.store.keys import KEY_PREFIX, KeyRecord, KeyStore
from dragoman.store.scope import Scope
from dragoman.store.tickets import Ticket, TicketStore

TICKET_S: Final = 30
_KEYS_CHECKED_S: Final = 5.0
_KEY_ID: Final = re.compile(r"[0-9a-f]{8}")  # of ours; ids of Entra are longer
_LOCAL: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class Doorkeeper:
    """Decides who may come in. While there are neither keys nor Entra, everybody on this machine may."""

    def __init__(
        self,
        keys: KeyStore,
        tickets: TicketStore,
        allowed_origins: Collection[str],
        entra: EntraTokens | None = None,
    ) -> None:
        self._keys = keys
        self._tickets = tickets
        self._entra = entra
        self._allowed_origins = frozenset(allowed_origins)
        self._has_keys = False
        self._checked_s = -_KEYS_CHECKED_S

    async def admit(self, connection: HTTPConnection, scope: Scope) -> Caller:
        """Return who calls, by the key or token of the request or, on a stream, by its ticket.

        Raises:
            OriginRefusedError: if a page of another site asks, or another machine while there are no keys.
            KeyRefusedError: if there is nothing that opens this door.
            TokenKeysMissingError: if a token cannot be checked now.
        """
        keys_are_needed = await self._keys_are_needed()
        self._check_origin(connection)
        if not keys_are_needed:
            _check_local(connection)
            return Caller()
        kind, _, key = connection.headers.get("authorization", "").partition(" ")
        key = key.strip()
        if kind.lower() == "bearer" and key:
            return await self.bearer(key, scope)
        if ticket := connection.query_params.get("ticket"):
            return await self._redeem(ticket, connection.headers.get("origin"))
        raise KeyRefusedError("A key is needed: send 'Authorization: Bearer <key>'; 'dragoman keys create' makes one.")

    async def bearer(self, key: str, scope: Scope) -> Caller:
        """Return whose key or token it is.

        Raises:
            KeyRefusedError, TokenKeysMissingError: as ``admit``.
        """
        if self._entra and not key.startswith(KEY_PREFIX):
            return await self._entra.verify(key, scope)
        record = await asyncio.to_thread(self._keys.verify, key)
        if record is not None and scope in record.scopes:
            return _caller(record)
        raise KeyRefusedError(f"This key does not open this door; it needs the scope '{scope}'.")

    async def again(self, caller: Caller) -> Caller:
        """Return who was let in as they stand now.

        Raises:
            TokenEndedError: if what they showed was revoked, or has ended.
        """
        if caller.owner is not None and _KEY_ID.fullmatch(caller.owner):
            record = await asyncio.to_thread(self._keys.get, caller.owner)
            if record is None:
                raise TokenEndedError("This key was revoked or has expired; resume with another one.")
            caller = _caller(record)
        if caller.until_s is not None and caller.until_s <= time.time():
            raise TokenEndedError("What was shown has ended; resume with another token or key.")
        return caller

    def _check_origin(self, connection: HTTPConnection) -> None:
        origin = connection.headers.get("origin")
        if origin is None or origin in self._allowed_origins:
            return
        if origin.partition("://")[2] != connection.headers.get("host", ""):
            raise OriginRefusedError(
                "Pages of other sites may not use this server; its operator can allow them in DRAGOMAN_ALLOWED_ORIGINS."
            )

    async def ticket(self, caller: Caller, origin: str | None) -> str:
        """Return a ticket that opens one stream within ``TICKET_S`` seconds, at any server, from the same site."""
        ticket = secrets.token_urlsafe(32)
        await asyncio.to_thread(self._tickets.add, digest(ticket), Ticket(caller, origin), TICKET_S)
        return ticket

    async def _redeem(self, ticket: str, origin: str | None) -> Caller:
        found = await asyncio.to_thread(self._tickets.redeem, digest(ticket))
        if found is None or found.origin != origin:
            raise KeyRefusedError("This ticket was used, is too old, or is another site's; ask for a new one.")
        return found.caller

    async def _keys_are_needed(self) -> bool:
        if self._entra:
            return True
        if time.monotonic() - self._checked_s >= _KEYS_CHECKED_S:
            self._has_keys = await asyncio.to_thread(self._keys.any_active)
            self._checked_s = time.monotonic()
        return self._has_keys


def _caller(record: KeyRecord) -> Caller:
    until_s = None if record.expires_ms is None else record.expires_ms / 1_000
    return Caller(record.tenant, record.key_id, record.quota, until_s)


def _check_local(connection: HTTPConnection) -> None:
    """Refuse other machines, and pages that pretend that their name is this machine's (DNS rebinding).

    The name alone would not do: whoever calls chooses it, and the last key may be revoked while the server runs.
    """
    client = connection.client
    if _name(connection.headers.get("host", "")) not in _LOCAL or (
        client is not None and not ip_address(client.host).is_loopback
    ):
        raise OriginRefusedError("Without keys only this machine is served, as 127.0.0.1 or localhost.")


def _name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
