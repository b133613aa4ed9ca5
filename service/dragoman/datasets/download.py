"""Files from the web."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

import httpx

from dragoman.datasets.limits import Allowance
from dragoman.domain.errors import SourceFailedError

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class Web:
    """Fetches files by HTTPS, within an allowance; plain HTTP is for this machine only."""

    def __init__(self, client: httpx.Client, allowance: Allowance) -> None:
        self._client = client
        self._allowance = allowance

    def fetch(self, url: str, target: Path) -> None:
        """Write what is at a URL into a file; after an error there is no file.

        Raises:
            SourceFailedError: if it cannot be had; the message leaves out the query, which may be a signature.
        """
        if not self.has(url, target):
            raise SourceFailedError(f"There is nothing at '{_plain(url)}' (404); check the address.")

    def has(self, url: str, target: Path) -> bool:
        """Fetch as ``fetch`` does; return whether there is anything."""
        deadline_s = self._allowance.one_file()
        target.parent.mkdir(parents=True, exist_ok=True)
        new = target.with_name(f"{target.name}.part")
        try:
            with self._client.stream("GET", url) as answer:
                if answer.status_code == httpx.codes.NOT_FOUND:
                    return False
                answer.raise_for_status()
                with new.open("wb") as file:
                    for block in answer.iter_bytes():
                        self._allowance.spend(len(block), deadline_s)
                        file.write(block)
            new.replace(target)
        except httpx.HTTPStatusError as error:
            raise SourceFailedError(f"'{_plain(url)}' answers {error.response.status_code}.") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise SourceFailedError(
                f"'{_plain(url)}' cannot be fetched ({type(error).__name__}): {_plain(str(error))}"
            ) from error
        finally:
            new.unlink(missing_ok=True)
        return True


@contextmanager
def web(allowance: Allowance) -> Iterator[Web]:
    """Open connections; leaving the context closes them."""
    with httpx.Client(
        timeout=allowance.limits.silent_s, follow_redirects=True, event_hooks={"request": [_check_scheme]}
    ) as client:
        yield Web(client, allowance)


def beside(url: str, file: str) -> str:
    """Return the URL of a file in the same folder as another; a signature in the query goes along."""
    parts = urlsplit(url)
    folder = parts.path.rpartition("/")[0]
    return parts._replace(path=f"{folder}/{quote(file)}").geturl()


def _check_scheme(request: httpx.Request) -> None:
    """Look at every request, those to which another redirects too."""
    if request.url.scheme != "https" and request.url.host not in _LOOPBACK:
        raise SourceFailedError(f"'{_plain(str(request.url))}' is not encrypted; use https.")


def _plain(url: str) -> str:
    return url.partition("?")[0]
