"""The port to the insight step, wherever it runs."""

from typing import Protocol

from dragoman.domain.insight import Insight
from dragoman.insight.conversation import Conversation


class InsightClient(Protocol):
    """Says what follows from a conversation."""

    async def run(self, conversation: Conversation, language: str) -> Insight:
        """Return what follows, written in ``language``.

        Raises:
            DragomanError: if nobody can say.
        """
        ...
