"""The emulator as a process of its own, as anybody would start it."""

import json
import os
import re
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from dragoman.domain.errors import ReleaseFailedError

_START_S: Final = 60
_STOP_S: Final = 30
_LISTENS: Final = re.compile(r"listens on (https?)://(\S+?);")


@dataclass(frozen=True, slots=True)
class CloudAddress:
    """Where the emulator is: Azure ML by TLS, everything else without, and whom to trust."""

    azureml: str
    doors: str
    authority: Path

    def misbehave(self, fault: dict[str, object]) -> None:
        """Let something go wrong."""
        self._send("POST", json.dumps([fault]).encode())

    def behave(self) -> None:
        """Let nothing go wrong any more."""
        self._send("DELETE", None)

    def _send(self, method: str, body: bytes | None) -> None:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.doors}/emulator/faults", body, headers, method=method)  # noqa: S310 - ours
        with urllib.request.urlopen(request, timeout=_STOP_S):  # noqa: S310
            pass


@contextmanager
def emulator(folder: Path) -> Iterator[CloudAddress]:
    """Run ``dragoman emulator --azureml`` on free ports, with its files in a folder.

    Raises:
        ReleaseFailedError: if it does not come up; its last line says why.
    """
    command = [sys.executable, "-m", "dragoman", "emulator", "--port", "0", "--azureml", "0", "--folder", str(folder)]
    # Settings of whoever started us are not those of what will be deployed.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DRAGOMAN_")}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:  # noqa: S603 - ourselves
        assert process.stderr
        found: dict[str, str] = {}
        last: list[str] = []
        is_up = threading.Event()
        reader = threading.Thread(target=_read, args=(process.stderr, found, last, is_up), name="emulator's words")
        reader.start()
        try:
            if not is_up.wait(_START_S) or len(found) < 2:
                raise ReleaseFailedError(f"The emulator did not start: {last[-1] if last else 'it said nothing'}")
            yield CloudAddress(found["https"], found["http"], folder.resolve() / "tls" / "ca.pem")
        finally:
            process.terminate()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
            reader.join()


def _read(stream: IO[str], found: dict[str, str], last: list[str], is_up: threading.Event) -> None:
    """Read what it says: until it is up for the addresses, and then on, for a full pipe would stop it."""
    for line in stream:
        last[:] = [line.strip()]
        if said := _LISTENS.search(line):
            found[said[1]] = f"{said[1]}://{said[2]}"
            if len(found) == 2:
                is_up.set()
    is_up.set()
