"""Calls that tell of jobs and alerts: signed, to hosts that the operator allows, made again until somebody listens."""

import asyncio
import hashlib
import hmac
import http.client
import logging
import ssl
import time
from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from dragoman.domain.errors import StoreFailedError, WebhookRefusedError
from dragoman.store.outbox import Hook, Outbox

SIGNATURE: Final = "Dragoman-Signature"
_ANSWER_S: Final = 10.0
_LOOK_S: Final = 2.0
_PAUSE_MS: Final = 2_000
MOST_ATTEMPTS: Final = 16
"""Each pause is twice as long as the one before: the last call is made after 18 hours."""

_LOG: Final = logging.getLogger(__name__)


class Webhooks:
    """Makes the calls that are due. ``hosts`` are ``name`` or ``name:port``; nobody else is called."""

    def __init__(self, outbox: Outbox, hosts: Collection[str], secret: bytes | None) -> None:
        self._outbox = outbox
        self._hosts = frozenset(hosts)
        self._secret = secret

    def check(self, url: str) -> None:
        """Find out whether a URL may be called.

        Raises:
            WebhookRefusedError: naming what is wrong.
        """
        if self._secret is None or not self._hosts:
            raise WebhookRefusedError(
                "This server makes no calls; its operator sets DRAGOMAN_WEBHOOK_HOSTS and DRAGOMAN_WEBHOOK_SECRET."
            )
        try:
            place = urlsplit(url)
            port = place.port
        except ValueError:
            raise WebhookRefusedError("The webhook is no URL.") from None
        name = place.hostname or ""
        is_here = name in ("127.0.0.1", "localhost")
        if place.username is not None or (place.scheme != "https" and not (is_here and place.scheme == "http")):
            raise WebhookRefusedError("A webhook is an https URL without a user.")
        if (f"{name}:{port}" if port else name) not in self._hosts:
            raise WebhookRefusedError("This host is not one that the server may call (DRAGOMAN_WEBHOOK_HOSTS).")

    async def run(self) -> None:
        """Make the calls that are due, until it is cancelled."""
        while True:
            try:
                hook = await asyncio.to_thread(self._outbox.due_hook, _PAUSE_MS)
                if hook is not None:
                    if await asyncio.to_thread(self._call, hook) or hook.attempts >= MOST_ATTEMPTS:
                        await asyncio.to_thread(self._outbox.told, hook.about)
                    continue
            except StoreFailedError as error:  # what was not entered as told is told again
                _LOG.warning("webhooks cannot be read: %s", error.code)
            await asyncio.sleep(_LOOK_S)

    def _call(self, hook: Hook) -> bool:
        """Make a call; return whether somebody listened. Where it leads on to is not followed."""
        assert self._secret is not None
        place = urlsplit(hook.url)
        body = hook.body.encode()
        path = place.path or "/"
        name = place.hostname or ""
        connection = (
            http.client.HTTPSConnection(name, place.port, timeout=_ANSWER_S, context=ssl.create_default_context())
            if place.scheme == "https"
            else http.client.HTTPConnection(name, place.port, timeout=_ANSWER_S)
        )
        headers = {"Content-Type": "application/json", SIGNATURE: signature(self._secret, body, int(time.time()))}
        try:
            connection.request("POST", f"{path}?{place.query}" if place.query else path, body, headers)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            _LOG.warning("the webhook of %s was not heard (%s)", hook.about, type(error).__name__)
            return False
        finally:
            connection.close()
        return 200 <= status < 300


def signature(secret: bytes, body: bytes, at_s: int) -> str:
    """Return ``t=SECONDS,v1=HEX``: HMAC-SHA256 of ``SECONDS.BODY``; neither can be changed, nor told again later."""
    seal = hmac.new(secret, f"{at_s}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at_s},v1={seal}"
