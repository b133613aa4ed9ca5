"""What is shown of the open utterance: its partials, and translations of what is stable in them."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from dragoman.domain.events import EphemeralEvent
from dragoman.domain.language import Locale
from dragoman.domain.speech import Partial
from dragoman.pipeline.stability import Agreement, Reading
from dragoman.pipeline.translation import Outcomes, Translations
from dragoman.pipeline.writer import EventWriter


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """A translation under way of the open utterance as it read at ``rev``."""

    rev: int
    task: asyncio.Task[Outcomes]


@dataclass(slots=True)
class _Open:
    """The open utterance: how it reads, and how its translations do."""

    partial: Partial | None = None
    reading: Reading | None = None
    rev: int = 0
    translated: str = ""
    agreement: Agreement = field(default_factory=Agreement)
    agreements: defaultdict[str, Agreement] = field(default_factory=lambda: defaultdict(Agreement))


class Drafts:
    """The drafts of one session, utterance by utterance."""

    def __init__(self, writer: EventWriter, translations: Translations) -> None:
        self._writer = writer
        self._translations = translations
        self._asked: _Asked | None = None
        self._open = _Open()

    @property
    def task(self) -> asyncio.Task[Outcomes] | None:
        """The translation under way, if there is one."""
        return self._asked.task if self._asked else None

    def show(self, partial: Partial) -> Iterator[EphemeralEvent]:
        """Show what the open utterance says so far, if that is new."""
        open_ = self._open
        reading = open_.agreement.read(partial.text)
        if not reading.text or reading == open_.reading:
            return
        open_.reading, open_.partial, open_.rev = reading, partial, open_.rev + 1
        yield self._writer.partial(partial, reading, open_.rev)
        self._ask(reading.text[: reading.stable_len], partial.locale)

    def translated(self) -> Iterator[EphemeralEvent]:
        """Show the translation that is done."""
        asked, self._asked = self._asked, None
        assert asked is not None
        for target, text in asked.task.result().items():
            if isinstance(text, str):
                reading = self._open.agreements[target].read(text)
                yield self._writer.translation_partial(target, reading, asked.rev)

    def close(self, *, has_final: bool) -> Iterator[EphemeralEvent]:
        """End the open utterance; if no final follows, take back what was shown."""
        if self._asked:
            self._asked.task.cancel()
            self._asked = None
        if self._open.partial and not has_final:
            yield self._writer.partial(self._open.partial, Reading("", 0), self._open.rev + 1)
            self._writer.close_utterance()
        self._open = _Open()

    def _ask(self, stable: str, locale: Locale) -> None:
        """Have what is stable translated, if it has grown and nothing is being translated."""
        if self._asked or stable == self._open.translated:
            return
        self._open.translated = stable
        if targets := self._translations.served(locale):
            task = asyncio.create_task(self._translations.translate(stable, locale, targets))
            self._asked = _Asked(self._open.rev, task)
