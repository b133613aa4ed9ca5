"""People who use the endpoint while it is released: they ask for insights, one conversation after the other."""

import http.client
import itertools
import json
import ssl
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pydantic import JsonValue

_TIMEOUT_S: Final = 60
_PAUSE_S: Final = 0.005


@dataclass
class Served:
    """What callers got: answers by deployment, and failures by status; 0 is no answer at all."""

    answers: Counter[str] = field(default_factory=Counter)
    failures: Counter[int] = field(default_factory=Counter)

    @property
    def told(self) -> str:
        """What they got, in a line."""
        failed = f", {self.failures.total()} failed" if self.failures else ", none failed"
        shares = ", ".join(f"{slot} {count}" for slot, count in sorted(self.answers.items()))
        return f"{self.answers.total() + self.failures.total()} live requests: {shares}{failed}"


class Traffic:
    """Callers of a scoring URL, until they are stopped. ``lap`` returns what they got since the last."""

    def __init__(self, url: str, token: str, authority: Path, cases: Sequence[JsonValue], callers: int) -> None:
        self._url = urlsplit(url)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._tls = ssl.create_default_context(cafile=str(authority))
        self._bodies = itertools.cycle([json.dumps(case, ensure_ascii=False).encode() for case in cases])
        self._callers = callers
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._served = Served()

    def lap(self) -> Served:
        """Return what callers got since this was asked last."""
        with self._lock:
            served, self._served = self._served, Served()
        return served

    @contextmanager
    def running(self) -> Iterator[None]:
        """Call, until the block ends."""
        threads = [threading.Thread(target=self._call, name=f"caller {at}") for at in range(self._callers)]
        for each in threads:
            each.start()
        try:
            yield
        finally:
            self._stop.set()
            for each in threads:
                each.join()

    def _call(self) -> None:
        connection: http.client.HTTPSConnection | None = None
        while not self._stop.wait(_PAUSE_S):
            with self._lock:
                body = next(self._bodies)
            if connection is None:
                host = self._url.hostname or ""
                connection = http.client.HTTPSConnection(host, self._url.port, context=self._tls, timeout=_TIMEOUT_S)
            try:
                connection.request("POST", self._url.path, body, self._headers)
                answer = connection.getresponse()
                answer.read()
                status, slot = answer.status, answer.headers.get("azureml-model-deployment", "?")
            except (OSError, http.client.HTTPException):
                status, slot = 0, "?"
                connection.close()
                connection = None
            with self._lock:
                if status == 200:
                    self._served.answers[slot] += 1
                else:
                    self._served.failures[status] += 1
        if connection:
            connection.close()
