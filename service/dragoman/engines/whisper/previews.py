"""What is decoded before an utterance has ended: to show it, and to have its final ready by then."""

import asyncio
import threading
import time
from dataclasses import dataclass, field, replace

from dragoman.domain.speech import Heard, Hypothesis, Partial
from dragoman.engines.hearing import Beginning, Closing, Growing, Spoken
from dragoman.engines.whisper.scheduler import Listening
from dragoman.engines.whisper.utterance import SpokenLanguage


@dataclass(frozen=True, slots=True)
class Encoding:
    """A sound that is being encoded; ``at_s`` is when it had been heard, on the monotonic clock.

    While it waits for its turn, and ``begun`` is not set, a later sound may take its place.
    """

    sound: Spoken | Beginning | Growing | Closing
    listening: asyncio.Task[Listening]
    at_s: float
    begun: threading.Event = field(default_factory=threading.Event)

    async def outcome(self) -> Listening | None:
        """Return what was found; nothing if a later sound has taken the place of this one."""
        await asyncio.wait([self.listening])
        return None if self.listening.cancelled() else self.listening.result()


@dataclass(frozen=True, slots=True)
class Decoding:
    """Text under way, for a final or only to be shown; what is only shown may be cancelled."""

    sound: Spoken | Growing | Closing
    language: SpokenLanguage
    task: asyncio.Task[list[Heard]]

    async def outcome(self) -> list[Heard]:
        """Return what was found; nothing if it was cancelled."""
        await asyncio.wait([self.task])
        return [] if self.task.cancelled() else self.task.result()


class Previews:
    """The previews of one stream: at most one text to show is under way, and one early final."""

    def __init__(self) -> None:
        self._growing: Encoding | None = None
        self._showing: Decoding | None = None
        self._closing: Encoding | None = None
        self._early: Decoding | None = None

    def may_grow(self) -> bool:
        """Return whether a sound may be shown next: not while an earlier one is at it, but in place of one that waits.

        A busy model so shows less often, and then what is newest.
        """
        return self._growing is None or not self._growing.begun.is_set()

    def grow(self, encoding: Encoding) -> Encoding:
        """Note the encoding of what is shown next."""
        self._drop_growing()
        self._growing = encoding
        return encoding

    def show(self, decoding: Decoding) -> Decoding:
        """Note a text that will be shown."""
        self._showing = decoding
        return decoding

    def shown(self, sound: Growing) -> None:
        """Note that the text of a sound is out."""
        if self._growing and self._growing.sound is sound:
            self._growing = None

    def close(self, encoding: Encoding) -> Encoding:
        """Note the encoding of an utterance that may have ended, and make way for it."""
        self._make_way()
        self._closing = encoding
        return encoding

    def begin(self, decoding: Decoding) -> Decoding:
        """Note the early final of an utterance that may have ended, in place of one that had not."""
        if self._early:
            self._early.task.cancel()
        self._early = decoding
        return decoding

    def begun(self, spoken: Spoken) -> asyncio.Task[Listening] | None:
        """Return the encoding of an utterance that has ended, if it began in its closing silence."""
        self._make_way()
        closing, self._closing = self._closing, None
        return closing.listening if closing and closing.sound.speech == spoken.speech else None

    def adopt(self, spoken: Spoken, language: SpokenLanguage) -> Decoding | None:
        """Return the early final of an utterance that has ended, if it is the right one; drop any other."""
        early, self._early = self._early, None
        if early and not (early.sound.speech == spoken.speech and early.language == language):
            early.task.cancel()
            return None
        return early

    def pass_over(self, encoding: Encoding) -> None:
        """Show nothing of a sound; an early encoding is kept for the utterance."""
        if isinstance(encoding.sound, Growing):
            encoding.listening.cancel()
            self.shown(encoding.sound)

    def _make_way(self) -> None:
        self._drop_growing()
        if self._showing:
            self._showing.task.cancel()
            self._showing = None

    def _drop_growing(self) -> None:
        if self._growing:
            self._growing.listening.cancel()
            self._growing = None


async def shown(early: Decoding) -> list[Heard]:
    """Return what was found early as a partial."""
    return [
        Partial(heard.speech, heard.text, heard.locale)
        for heard in await early.outcome()
        if isinstance(heard, Hypothesis) and heard.text
    ]


def settling(heard: Heard, spoken: Spoken, at_s: float) -> Heard:
    """Return what was found early as that of the utterance that has ended by now."""
    if not isinstance(heard, Hypothesis):
        return heard
    return replace(heard, covers=spoken.segment.covers, decode_ms=round((time.monotonic() - at_s) * 1000))
