"""The insight step on the other side of ``/score``."""

from collections.abc import Mapping
from typing import Protocol

from pydantic import JsonValue, ValidationError

from dragoman.domain.errors import EngineFailedError
from dragoman.domain.insight import Insight
from dragoman.engines.ports import close
from dragoman.insight.conversation import Conversation


class Flow(Protocol):
    """Calls a flow, wherever it is."""

    async def call(self, given: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
        """Return its outputs.

        Raises:
            DragomanError: if there are none.
        """
        ...


class RemoteInsight:
    """An ``InsightClient`` whose step runs elsewhere."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow

    def close(self) -> None:
        """Let go of what calls the flow."""
        close(self._flow)

    async def run(self, conversation: Conversation, language: str) -> Insight:
        """Return what follows from a conversation.

        Raises:
            EngineFailedError: if the answer is no insight.
            DragomanError: if there is no answer.
        """
        outputs = await self._flow.call({"conversation": conversation.model_dump(mode="json"), "language": language})
        try:
            return Insight.model_validate(outputs["insight"])
        except (KeyError, ValidationError) as error:
            raise EngineFailedError("The flow's endpoint answered with something else than an insight.") from error
