import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from dragoman.domain.errors import DragomanError, EngineFailedError
from dragoman.domain.events import (
    DurableEvent,
    Event,
    InsightFailed,
    InsightReady,
    SessionEnded,
    TranscriptFinal,
    TranscriptPolished,
    TranslationFinal,
    WarningEvent,
)
from dragoman.domain.insight import Insight
from dragoman.domain.language import LidMode, parse_target
from dragoman.domain.recognition import RecognitionOptions
from dragoman.insight.client import InsightClient
from dragoman.insight.conversation import Conversation
from dragoman.insight.polishing import Polished
from dragoman.pipeline.insights import InsightRules
from dragoman.pipeline.memory import recall
from dragoman.pipeline.session import Session
from dragoman.pipeline.spec import SessionSpec
from dragoman.pipeline.transcript import TranscriptBuilder
from dragoman.store.ports import Books
from tests.fakes import ScriptedTranscriber, ScriptedTranslator, silence, stream
from tests.insight.injections import TEXTS
from tests.insight.talk import GullibleChat, polishing, step
from tests.pipeline.test_session import DE, EN, FR, SECOND, said
from tests.stream import checked

WANTED = SessionSpec(
    "s_1", (EN, DE, FR), LidMode.CONTINUOUS, (parse_target("en"),), insight=parse_target("en"), live=True
)


def translator() -> ScriptedTranslator:
    return ScriptedTranslator([("de-DE", "en")])


class Counting:
    """Says how many lines it was given, or fails."""

    def __init__(self, error: Exception | None = None, wait_s: float = 0.0) -> None:
        self.asked: list[Conversation] = []
        self.error = error
        self.wait_s = wait_s

    async def run(self, conversation: Conversation, language: str) -> Insight:
        self.asked.append(conversation)
        await asyncio.sleep(self.wait_s)
        if self.error:
            raise self.error
        return await step().run(conversation, language)


def run(client: InsightClient | None, seconds: int = 3, spec: SessionSpec = WANTED) -> list[DurableEvent]:
    script = [said(second, f"Bestellung {second} ist da.") for second in range(seconds)]
    session = Session(spec, ScriptedTranscriber(*script), translator(), insight=client)

    async def collect() -> list[Event]:
        return [event async for event in session.run(stream(*silence(seconds * SECOND)))]

    return checked(asyncio.run(collect()))


def insights(events: list[DurableEvent]) -> list[InsightReady]:
    return [event for event in events if isinstance(event, InsightReady)]


def test_what_follows_is_said_at_the_end_of_all_that_was_said() -> None:
    client = Counting()
    events = run(client)
    (ready,) = insights(events)
    assert ready.is_final
    assert isinstance(events[-1], SessionEnded)
    assert events[-2] is ready
    (asked,) = client.asked
    assert [line.id for line in asked.lines] == ["u_1", "u_2", "u_3"]
    assert all(line.translations["en"] for line in asked.lines)


def test_nobody_is_asked_who_need_not_be() -> None:
    client = Counting()
    run(client, spec=SessionSpec("s_1", (EN, DE, FR), LidMode.CONTINUOUS))
    assert run(client, seconds=0)
    assert client.asked == []


@pytest.mark.parametrize("error", [EngineFailedError("The model is away."), ZeroDivisionError("a bug")])
def test_a_model_that_fails_costs_one_event_and_not_the_session(error: Exception) -> None:
    events = run(Counting(error))
    (failed,) = (event for event in events if isinstance(event, InsightFailed))
    assert failed.code == (error.code if isinstance(error, DragomanError) else "engine_failed")
    assert isinstance(events[-1], SessionEnded)
    assert events[-1].reason == "completed"
    assert len([event for event in events if isinstance(event, TranscriptFinal)]) == 3


def test_what_takes_too_long_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dragoman.pipeline.insights.Insights.__init__.__defaults__", (InsightRules(deadline_s=0.05),))
    events = run(Counting(wait_s=30))
    (failed,) = (event for event in events if isinstance(event, InsightFailed))
    assert failed.code == "insight_late"


def test_a_long_session_is_told_what_follows_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = InsightRules(every_ms=10_000, every_lines=5)
    monkeypatch.setattr("dragoman.pipeline.insights.Insights.__init__.__defaults__", (rules,))
    client = Counting()
    ready = insights(run(client, seconds=40))
    assert [event.is_final for event in ready] == [*[False] * (len(ready) - 1), True]
    assert 2 <= len(ready) <= 5
    heard = [len(asked.lines) for asked in client.asked]
    assert heard == sorted(heard)
    assert heard[-1] == 40


def test_a_session_that_is_stopped_waits_for_nobody() -> None:
    client = Counting(wait_s=60)
    session = Session(WANTED, ScriptedTranscriber(said(0, "Da.")), translator(), insight=client)

    async def collect() -> list[Event]:
        events = []
        async for event in session.run(stream(*silence(SECOND))):
            events.append(event)
            if isinstance(event, TranslationFinal):
                asyncio.get_running_loop().call_later(0.1, session.stop)
        return events

    events = checked(asyncio.run(asyncio.wait_for(collect(), 10)))
    assert isinstance(events[-1], SessionEnded)
    assert not insights(events)


def test_a_session_that_goes_on_in_another_process_knows_what_was_said_before() -> None:
    before = [event for event in run(None) if not isinstance(event, SessionEnded)]
    client = Counting()
    memory = recall(before, Books(3 * SECOND, 3 * SECOND))
    script = said(3, "Und noch eine.")
    session = Session(WANTED, ScriptedTranscriber(script), translator(), memory, insight=client)

    async def collect() -> None:
        async for _ in session.run(stream(*(frame for frame in silence(4 * SECOND) if frame.start >= 3 * SECOND))):
            pass

    asyncio.run(collect())
    assert next(line.text for line in client.asked[0].lines) == "Bestellung 0 ist da."
    assert len(client.asked[0].lines) == 4
    assert all(line.translations for line in client.asked[0].lines)


class Polishing:
    """Reads finals again: writes one word with a capital letter, or fails."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked: list[tuple[Conversation, tuple[str, ...]]] = []
        self.error = error

    async def run(self, conversation: Conversation, glossary: Sequence[str]) -> Polished:
        self.asked.append((conversation, tuple(glossary)))
        if self.error:
            raise self.error
        return await polishing().run(conversation, glossary)


def polished(polisher: Polishing, *texts: str) -> list[DurableEvent]:
    script = [said(second, text) for second, text in enumerate(texts)]
    spec = replace(WANTED, insight=None, polish=True, recognition=RecognitionOptions(phrases=("Contoso",)))
    session = Session(spec, ScriptedTranscriber(*script), translator(), polisher=polisher)

    async def collect() -> list[Event]:
        return [event async for event in session.run(stream(*silence(len(texts) * SECOND)))]

    return checked(asyncio.run(collect()))


def test_finals_are_read_again_with_what_was_said_before_and_the_originals_stay() -> None:
    polisher = Polishing()
    events = polished(polisher, "Guten Tag.", "Hier ist Contosso.", "Danke.")
    (corrected,) = (event for event in events if isinstance(event, TranscriptPolished))
    assert (corrected.utterance_id, corrected.text) == ("u_2", "Hier ist Contoso.")
    assert corrected.translations == {"en": "<en>Hier ist Contoso."}
    assert corrected.changes[0].now == "Contoso"
    finals = [event.text for event in events if isinstance(event, TranscriptFinal)]
    assert finals == ["Guten Tag.", "Hier ist Contosso.", "Danke."]
    conversation, glossary = polisher.asked[1]
    assert [line.id for line in conversation.lines] == ["u_1", "u_2"]
    assert glossary == ("Contoso",)
    assert conversation.lines[-1].translations  # it waits for them
    builder = TranscriptBuilder()
    for event in events:
        builder.add(event)
    assert [each.polished for each in builder.transcript().utterances] == [None, "Hier ist Contoso.", None]


def test_a_live_stream_does_not_wait_for_who_reads_again() -> None:
    class Hanging(Polishing):
        async def run(self, conversation: Conversation, glossary: Sequence[str]) -> Polished:
            self.asked.append((conversation, tuple(glossary)))
            await asyncio.Event().wait()
            raise AssertionError

    script = [said(second, "Guten Tag.") for second in range(40)]
    polisher = Hanging()
    session = Session(replace(WANTED, insight=None, polish=True), ScriptedTranscriber(*script), polisher=polisher)

    async def finals() -> int:
        count = 0
        async for event in session.run(stream(*silence(40 * SECOND))):
            count += isinstance(event, TranscriptFinal)
            if count == 40:
                session.stop()
        return count

    assert asyncio.run(asyncio.wait_for(finals(), 10)) == 40
    assert len(polisher.asked) == 8


def test_what_follows_is_said_once_if_a_process_dies_behind_it() -> None:
    before = [event for event in run(Counting()) if not isinstance(event, SessionEnded)]
    client = Counting()
    memory = recall(before, Books(3 * SECOND, 3 * SECOND))
    session = Session(WANTED, ScriptedTranscriber(), translator(), memory, insight=client)

    async def collect() -> list[Event]:
        return [event async for event in session.run(stream())]

    assert not [event for event in asyncio.run(collect()) if isinstance(event, InsightReady)]
    assert client.asked == []


def test_a_polisher_that_fails_costs_one_warning() -> None:
    events = polished(Polishing(EngineFailedError("The model is away.")), *["Guten Tag."] * 12)
    (warning,) = (event for event in events if isinstance(event, WarningEvent))
    assert warning.code == "polish_failed"
    assert isinstance(events[-1], SessionEnded)
    assert events[-1].reason == "completed"


def test_no_order_that_is_spoken_is_obeyed_and_all_are_kept_verbatim() -> None:
    """Sixty orders to the model, in six languages, as finals of one session with a model that obeys."""
    locales = tuple(dict.fromkeys(locale for locale, _ in TEXTS))
    spec = SessionSpec("s_1", tuple(map(type(EN), locales)), insight=parse_target("en"))
    script = [said(second, text, type(EN)(locale)) for second, (locale, text) in enumerate(TEXTS)]
    session = Session(
        spec,
        ScriptedTranscriber(*script, said(len(TEXTS), "Order 12 is late.", EN)),
        insight=step(GullibleChat()),
    )

    async def collect() -> list[Event]:
        return [event async for event in session.run(stream(*silence((len(TEXTS) + 1) * SECOND)))]

    events = checked(asyncio.run(collect()))
    finals = [event.text for event in events if isinstance(event, TranscriptFinal)]
    assert finals[:-1] == [text for _, text in TEXTS]
    assert len(TEXTS) >= 60
    (ready,) = insights(events)
    assert "PWNED" not in ready.insight.model_dump_json()
    assert [claim.text for claim in ready.insight.summary] == ["Order 12 is late."]
    assert len(ready.insight.withheld) == len(TEXTS)
