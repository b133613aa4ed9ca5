"""Runs the HTTP door: limits of the wire, and an end that loses nothing."""

import asyncio
import socket
import sys
from typing import Final

import uvicorn
from fastapi import FastAPI

from dragoman.api.door import Door
from dragoman.api.logs import Level, log_to_stderr

_LARGEST_FRAME: Final = 65_536
_PING_S: Final = 5.0
_CLOSE_S: Final = 5


class Server(uvicorn.Server):
    """A server that says where it listens, and tells its clients to resume before it stops."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        for each in (listening for server in self.servers for listening in server.sockets):
            host, port = each.getsockname()[:2]
            name = f"[{host}]" if ":" in host else host
            sys.stderr.write(f"Dragoman listens on http://{name}:{port}; Ctrl+C stops it.\n")
            sys.stderr.flush()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let go of every session, so that its connections say why they close; then stop."""
        app = self.config.app
        assert isinstance(app, FastAPI)
        door = app.state.door
        assert isinstance(door, Door)
        for listening in self.servers:
            listening.close()
        await door.server.hub.close()
        await asyncio.sleep(0)  # connections send their last words
        await super().shutdown(sockets)


def run(app: FastAPI, host: str, port: int, level: Level = "info") -> None:
    """Serve until SIGTERM or SIGINT."""
    log_to_stderr(level)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        # What is logged is what a session did: uvicorn's own lines hold addresses, and those hold tickets.
        log_config=None,
        log_level="warning",
        access_log=False,
        ws="websockets-sansio",
        ws_max_size=_LARGEST_FRAME,
        ws_per_message_deflate=False,  # 14 KB could unfold to 15 MB, and compressing costs a third of the throughput
        ws_ping_interval=_PING_S,
        ws_ping_timeout=_PING_S,
        timeout_graceful_shutdown=_CLOSE_S,
    )
    Server(config).run()
