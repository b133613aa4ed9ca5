"""Audio that was sent and is not safe yet: the client's to keep."""

from collections import deque
from typing import Final

_LARGEST_FRAME: Final = 32_768


class Ring:
    """The last bytes of a stream of audio, from the first that is not acknowledged on. Positions are in bytes."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._pieces: deque[bytes] = deque()
        self.start = 0
        """Position of the first byte that is kept."""
        self.end = 0
        """Position after the last byte."""

    @property
    def has_room(self) -> bool:
        """Whether more may be added."""
        return self.end - self.start < self._most_bytes

    def add(self, data: bytes) -> None:
        """Keep the next bytes."""
        if data:
            self._pieces.append(data)
            self.end += len(data)

    def forget(self, before: int) -> None:
        """Drop whole pieces that end at or before a position."""
        while self._pieces and self.start + len(self._pieces[0]) <= before:
            self.start += len(self._pieces.popleft())

    def read(self, position: int) -> bytes:
        """Return the next bytes from a position on, as many as fit into a frame; none at the end.

        Raises:
            ValueError: if they are no longer kept.
        """
        if position < self.start:
            raise ValueError(f"bytes from {position} on were forgotten; the ring begins at {self.start}")
        at = self.start
        for piece in self._pieces:
            if position < at + len(piece):
                begin = position - at
                return piece[begin : begin + _LARGEST_FRAME]
            at += len(piece)
        return b""
