"""What a node takes."""

import time

from dragoman.domain.chat import Usage
from dragoman.domain.insight import NodeCost


class Stopwatch:
    """Runs from when it is made."""

    def __init__(self) -> None:
        self._began_s = time.perf_counter()

    def cost(self, node: str, usage: Usage | None = None) -> NodeCost:
        """Return what a node took so far."""
        used = usage or Usage()
        return NodeCost(
            node=node,
            took_ms=round(1000 * (time.perf_counter() - self._began_s), 3),
            prompt_tokens=used.prompt_tokens,
            completion_tokens=used.completion_tokens,
            cost_usd=used.cost_usd,
        )
