"""A server in a process of its own, which can be killed."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class ServerProcess:
    """``dragoman serve`` on a port and a data folder that outlive it."""

    program: tuple[str, ...] = ("dragoman", "serve")

    def __init__(self, data: Path, *options: str, **settings: str) -> None:
        self.data = data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._options = options
        self._settings = {f"DRAGOMAN_{name.upper()}": value for name, value in settings.items()}
        self._process: subprocess.Popen[bytes] | None = None
        self.log = data.parent / f"{data.name}.log"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        command = [sys.executable, "-m", *self.program, "--port", str(self.port), "--data", str(self.data)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *self._options], env={**os.environ, **self._settings}, stdout=log, stderr=log
            )
        for _ in range(600):
            if self._process.poll() is not None:
                raise RuntimeError(f"the server ended: {self.log.read_text()[-2_000:]}")
            try:
                if self.get("/healthz")[0] == 200:
                    return
            except OSError:
                time.sleep(0.05)
        self.kill()
        raise TimeoutError("the server does not answer")

    def kill(self, how: signal.Signals = signal.SIGKILL) -> int:
        """End it; return its exit status."""
        assert self._process is not None
        self._process.send_signal(how)
        return self._process.wait(30)

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        return self.request("GET", path, None, **headers)[:2]

    def request(self, method: str, path: str, body: object, **headers: str) -> tuple[int, str, dict[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            data = None if body is None else json.dumps(body).encode()
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, data, {"Content-Type": "application/json", **named})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), {name.lower(): value for name, value in answer.getheaders()}
        finally:
            connection.close()

    def resident_kib(self) -> int:
        """Return how much memory it has in use (Linux)."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))
