"""Azure Resource Manager, asked with a token: what no Bicep template can know."""

import time
from collections.abc import Callable, Iterator
from typing import Final

import httpx

Json = dict[str, "Value"]
Value = str | int | float | bool | None | list["Value"] | Json

MANAGEMENT: Final = "https://management.azure.com"
SCOPE: Final = f"{MANAGEMENT}/.default"
_TRIES: Final = 4
_BUSY: Final = frozenset({408, 429, 500, 502, 503, 504})
_LONGEST_WAIT_S: Final = 30.0


class ArmError(Exception):
    """What Azure refused, and what to do about it."""


class Arm:
    """A client whose answers are JSON. ``token`` gives a bearer token for ``SCOPE``."""

    def __init__(
        self, http: httpx.Client, token: Callable[[], str], sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._http = http
        self._token = token
        self._sleep = sleep

    def get(self, path: str, version: str) -> Json:
        """Return one resource.

        Raises:
            ArmError: if Azure does not answer with it.
        """
        return self._ask("GET", f"{MANAGEMENT}{path}?api-version={version}", None)

    def post(self, path: str, version: str, body: Json | None = None) -> Json:
        """Ask for an action; raises as ``get``."""
        return self._ask("POST", f"{MANAGEMENT}{path}?api-version={version}", body or {})

    def list(self, path: str, version: str) -> Iterator[Json]:
        """Yield the members of a collection, page after page; raises as ``get``."""
        url: Value = f"{MANAGEMENT}{path}?api-version={version}"
        while isinstance(url, str) and url:
            page = self._ask("GET", url, None)
            yield from items(page, "value")
            url = page.get("nextLink")

    def _ask(self, method: str, url: str, body: Json | None) -> Json:
        for tries_left in reversed(range(_TRIES)):
            try:
                answer = self._http.request(
                    method, url, json=body, headers={"Authorization": f"Bearer {self._token()}"}
                )
            except httpx.TransportError as error:
                if not tries_left:
                    raise ArmError(f"Azure cannot be reached: {error}.") from error
                self._sleep(1.0)
                continue
            if answer.status_code in _BUSY and tries_left:
                self._sleep(min(float(answer.headers.get("retry-after", "1")), _LONGEST_WAIT_S))
                continue
            return _read(answer)
        raise AssertionError("the last try returns or raises")


def items(of: Json, name: str) -> list[Json]:
    """Return the objects in a list of JSON; nothing if there is none."""
    found = of.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def texts(of: Json, name: str) -> list[str]:
    """Return the strings in a list of JSON; nothing if there is none."""
    found = of.get(name)
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def part(of: Json, name: str) -> Json:
    """Return an object inside another one; an empty one if there is none."""
    found = of.get(name)
    return found if isinstance(found, dict) else {}


def text(of: Json, name: str) -> str:
    """Return a string of JSON; an empty one if there is none."""
    found = of.get(name)
    return found if isinstance(found, str) else ""


def number(of: Json, name: str) -> float:
    """Return a number of JSON; 0 if there is none."""
    found = of.get(name)
    return float(found) if isinstance(found, int | float) else 0.0


def _read(answer: httpx.Response) -> Json:
    if answer.is_success:
        found: Value = answer.json() if answer.content else {}
        return found if isinstance(found, dict) else {}
    try:
        error = part(answer.json(), "error")
    except ValueError:
        error = {}
    said = f"{text(error, 'code') or answer.status_code}: {text(error, 'message') or answer.reason_phrase}"
    cure = {401: " Sign in: azd auth login.", 403: " Ask for the role Reader on the subscription."}
    raise ArmError(f"Azure refuses {answer.request.url.path} ({said}).{cure.get(answer.status_code, '')}")
