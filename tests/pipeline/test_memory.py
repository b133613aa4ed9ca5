"""A session that another process goes on with: nothing lost, nothing said twice."""

import asyncio
from collections.abc import Sequence

import pytest

from dragoman.domain.audio import Span
from dragoman.domain.events import (
    EphemeralEvent,
    Event,
    SessionEnded,
    TranscriptFinal,
    TranslationFinal,
)
from dragoman.domain.language import LidMode, Locale, parse_target
from dragoman.domain.speech import Heard, Hypothesis, LanguageDecision, Silence, SpeechEnded, SpeechStarted
from dragoman.pipeline.memory import Memory, recall
from dragoman.pipeline.session import Session
from dragoman.pipeline.spec import SessionSpec
from dragoman.store.ports import Books
from tests.fakes import ScriptedTranscriber, ScriptedTranslator, silence, stream
from tests.stream import checked

EN, DE = Locale("en-US"), Locale("de-DE")
SECOND = 16_000
SECONDS = 8


def second(at: int) -> Span:
    return Span(at * SECOND, (at + 1) * SECOND)


def said(at: int, text: str, locale: Locale) -> list[Heard]:
    return [
        SpeechStarted(at * SECOND + 100),
        SpeechEnded((at + 1) * SECOND - 100),
        LanguageDecision(locale, at * SECOND, (at + 1) * SECOND),
        Hypothesis(second(at), second(at), text, locale),
    ]


SCRIPT: list[Heard] = [
    Silence(second(0)),
    *said(1, "Guten Tag.", DE),
    Silence(second(2)),
    *said(3, "", DE),
    *said(4, "How are you?", EN),
    *said(5, "Gut.", DE),
    Silence(Span(6 * SECOND, SECONDS * SECOND)),
]


def rest_of(script: Sequence[Heard], settled: int) -> list[Heard]:
    """Return what an engine says that hears the audio from ``settled`` on."""

    def start(item: Heard) -> int:
        match item:
            case Silence(span):
                return span.start
            case Hypothesis():
                return item.covers.start
            case SpeechStarted(at) | SpeechEnded(at):
                return at
            case LanguageDecision():
                return item.since
            case _:
                return 0

    return [item for item in script if start(item) >= settled]


def run(memory: Memory | None, translator: ScriptedTranslator) -> list[tuple[Event, Books]]:
    """Return the events of a session that begins or goes on, each with the books as they stood."""
    settled = memory.books.settled if memory else 0
    spec = SessionSpec("s_1", (EN, DE), LidMode.CONTINUOUS, (parse_target("en"), parse_target("fr")))
    session = Session(spec, ScriptedTranscriber(*rest_of(SCRIPT, settled)), translator, memory)
    audio = [frame for frame in silence(SECONDS * SECOND) if frame.start >= settled]

    async def collect() -> list[tuple[Event, Books]]:
        return [(event, session.books) async for event in session.run(stream(*audio))]

    return asyncio.run(collect())


def translator() -> ScriptedTranslator:
    return ScriptedTranslator([(DE, "en"), (DE, "fr"), (EN, "fr")])


@pytest.mark.parametrize("kept", range(1, 21))
def test_a_session_goes_on_from_any_event(kept: int) -> None:
    whole = run(None, translator())
    assert len(whole) == 21
    before = [event for event, _ in whole[:kept] if not isinstance(event, EphemeralEvent)]
    later = run(recall(before, whole[kept - 1][1]), translator())
    events = checked([*before, *(event for event, _ in later)])
    assert texts(events) == texts([event for event, _ in whole])
    ended, expected = events[-1], whole[-1][0]
    assert isinstance(ended, SessionEnded)
    assert isinstance(expected, SessionEnded)
    assert ended.ledger == expected.ledger
    assert ended.translations == expected.translations


def texts(events: Sequence[Event]) -> list[tuple[str, ...]]:
    """Return what was said and what it means, whatever the utterances are called."""
    finals = {event.utterance_id: event.text for event in events if isinstance(event, TranscriptFinal)}
    translations = [
        (finals[event.utterance_id], event.target, event.text)
        for event in events
        if isinstance(event, TranslationFinal)
    ]
    return [*((text,) for text in finals.values()), *sorted(translations)]
