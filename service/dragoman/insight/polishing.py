"""A final read again, with what was said before it and the words to expect; the original stays as it was."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Final

from pydantic import BaseModel, ConfigDict, JsonValue

from dragoman.domain.chat import Message
from dragoman.domain.insight import Change, NodeCost
from dragoman.engines.ports import ChatModel, Guard
from dragoman.insight.asking import ask, schema_of
from dragoman.insight.content import Content
from dragoman.insight.conversation import Conversation, Line
from dragoman.insight.grounding import UNSPACED, words
from dragoman.insight.shielding import Shielded, shield
from dragoman.insight.timing import Stopwatch

_LEAST_ALIKE: Final = 0.6
"""So much of an utterance's words stays as it was, or it was not corrected but written anew."""

_NUMBER: Final = re.compile(r"\d+")


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Translated(_Value):
    """A translation that was corrected with its original."""

    target: str
    text: str


class PolishDraft(_Value):
    """What a chat model is asked for: the utterance as it should read, and what was changed."""

    text: str
    translations: tuple[Translated, ...]
    changes: tuple[Change, ...]


class Polished(_Value):
    """An utterance as it should read; without ``changes`` it is the original, which nothing replaces."""

    utterance_id: str
    text: str
    translations: Mapping[str, str]
    changes: tuple[Change, ...]
    engine: str
    model: str | None
    prompt_version: str
    withheld: tuple[str, ...]
    costs: tuple[NodeCost, ...]


class Redrafted(_Value):
    """What a model says an utterance should read like, and who it is."""

    draft: PolishDraft
    engine: str
    model: str | None
    cost: NodeCost


SCHEMA: Final = schema_of("polish", PolishDraft)


@dataclass(frozen=True, slots=True)
class PolishStep:
    """The step with its engines and its words. ``shots`` examples go before what is asked."""

    chat: ChatModel
    guard: Guard
    content: Content
    shots: int = 1

    def with_shots(self, shots: int) -> "PolishStep":
        """Return the step with another number of examples."""
        return replace(self, shots=shots)

    async def run(self, conversation: Conversation, glossary: Sequence[str]) -> Polished:
        """Return the last utterance of a conversation as it should read; the others are what was said before it.

        Raises:
            DragomanError: if the model or the guard does not answer, or not as it should.
        """
        shielded = await self.shield(conversation)
        messages = self.prompt(conversation.lines[-1], shielded, glossary)
        redrafted = await self.redraft(messages, conversation.lines[-1], shielded)
        return await self.conclude(redrafted, conversation.lines[-1], shielded, glossary)

    async def shield(self, conversation: Conversation) -> Shielded:
        """Withhold what reads like an order to the model; if the last utterance does, it stays as it is."""
        return await shield(self.guard, conversation, lambda line: line.translations.values())

    def prompt(self, line: Line, shielded: Shielded, glossary: Sequence[str]) -> tuple[Message, ...]:
        """Return what the model is asked."""
        before = [each.text for each in shielded.conversation.lines if each.id != line.id]
        translations: list[JsonValue] = [{"target": target, "text": text} for target, text in line.translations.items()]
        given: dict[str, JsonValue] = {
            "before": list(before),
            "glossary": list(glossary),
            "utterance": {"locale": line.locale, "text": line.text, "translations": translations},
        }
        return self.content.messages(given, [line.locale], self.shots)

    async def redraft(self, messages: tuple[Message, ...], line: Line, shielded: Shielded) -> Redrafted:
        """Ask the model, unless it may not read the utterance."""
        watch = Stopwatch()
        if line.id in shielded.withheld:
            same = PolishDraft(text=line.text, translations=(), changes=())
            return Redrafted(draft=same, engine=self.chat.name, model=None, cost=watch.cost("redraft"))
        asked = await ask(self.chat, messages, SCHEMA, PolishDraft)
        cost = watch.cost("redraft", asked.usage)
        return Redrafted(draft=asked.answer, engine=asked.engine, model=asked.model, cost=cost)

    async def conclude(self, redrafted: Redrafted, line: Line, shielded: Shielded, glossary: Sequence[str]) -> Polished:
        """Keep the original if the new text is another one, or does a harm that the original did not."""
        watch = Stopwatch()
        draft = redrafted.draft
        is_kept = draft.text != line.text and await self._may_replace(line.text, draft.text, glossary)
        made = {
            each.target: each.text
            for each in draft.translations
            if is_kept
            and (before := line.translations.get(each.target)) is not None
            and await self._may_replace(before, each.text, glossary)
        }
        unexplained = (Change(was=line.text, now=draft.text, why="not said"),)
        return Polished(
            utterance_id=line.id,
            text=draft.text if is_kept else line.text,
            translations={**line.translations, **made},
            changes=(draft.changes or unexplained) if is_kept else (),
            engine=redrafted.engine,
            model=redrafted.model,
            prompt_version=self.content.version,
            withheld=shielded.withheld,
            costs=(shielded.cost, redrafted.cost, watch.cost("conclude")),
        )

    async def _may_replace(self, before: str, after: str, glossary: Sequence[str]) -> bool:
        """Return whether a text is a correction of another, and does no harm that the other did not."""
        if not _is_corrected(before, after, glossary):
            return False
        was, now = await self.guard.harms([before, after])
        return now is None or now == was


def _is_corrected(before: str, after: str, glossary: Sequence[str]) -> bool:
    """Return whether a text is a correction of another: most words stay, and no number comes or goes.

    A word of the glossary may take the place of any.
    """
    if sorted(_NUMBER.findall(before)) != sorted(_NUMBER.findall(after)):
        return False
    expected = {word for phrase in glossary for word in _words(phrase)}
    was, now = _words(before), _words(after)
    blocks = SequenceMatcher(None, was, now, autojunk=False).get_matching_blocks()
    same = sum(block.size for block in blocks)
    kept = {at for block in blocks for at in range(block.b, block.b + block.size)}
    taken = sum(word in expected for at, word in enumerate(now) if at not in kept)
    alike = same + min(taken, len(was) - same)
    return bool(now) and 2 * alike >= _LEAST_ALIKE * (len(was) + len(now))


def _words(text: str) -> list[str]:
    """Return words; of what is written without spaces, its letters."""
    return [part for word in words(text) for part in (word if UNSPACED.search(word) else [word])]
