"""What a model may read of a conversation."""

from collections.abc import Callable, Iterable

from pydantic import BaseModel, ConfigDict

from dragoman.domain.insight import NodeCost
from dragoman.engines.ports import Guard
from dragoman.insight.conversation import Conversation, Line
from dragoman.insight.timing import Stopwatch


class Shielded(BaseModel):
    """A conversation but for the utterances that a model must not read, and these."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    conversation: Conversation
    withheld: tuple[str, ...]
    cost: NodeCost


async def shield(guard: Guard, conversation: Conversation, shown: Callable[[Line], Iterable[str]]) -> Shielded:
    """Withhold what reads like an order to the model: in its own words, or in what else is ``shown`` of it.

    Raises:
        DragomanError: if the guard cannot tell.
    """
    watch = Stopwatch()
    texts = [
        (line.id, text)
        for line in conversation.lines
        for text in dict.fromkeys((line.text, *shown(line), line.speaker or ""))
        if text
    ]
    judged = await guard.attacks([text for _, text in texts])
    attacks = {id_ for (id_, _), is_attack in zip(texts, judged, strict=True) if is_attack}
    return Shielded(
        conversation=conversation.without(frozenset(attacks)),
        withheld=tuple(line.id for line in conversation.lines if line.id in attacks),
        cost=watch.cost("shield"),
    )
