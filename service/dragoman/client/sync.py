"""The client for code that cannot await."""

from collections.abc import Generator, Iterable

from dragoman.client.stream import stream
from dragoman.domain.events import Event
from dragoman.domain.messages import SessionWishes
from dragoman.streams import blocking


def stream_blocking(
    url: str, chunks: Iterable[bytes], wishes: SessionWishes | None = None, *, key: str | None = None
) -> Generator[Event, None, None]:
    """Yield the events of audio that comes in chunks, as ``stream`` does; chunks are read on another thread."""
    return blocking(lambda: stream(url, chunks, wishes, key=key))
