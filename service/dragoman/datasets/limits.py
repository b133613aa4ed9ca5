"""How much a source may cost before it is given up."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Final

from dragoman.domain.errors import SourceFailedError

_GB: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Of a whole source: bytes on our disk, files, and for each transfer how long it takes, and is silent."""

    max_bytes: int = 20 * _GB
    max_files: int = 1_000_000
    timeout_s: float = 3_600.0
    silent_s: float = 30.0


class Allowance:
    """What is left of the limits of one source; several threads may spend it."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self._bytes = limits.max_bytes
        self._files = limits.max_files
        self._clock = clock
        self._counting = Lock()

    def one_file(self) -> float:
        """Count a file; return when its transfer must have ended, for ``spend``.

        Raises:
            SourceFailedError: if there are too many.
        """
        with self._counting:
            self._files -= 1
        if self._files < 0:
            raise SourceFailedError(f"The source has more than {self.limits.max_files} files; split it.")
        return self._clock() + self.limits.timeout_s

    def spend(self, size_bytes: int, deadline_s: float) -> None:
        """Count bytes that came.

        Raises:
            SourceFailedError: if they are too many, or came too late.
        """
        with self._counting:
            self._bytes -= size_bytes
        if self._bytes < 0:
            raise SourceFailedError(
                f"The source is larger than {self.limits.max_bytes / _GB:g} GB; raise --max-gb if it may be."
            )
        if self._clock() > deadline_s:
            raise SourceFailedError(f"A transfer took longer than {self.limits.timeout_s:g} s; it was given up.")
