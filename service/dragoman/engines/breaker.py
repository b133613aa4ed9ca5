"""Whether to try something that failed before: not for a while, and then once."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Health:
    """How an engine is, as far as we know.

    ``closed``: all is well; ``open``: it rests for ``rests_s`` more; ``half-open``: the next attempt decides.
    """

    name: str
    state: Literal["closed", "open", "half-open"] = "closed"
    failures: int = 0
    rests_s: float = 0.0


class Breaker:
    """Open after a failure: for ``rest_s``, and twice as long each time the next attempt fails, up to ``most_s``.

    One attempt is let through when that is over; others wait for what becomes of it. Shared by the sessions of a
    process, so that a region that is down is not asked by each of them.
    """

    def __init__(
        self, rest_s: float = 60.0, most_s: float = 600.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rest_s = rest_s
        self._most_s = most_s
        self._clock = clock
        self._failures = 0
        self._opens_s = 0.0  # when it may be tried again
        self._is_tried = False

    @property
    def is_closed(self) -> bool:
        """Whether all is well, as far as we know."""
        return self._failures == 0

    @property
    def allows(self) -> bool:
        """Whether an attempt may be made now."""
        return self.is_closed or (self._clock() >= self._opens_s and not self._is_tried)

    def health(self, name: str) -> Health:
        """Return how the engine of that name is, whose breaker this is."""
        if self.is_closed:
            return Health(name)
        rests_s = max(0.0, self._opens_s - self._clock())
        is_resting = rests_s > 0 and not self._is_tried
        return Health(name, "open" if is_resting else "half-open", self._failures, rests_s if is_resting else 0.0)

    def begin(self) -> None:
        """Make an attempt: it ``succeeded`` or ``failed``, and is ``over``."""
        self._is_tried = not self.is_closed

    def succeeded(self) -> None:
        """Close: all is well."""
        self._failures, self._is_tried = 0, False

    def over(self) -> None:
        """Let others try, if nothing was learned from an attempt."""
        self._is_tried = False

    def failed(self) -> None:
        """Open; what fails while it is open already began before, and tells nothing new."""
        if not (self.is_closed or self._is_tried):
            return
        self._opens_s = self._clock() + min(self._most_s, self._rest_s * 2**self._failures)
        self._failures += 1
        self._is_tried = False
