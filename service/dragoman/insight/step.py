"""From a conversation to its insight, node by node: shield, prompt, draft, conclude."""

from dataclasses import dataclass, replace

from pydantic import BaseModel, ConfigDict, JsonValue

from dragoman.domain.chat import Message
from dragoman.domain.insight import Insight, InsightDraft, NodeCost
from dragoman.engines.ports import ChatModel, Guard
from dragoman.insight.asking import ask, schema_of
from dragoman.insight.content import Content
from dragoman.insight.conversation import Conversation
from dragoman.insight.grounding import grounded
from dragoman.insight.shielding import Shielded, shield
from dragoman.insight.timing import Stopwatch

SCHEMA = schema_of("insight", InsightDraft)
_NOTHING = InsightDraft(summary=(), topics=(), action_items=(), open_questions=(), sentiment=())


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


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
        """Withhold what reads like an order to the model."""
        return await shield(self.guard, conversation, lambda line: [line.in_language(language)])

    def prompt(self, shielded: Shielded, language: str) -> tuple[Message, ...]:
        """Return what the model is asked."""
        given: dict[str, JsonValue] = {"language": language, "utterances": shielded.conversation.as_data(language)}
        return self.content.messages(given, [line.locale for line in shielded.conversation.lines], self.shots)

    async def draft(self, messages: tuple[Message, ...], shielded: Shielded) -> Drafted:
        """Ask the model; of nothing it is asked nothing."""
        watch = Stopwatch()
        if not shielded.conversation.lines:
            return Drafted(draft=_NOTHING, engine=self.chat.name, model=None, cost=watch.cost("draft"))
        asked = await ask(self.chat, messages, SCHEMA, InsightDraft)
        cost = watch.cost("draft", asked.usage)
        return Drafted(draft=asked.answer, engine=asked.engine, model=asked.model, cost=cost)

    async def conclude(
        self, drafted: Drafted, shielded: Shielded, conversation: Conversation, language: str
    ) -> Insight:
        """Keep what is borne out by what was said, and harms nobody."""
        watch = Stopwatch()
        sound, dropped = grounded(drafted.draft, shielded.conversation, language)
        harmless, blocked = await self._harmless(sound)
        return Insight(
            **dict(harmless),
            language=language,
            languages=conversation.languages(),
            engine=drafted.engine,
            model=drafted.model,
            prompt_version=self.content.version,
            withheld=shielded.withheld,
            dropped=dropped,
            blocked=blocked,
            costs=(shielded.cost, drafted.cost, watch.cost("conclude")),
        )

    async def _harmless(self, draft: InsightDraft) -> tuple[InsightDraft, tuple[str, ...]]:
        """Return what harms nobody, and the harms of the rest."""
        texts = [
            *(claim.text for claim in (*draft.summary, *draft.open_questions)),
            *(topic.name for topic in draft.topics),
            *(f"{item.task} {item.owner or ''}" for item in draft.action_items),
        ]
        harms = dict(zip(texts, await self.guard.harms(texts) if texts else (), strict=True))
        kept = draft.model_copy(
            update={
                "summary": tuple(claim for claim in draft.summary if not harms[claim.text]),
                "open_questions": tuple(claim for claim in draft.open_questions if not harms[claim.text]),
                "topics": tuple(topic for topic in draft.topics if not harms[topic.name]),
                "action_items": tuple(
                    item for item in draft.action_items if not harms[f"{item.task} {item.owner or ''}"]
                ),
            }
        )
        return kept, tuple(sorted({harm for harm in harms.values() if harm}))
