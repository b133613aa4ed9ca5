"""Room on the disk that is kept for the day when there is no other."""

import os
import shutil
import threading
from pathlib import Path
from typing import Final

_SIZE_BYTES: Final = 1 << 20


class Reserve:
    """A file of 1 MiB that is given up so that open sessions can still be closed in order."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def hold(self) -> bool:
        """Return whether the room is kept, after making the file if it is missing and twice its size is free."""
        with self._lock:
            try:
                return self._path.exists() or self._make()
            except OSError:
                self._path.unlink(missing_ok=True)
                return False

    def give_up(self) -> bool:
        """Delete the file; return whether there was one."""
        with self._lock:
            try:
                self._path.unlink()
            except OSError:
                return False
            return True

    def _make(self) -> bool:
        if shutil.disk_usage(self._path.parent).free < 2 * _SIZE_BYTES:
            return False  # what was given up a moment ago must not be taken back from those who need it
        with self._path.open("xb") as file:
            file.write(os.urandom(_SIZE_BYTES))  # file systems store zeros in no room at all
            file.flush()
            os.fsync(file.fileno())
        return True
