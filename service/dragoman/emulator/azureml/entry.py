"""Runs an entry script as Azure ML's inference server does: ``init()`` once, ``run(body)`` for every ``POST /score``.

It is started as a process of its own, and needs nothing but the standard library.
"""

import argparse
import importlib.util
import json
import os
import sys
import traceback
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

Run = Callable[[str], object]


def load(script: Path) -> Run:
    """Return the ``run`` of a script, after its ``init``.

    Raises:
        Exception: whatever the script raises.
    """
    sys.path.insert(0, str(script.parent))
    spec = importlib.util.spec_from_file_location("entry_script", script)
    if spec is None or spec.loader is None:
        raise ImportError(f"{script} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.init()
    run: Run = module.run
    return run


def handler(run: Run) -> type[BaseHTTPRequestHandler]:
    """Return a handler of requests."""

    class Handler(BaseHTTPRequestHandler):
        """``GET /`` is the probe, ``POST /score`` the model."""

        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            """Tell that the process lives."""
            self._answer(200, b"Healthy", "text/plain") if self.path == "/" else self._answer(404, b"", "text/plain")

        def do_POST(self) -> None:
            """Run the script; what it raises is told to the log, and to nobody else."""
            body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            if self.path.partition("?")[0] != "/score":
                self._answer(404, b"", "text/plain")
                return
            try:
                made = json.dumps(run(body)).encode()
            except Exception as error:  # noqa: BLE001 - the script is a stranger's
                traceback.print_exc()
                self._answer(500, str(error).encode(), "text/plain", {"x-ms-run-function-failed": "True"})
                return
            self._answer(200, made, "application/json")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
            """Log to the container's output."""
            sys.stdout.write(f"{self.log_date_time_string()} {format % args}\n")
            sys.stdout.flush()

        def _answer(self, status: int, body: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    return Handler


def main() -> None:
    """Serve the script that ``AZUREML_ENTRY_SCRIPT`` names, below ``AML_APP_ROOT``."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    script = Path(os.environ["AML_APP_ROOT"]) / os.environ["AZUREML_ENTRY_SCRIPT"]
    with ThreadingHTTPServer(("127.0.0.1", port), handler(load(script))) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
