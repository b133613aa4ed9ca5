"""From a conversation to its insight, node by node: shield, prompt, draft, conclude."""

import time
from dataclasses import dataclass, replace

from pydantic import BaseModel, ConfigDict, JsonValue

from dragoman.domain.chat import Message, Usage
from dragoman.domain.insight import Insight, InsightDraft, NodeCost
from dragoman.engines.ports import ChatModel, Guard
from dragoman.insight.asking import ask, schema_of
from dragoman.insight.content import Content
from dragoman.insight.conversation import Conversation
from dragoman.insight.grounding import grounded

SCHEMA = schema_of("insight", InsightDraft)
_NOTHING = InsightDraft(summary=(), topics=(), action_items=(), open_questions=(), sentiment=())


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Shielded(_Value):
    """What a model may read of a conversation, and the utterances that it may not."""

    conversation: Conversation
    withheld: tuple[str, ...]
    cost: NodeCost


class Drafted(_Value):
    """What a model says follows, and who it is."""

    draft: InsightDraft
    engine: str
    model: str | None
    cost: NodeCost


@dataclass(frozen=True, slots=True)
class InsightStep:
    """The step with its engines and its words. ``shots`` examples go before what is asked."""

    chat: ChatModel
    guard: Guard
    content: Content
    shots: int = 1

    def with_shots(self, shots: int) -> "InsightStep":
        """Return the step with another number of examples."""
        return replace(self, shots=shots)

    async def run(self, conversation: Conversation, language: str) -> Insight:
        """Return what follows from a conversation, written in ``language``.

        Raises:
            DragomanError: if the model or the guard does not answer, or not as it should.
        """
        shielded = await self.shield(conversation, language)
        messages = self.prompt(shielded, language)
        return await self.conclude(await self.draft(messages, shielded), shielded, conversation, language)

    async def shield(self, conversation: Conversation, language: str) -> Shielded:
        """Withhold what reads like an order to the model, as it was said or as the model would read it."""
        began_s = time.perf_counter()
        texts = [
            (line.id, text) for line in conversation.lines for text in {line.text: 0, line.in_language(language): 0}
        ]
        judged = await self.guard.attacks([text for _, text in texts])
        attacks = {id_ for (id_, _), is_attack in zip(texts, judged, strict=True) if is_attack}
        return Shielded(
            conversation=conversation.without(frozenset(attacks)),
            withheld=tuple(line.id for line in conversation.lines if line.id in attacks),
            cost=_cost("shield", began_s),
        )

    def prompt(self, shielded: Shielded, language: str) -> tuple[Message, ...]:
        """Return what the model is asked."""
        utterances: list[JsonValue] = [
            {
                "id": line.id,
                "at": f"{line.start_ms // 60_000:02}:{line.start_ms // 1_000 % 60:02}",
                "speaker": line.speaker,
                "locale": line.locale,
                "text": line.text,
                "translation": None if (read := line.in_language(language)) == line.text else read,
            }
            for line in shielded.conversation.lines
        ]
        locales = [line.locale for line in shielded.conversation.lines]
        return self.content.messages({"language": language, "utterances": utterances}, locales, self.shots)

    async def draft(self, messages: tuple[Message, ...], shielded: Shielded) -> Drafted:
        """Ask the model; of nothing it is asked nothing."""
        began_s = time.perf_counter()
        if not shielded.conversation.lines:
            return Drafted(draft=_NOTHING, engine=self.chat.name, model=None, cost=_cost("draft", began_s))
        asked = await ask(self.chat, messages, SCHEMA, InsightDraft)
        cost = _cost("draft", began_s, asked.usage)
        return Drafted(draft=asked.answer, engine=asked.engine, model=asked.model, cost=cost)

    async def conclude(
        self, drafted: Drafted, shielded: Shielded, conversation: Conversation, language: str
    ) -> Insight:
        """Keep what is borne out by what was said, and harms nobody."""
        began_s = time.perf_counter()
        sound, dropped = grounded(drafted.draft, shielded.conversation, language)
        harms = await self.guard.harms([claim.text for claim in sound.summary])
        harmless = tuple(claim for claim, harm in zip(sound.summary, harms, strict=True) if harm is None)
        return Insight(
            **dict(sound.model_copy(update={"summary": harmless})),
            language=language,
            languages=conversation.languages(),
            engine=drafted.engine,
            model=drafted.model,
            withheld=shielded.withheld,
            dropped=dropped,
            blocked=tuple(sorted({harm for harm in harms if harm})),
            costs=(shielded.cost, drafted.cost, _cost("conclude", began_s)),
        )


def _cost(node: str, began_s: float, usage: Usage | None = None) -> NodeCost:
    used = usage or Usage()
    return NodeCost(
        node=node,
        took_ms=round(1000 * (time.perf_counter() - began_s), 3),
        prompt_tokens=used.prompt_tokens,
        completion_tokens=used.completion_tokens,
    )
