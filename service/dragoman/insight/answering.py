"""Questions about what was said, answered with the utterances that bear the answer out, sentence by sentence."""

import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Final

from pydantic import BaseModel, ConfigDict, JsonValue

from dragoman.domain.chat import ChatReply, ChatRequest, Message
from dragoman.domain.errors import ChatFilteredError
from dragoman.domain.insight import Claim, NodeCost
from dragoman.engines.ports import ChatModel, Guard
from dragoman.insight.content import Content
from dragoman.insight.conversation import Conversation, Line
from dragoman.insight.grounding import agrees
from dragoman.insight.shielding import Shielded, shield
from dragoman.insight.timing import Stopwatch

_SEPARATOR: Final = re.compile(r"[,;\s]+")
_BETWEEN: Final = " .,;\n"
"""What may stand between two brackets, and after the last."""

_LONGEST_SENTENCE: Final = 4_000
_LONGEST_QUESTION: Final = 2_000


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Quote(_Value):
    """Who said what, word by word."""

    utterance_id: str
    speaker: str | None
    text: str


class Answer(_Value):
    """An answer, its sentences with the utterances that bear them out, and these utterances as they were spoken.

    ``is_found`` is false if the transcript does not say, or only harm. The rest is as in an ``Insight``.
    """

    question: str
    is_found: bool
    sentences: tuple[Claim, ...]
    quotes: tuple[Quote, ...]
    engine: str
    model: str | None
    prompt_version: str
    withheld: tuple[str, ...]
    dropped: int
    blocked: tuple[str, ...]
    costs: tuple[NodeCost, ...]


class Replied(_Value):
    """What a model says, as it says it."""

    text: str
    engine: str
    model: str | None
    cost: NodeCost


@dataclass(frozen=True, slots=True)
class AnswerStep:
    """The step with its engines and its words. ``shots`` examples go before what is asked."""

    chat: ChatModel
    guard: Guard
    content: Content
    shots: int = 1

    def with_shots(self, shots: int) -> "AnswerStep":
        """Return the step with another number of examples."""
        return replace(self, shots=shots)

    async def run(self, question: str, conversation: Conversation, language: str) -> Answer:
        """Return the whole answer, in ``language``; raises as ``stream``."""
        shielded = await self.shield(question, conversation, language)
        replied = await self.reply(self.prompt(question, shielded, language))
        return await self.conclude(replied, question, shielded, language)

    async def stream(
        self, question: str, conversation: Conversation, language: str
    ) -> AsyncGenerator[Claim | Answer, None]:
        """Yield sentences as they are said and found to be borne out, and then the whole answer.

        Raises:
            ChatFilteredError: if the question is an order to break the rules.
            DragomanError: if the model or the guard does not answer.
        """
        shielded = await self.shield(question, conversation, language)
        request = ChatRequest(self.prompt(question, shielded, language))
        reading = _Reading({line.id: line for line in shielded.conversation.lines}, language)
        watch = Stopwatch()
        async with aclosing(self.chat.stream(request)) as pieces:
            async for piece in pieces:
                if isinstance(piece, ChatReply):
                    for sentence in (await self._harmless(reading.add("", is_last=True)))[0]:
                        yield sentence
                    cost = watch.cost("reply", piece.usage)
                    replied = Replied(text=piece.text, engine=piece.engine, model=piece.model, cost=cost)
                    yield await self.conclude(replied, question, shielded, language)
                    return
                sentences, _ = await self._harmless(reading.add(piece))
                for sentence in sentences:
                    yield sentence

    async def shield(self, question: str, conversation: Conversation, language: str) -> Shielded:
        """Withhold what reads like an order to the model; a question that does is refused."""
        (is_attack,) = await self.guard.attacks([question])
        if is_attack or len(question) > _LONGEST_QUESTION:
            raise ChatFilteredError("This reads like an order to the model and not like a question; ask what was said.")
        return await shield(self.guard, conversation, lambda line: [line.in_language(language)])

    def prompt(self, question: str, shielded: Shielded, language: str) -> tuple[Message, ...]:
        """Return what the model is asked."""
        utterances = shielded.conversation.as_data(language)
        given: dict[str, JsonValue] = {"question": question, "language": language, "utterances": utterances}
        return self.content.messages(given, [line.locale for line in shielded.conversation.lines], self.shots)

    async def reply(self, messages: tuple[Message, ...]) -> Replied:
        """Ask the model."""
        watch = Stopwatch()
        reply = await self.chat.complete(ChatRequest(messages))
        cost = watch.cost("reply", reply.usage)
        return Replied(text=reply.text, engine=reply.engine, model=reply.model, cost=cost)

    async def conclude(self, replied: Replied, question: str, shielded: Shielded, language: str) -> Answer:
        """Keep the sentences that are borne out and harm nobody, and quote what bears them out."""
        watch = Stopwatch()
        lines = {line.id: line for line in shielded.conversation.lines}
        reading = _Reading(lines, language)
        sentences, blocked = await self._harmless(reading.add(replied.text, is_last=True))
        named = dict.fromkeys(each for sentence in sentences for each in sentence.utterance_ids)
        return Answer(
            question=question,
            is_found=bool(sentences),
            sentences=tuple(sentences),
            quotes=tuple(
                Quote(utterance_id=each, speaker=lines[each].speaker, text=lines[each].text) for each in named
            ),
            engine=replied.engine,
            model=replied.model,
            prompt_version=self.content.version,
            withheld=shielded.withheld,
            dropped=reading.dropped,
            blocked=blocked,
            costs=(shielded.cost, replied.cost, watch.cost("conclude")),
        )

    async def _harmless(self, sentences: Sequence[Claim]) -> tuple[list[Claim], tuple[str, ...]]:
        """Return the sentences that harm nobody, and the harms of the others."""
        harms = await self.guard.harms([sentence.text for sentence in sentences]) if sentences else ()
        kept = [sentence for sentence, harm in zip(sentences, harms, strict=True) if harm is None]
        return kept, tuple(sorted({harm for harm in harms if harm}))


@dataclass(slots=True)
class _Reading:
    """Reads sentences that end with the utterances they name, ``It snowed. [u_3][u_4]``, as they come."""

    lines: Mapping[str, Line]
    language: str
    dropped: int = 0
    _rest: str = field(default="", init=False)

    def add(self, piece: str, *, is_last: bool = False) -> list[Claim]:
        """Return the sentences that are complete with this, and borne out.

        A sentence is complete when something else than another bracket follows those that name its utterances.
        """
        self._rest += piece
        found: list[Claim] = []
        while (sentence := self._next(is_last=is_last)) is not None:
            text, ids = sentence
            cited = [self.lines[each] for each in ids if each in self.lines]
            if text and ids and len(cited) == len(ids) and agrees(text, cited, self.language):
                found.append(Claim(text=text, utterance_ids=ids))
            else:
                self.dropped += 1
        if len(self._rest) > _LONGEST_SENTENCE:  # a model that names nothing
            self._rest = ""
        return found

    def _next(self, *, is_last: bool) -> tuple[str, tuple[str, ...]] | None:
        """Take the next sentence and what it names, if it is complete."""
        begin = self._rest.find("[")
        at, ids = begin, list[str]()
        while 0 <= at < len(self._rest) and self._rest[at] == "[":
            end = self._rest.find("]", at)
            if end < 0:
                return None
            ids += [each for each in _SEPARATOR.split(self._rest[at + 1 : end]) if each]
            at = end + 1
            while at < len(self._rest) and self._rest[at] in _BETWEEN:
                at += 1
        if begin < 0 or (at >= len(self._rest) and not is_last):
            return None
        text, self._rest = self._rest[:begin].strip(), self._rest[at:]
        return text, tuple(dict.fromkeys(ids))
