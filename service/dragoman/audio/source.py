"""The input of a decoder, as libav may see it."""

import os
import select
import stat
from typing import Final

_HEAD_BYTES: Final = 65_536


class Source:
    """An input as libav may see it: bytes to read and perhaps to seek in, without a name to derive others from.

    ``fd`` is read from where it stands. While it has nothing to say, ``reader_fd`` is watched too: once nobody reads
    that pipe any more, the process ends.
    """

    def __init__(self, fd: int, reader_fd: int | None = None) -> None:
        status = os.fstat(fd)
        self._fd = fd
        self._reader_fd = reader_fd
        self._head = b""
        self.live = not stat.S_ISREG(status.st_mode)
        self.size = 0 if self.live else status.st_size

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes as soon as there are any; none at the end."""
        if not self.live:
            return os.read(self._fd, size)
        self._wait()
        data = os.read(self._fd, size)
        self.size += len(data)
        self._head += data[: _HEAD_BYTES - len(self._head)]
        return data

    def seekable(self) -> bool:
        """Return whether it is a file, not a stream."""
        return not self.live

    def seek(self, offset: int, whence: int) -> int:
        """Move, as ``os.lseek``."""
        return os.lseek(self._fd, offset, whence)

    def tell(self) -> int:
        """Return the position in bytes."""
        return os.lseek(self._fd, 0, os.SEEK_CUR)

    def peek(self, offset: int, size: int) -> bytes:
        """Return bytes without moving; of a stream, only its beginning is remembered."""
        return self._head[offset : offset + size] if self.live else os.pread(self._fd, size, offset)

    @property
    def head(self) -> bytes:
        """The first 64 KiB, or as many as were read."""
        return self.peek(0, _HEAD_BYTES)

    def _wait(self) -> None:
        # A named pipe that no writer has opened yet would read as empty; polled, it waits.
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        if self._reader_fd is not None:
            poll.register(self._reader_fd, 0)
        if all(fd == self._reader_fd for fd, _ in poll.poll()):
            os._exit(0)
