"""What a session shows before it is final."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable

from dragoman.domain.audio import Span
from dragoman.domain.events import (
    Event,
    TranscriptFinal,
    TranscriptPartial,
    TranslationFinal,
    TranslationPartial,
)
from dragoman.domain.language import LidMode, Locale, parse_target
from dragoman.domain.speech import AudioInput, Heard, Hypothesis, Partial, Silence, TranscriptionRequest
from dragoman.pipeline.session import Session
from dragoman.pipeline.spec import SessionSpec
from tests.fakes import ScriptedTranslator, silence, stream
from tests.stream import checked

DE = Locale("de-DE")
SECOND = 16_000
SPAN = Span(0, SECOND)


def shown(text: str) -> Partial:
    return Partial(SPAN, text, DE)


class Paced:
    """Says the next item when the reader has had time to work on the last one."""

    name = "paced"

    def __init__(self, *script: Heard) -> None:
        self.script = script

    async def transcribe(
        self, audio: AsyncIterator[AudioInput], request: TranscriptionRequest
    ) -> AsyncGenerator[Heard, None]:
        async for _ in audio:
            pass
        for item in self.script:
            for _ in range(5):
                await asyncio.sleep(0)
            yield item


def run(
    *script: Heard, translator: ScriptedTranslator | None = None, clock: Callable[[int], float | None] | None = None
) -> list[Event]:
    spec = SessionSpec("s_1", (DE,), LidMode.CONTINUOUS, (parse_target("en"),) if translator else (), partials=True)
    session = Session(spec, Paced(*script), translator, arrived_s=clock or (lambda sample: None))

    async def collect() -> list[Event]:
        return [event async for event in session.run(stream(*silence(2 * SECOND)))]

    events = asyncio.run(collect())
    checked(events)
    return events


def final(text: str) -> Hypothesis:
    return Hypothesis(SPAN, SPAN, text, DE)


REST = Silence(Span(SECOND, 2 * SECOND))


def test_partials_show_what_is_stable_and_belong_to_the_final_that_follows() -> None:
    events = run(shown("Guten"), shown("Guten Tag"), shown("Guten Tag Frau"), final("Guten Tag, Frau Kern."), REST)
    partials = [event for event in events if isinstance(event, TranscriptPartial)]
    assert [(each.rev, each.text, each.stable_len) for each in partials] == [
        (1, "Guten", 0),
        (2, "Guten Tag", 5),
        (3, "Guten Tag Frau", 9),
    ]
    (said,) = [event for event in events if isinstance(event, TranscriptFinal)]
    assert {each.utterance_id for each in partials} == {said.utterance_id}


def test_a_partial_that_says_nothing_new_is_not_sent_again() -> None:
    events = run(shown("Ja"), shown("Ja"), shown("Ja"), final("Ja."), REST)
    assert [event.type for event in events].count("transcript.partial") == 1


def test_what_was_shown_and_came_to_nothing_is_taken_back() -> None:
    late = Hypothesis(REST.span, REST.span, "Ja.", DE)
    events = run(shown("Hm"), final(""), shown("Ja"), late)
    partials = [event for event in events if isinstance(event, TranscriptPartial)]
    assert [(each.utterance_id, each.text) for each in partials] == [("u_1", "Hm"), ("u_1", ""), ("u_2", "Ja")]
    assert [event.utterance_id for event in events if isinstance(event, TranscriptFinal)] == ["u_2"]


def test_what_is_stable_is_translated_while_somebody_speaks() -> None:
    translator = ScriptedTranslator([(DE, "en")])
    events = run(
        shown("Guten"), shown("Guten Tag"), shown("Guten Tag Frau"), final("Guten Tag."), REST, translator=translator
    )
    drafts = [event for event in events if isinstance(event, TranslationPartial)]
    assert [(each.source_rev, each.text) for each in drafts] == [(2, "<en>Guten"), (3, "<en>Guten Tag")]
    assert [event.text for event in events if isinstance(event, TranslationFinal)] == ["<en>Guten Tag."]


def test_a_final_says_how_long_after_the_speech_it_came() -> None:
    events = run(final("Ja."), REST, clock=lambda sample: -1.0 if sample == SECOND else None)
    (said,) = [event for event in events if isinstance(event, TranscriptFinal)]
    assert said.latency.since_speech_end_ms is not None
    assert said.latency.since_speech_end_ms >= 1_000
