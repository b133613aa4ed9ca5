"""Our own client: streams audio to a server and loses none of it, whatever happens to the connection or the server."""

from dragoman.client.stream import Stream, stream
from dragoman.client.sync import stream_blocking

__all__ = ["Stream", "stream", "stream_blocking"]
