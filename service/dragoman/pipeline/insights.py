"""What follows from a session, asked for now and then while it goes on, and at its end."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dragoman.domain.errors import DragomanError, InsightLateError, engine_failure
from dragoman.domain.events import TranscriptFinal, TranslationFinal
from dragoman.domain.insight import Insight
from dragoman.domain.language import TargetLanguage
from dragoman.insight.client import InsightClient
from dragoman.insight.conversation import Conversation, Line

Outcome = Insight | DragomanError


@dataclass(frozen=True, slots=True)
class InsightRules:
    """When to ask: once so much was said since the last time. An answer is waited for so long."""

    every_ms: int = 120_000
    every_lines: int = 10
    deadline_s: float = 60.0


DEFAULT_RULES: Final = InsightRules()


class Insights:
    """The conversation of a session so far, and what is asked about it: one thing at a time, in ``language``."""

    def __init__(
        self,
        client: InsightClient | None,
        language: TargetLanguage | None,
        said: Mapping[str, Line],
        rules: InsightRules = DEFAULT_RULES,
    ) -> None:
        self._client = client
        self._language = language
        self._said = dict(said)
        self._rules = rules
        self._asked = len(said), self._heard_ms()
        self.task: asyncio.Task[Outcome] | None = None
        """What is asked now."""

    def latest(self, utterance_id: str, most: int) -> list[Line]:
        """Return an utterance, last, and what was said before it."""
        ids = list(self._said)
        end = ids.index(utterance_id) + 1
        return [self._said[each] for each in ids[max(0, end - most) : end]]

    def note(self, event: TranscriptFinal | TranslationFinal) -> None:
        """Take what was said."""
        self._said |= line_of(event, self._said)

    def look(self) -> None:
        """Ask, if it is time for that and nothing is asked already."""
        lines, heard_ms = self._asked
        is_time = heard_ms + self._rules.every_ms <= self._heard_ms() and lines + self._rules.every_lines <= len(
            self._said
        )
        if is_time and self.task is None and self._client and self._language:
            self._asked = len(self._said), self._heard_ms()
            self.task = asyncio.create_task(self._ask(self._client, self._language))

    def outcome(self) -> Outcome:
        """Return what came of what was asked; it is done."""
        assert self.task
        outcome, self.task = self.task.result(), None
        return outcome

    async def conclude(self) -> Outcome | None:
        """Return what follows from all that was said; nothing if nobody wants to know, or nothing was said."""
        if self.task:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
        if not (self._client and self._language and self._said):
            return None
        return await self._ask(self._client, self._language)

    async def _ask(self, client: InsightClient, language: TargetLanguage) -> Outcome:
        """Return an insight, or why there is none: it never costs more than itself."""
        try:
            async with asyncio.timeout(self._rules.deadline_s):
                return await client.run(Conversation(lines=tuple(self._said.values())), language)
        except TimeoutError:
            return InsightLateError(f"Nobody said in {self._rules.deadline_s:.0f} s what follows from this session.")
        except Exception as error:  # noqa: BLE001 - not swallowed: it becomes an event
            return engine_failure(error)

    def _heard_ms(self) -> int:
        return max((line.end_ms for line in self._said.values()), default=0)


def line_of(event: TranscriptFinal | TranslationFinal, said: Mapping[str, Line]) -> Mapping[str, Line]:
    """Return the line that an event adds or completes, under its id; nothing for a translation of nothing."""
    if isinstance(event, TranscriptFinal):
        line = Line(
            id=event.utterance_id,
            text=event.text,
            locale=event.locale,
            start_ms=event.start_ms,
            end_ms=event.end_ms,
            speaker=event.speaker,
        )
        return {line.id: line}
    if (known := said.get(event.utterance_id)) is None:
        return {}
    return {known.id: known.model_copy(update={"translations": {**known.translations, event.target: event.text}})}
