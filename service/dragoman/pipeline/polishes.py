"""Finals that are read again while the session goes on."""

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

from dragoman.domain.errors import DragomanError, InsightLateError, engine_failure
from dragoman.insight.conversation import Conversation, Line
from dragoman.insight.polishing import Polished

_MOST_OPEN: Final = 8
"""Finals that may be read again at once."""

CONTEXT: Final = 6
"""Utterances that are shown, the one that is read again among them."""

_DEADLINE_S: Final = 30.0

Outcome = Polished | DragomanError


class Polisher(Protocol):
    """Reads the last utterance of a conversation again."""

    async def run(self, conversation: Conversation, glossary: Sequence[str]) -> Polished:
        """Return how it should read.

        Raises:
            DragomanError: if nobody can say.
        """
        ...


class Polishes:
    """What is read again, and the words to expect."""

    def __init__(self, polisher: Polisher | None, glossary: Sequence[str]) -> None:
        self._polisher = polisher
        self._glossary = tuple(glossary)
        self.tasks: set[asyncio.Task[Outcome]] = set()
        """What is under way."""

    @property
    def is_full(self) -> bool:
        """Whether as many are under way as may be: a recording waits then, and a live stream goes on without."""
        return len(self.tasks) >= _MOST_OPEN

    def ask(self, lines: Sequence[Line]) -> None:
        """Have the last of these utterances read again, if anybody does."""
        if self._polisher is not None and lines:
            self.tasks.add(asyncio.create_task(self._ask(self._polisher, Conversation(lines=tuple(lines)))))

    def outcome(self, task: "asyncio.Task[Outcome]") -> Outcome:
        """Return what came of one that is done."""
        self.tasks.discard(task)
        return task.result()

    async def _ask(self, polisher: Polisher, conversation: Conversation) -> Outcome:
        try:
            async with asyncio.timeout(_DEADLINE_S):
                return await polisher.run(conversation, self._glossary)
        except TimeoutError:
            return InsightLateError(f"Nobody read this again within {_DEADLINE_S:.0f} s.")
        except Exception as error:  # noqa: BLE001 - not swallowed: it becomes a warning
            return engine_failure(error)
