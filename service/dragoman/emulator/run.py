"""Runs the emulator, in the foreground or, for tests, on a thread."""

import asyncio
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn
from fastapi import FastAPI, WebSocket

from dragoman.emulator.azureml.certificate import Certificate

_LARGEST_FRAME: Final = 1 << 20
_CLOSE_S: Final = 2
_START_S: Final = 60


class EmulatorServer(uvicorn.Server):
    """A server that can break a connection as a network does: without a word."""

    def __init__(self, app: FastAPI, host: str, port: int, tls: Certificate | None = None) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                # uvicorn's lines hold addresses, and those hold keys: the JavaScript SDK puts its key there.
                log_level="warning",
                access_log=False,
                ws="websockets-sansio",
                ws_max_size=_LARGEST_FRAME,
                ws_per_message_deflate=False,
                ws_ping_interval=None,
                timeout_graceful_shutdown=_CLOSE_S,
                ssl_certfile=tls.chain if tls else None,
                ssl_keyfile=tls.key if tls else None,
            )
        )
        app.state.drop = self._drop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, and say where."""
        await super().startup(sockets)
        for each in (listening for server in self.servers for listening in server.sockets):
            host, port = each.getsockname()[:2]
            scheme = "https" if self.config.is_ssl else "http"
            sys.stderr.write(f"The emulator listens on {scheme}://{host}:{port}; Ctrl+C stops it.\n")
            sys.stderr.flush()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop; clients that keep an idle connection over TLS are not waited for, as their goodbye may never come."""
        for each in list(self.server_state.connections) if self.config.is_ssl else ():
            cycle = getattr(each, "cycle", None)
            if each.transport and (cycle is None or cycle.response_complete):
                each.transport.abort()
        await super().shutdown(sockets)

    def _drop(self, websocket: WebSocket) -> None:
        assert websocket.client
        for connection in list(self.server_state.connections):
            transport = connection.transport
            if transport and transport.get_extra_info("peername")[:2] == (websocket.client.host, websocket.client.port):
                transport.abort()


def run(app: FastAPI, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    EmulatorServer(app, host, port).run()


@contextmanager
def running(app: FastAPI, host: str = "127.0.0.1", port: int = 0, tls: Certificate | None = None) -> Iterator[str]:
    """Serve on a thread of this process; yield the address, ``127.0.0.1:50123``. Port 0 is any that is free.

    Raises:
        TimeoutError: if it does not come up.
    """
    with socket.create_server((host, port)) as listening:
        # asyncio does this for sockets of its own; without it every answer waits 40 ms for an acknowledgement.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        host, port = listening.getsockname()[:2]
        server = EmulatorServer(app, host, port, tls)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])), name="emulator", daemon=True)
        thread.start()
        for _ in range(_START_S * 100):
            if server.started:
                break
            if not thread.is_alive():
                break
            thread.join(0.01)
        if not server.started:
            raise TimeoutError("The emulator did not start.")
        try:
            yield f"{host}:{port}"
        finally:
            server.should_exit = True
            thread.join()
