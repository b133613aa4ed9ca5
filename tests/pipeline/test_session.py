import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

import pytest

from dragoman.domain.audio import Flush, Span
from dragoman.domain.errors import (
    AudioUnreadableError,
    DragomanError,
    EngineFailedError,
    LanguageLimitError,
    TranslationFailedError,
)
from dragoman.domain.events import (
    AudioLost,
    DurableEvent,
    ErrorEvent,
    Event,
    LanguageChanged,
    LanguageDetected,
    SessionEnded,
    TranscriptFinal,
    TranslationFailed,
    TranslationFinal,
    WarningEvent,
)
from dragoman.domain.language import LidMode, Locale, parse_candidates, parse_target
from dragoman.domain.speech import (
    AudioInput,
    Heard,
    Hypothesis,
    LanguageDecision,
    Notice,
    Silence,
    SpeechEnded,
    SpeechStarted,
    TranscriptionRequest,
)
from dragoman.pipeline.session import Session
from dragoman.pipeline.spec import SessionSpec
from tests.fakes import ScriptedTranscriber, ScriptedTranslator, silence, stream
from tests.stream import checked

EN, DE, FR = Locale("en-US"), Locale("de-DE"), Locale("fr-FR")
SECOND = 16_000


def said(second: int, text: str, locale: Locale = DE, **translations: str | None) -> Hypothesis:
    """Return a hypothesis that settles one second."""
    span = Span(second * SECOND, (second + 1) * SECOND)
    made = {parse_target(target): translation for target, translation in translations.items()}
    return Hypothesis(span, span, text, locale, translations=made)


def quiet(second: int, seconds: int = 1) -> Silence:
    return Silence(Span(second * SECOND, (second + seconds) * SECOND))


def spec(*targets: str, lid: LidMode = LidMode.CONTINUOUS) -> SessionSpec:
    return SessionSpec("s_1", (EN, DE, FR), lid, tuple(map(parse_target, targets)))


def run(session: Session, *audio: AudioInput | Notice | DragomanError) -> list[DurableEvent]:
    async def collect() -> list[Event]:
        return [event async for event in session.run(stream(*audio))]

    return checked(asyncio.run(collect()))


def heard(
    *script: Heard | Exception,
    seconds: int = 4,
    targets: tuple[str, ...] = (),
    translator: ScriptedTranslator | None = None,
    lid: LidMode = LidMode.CONTINUOUS,
) -> list[DurableEvent]:
    """Return the events of a session whose transcriber follows the script."""
    session = Session(spec(*targets, lid=lid), ScriptedTranscriber(*script), translator)
    return run(session, *silence(seconds * SECOND))


def types(events: list[DurableEvent]) -> list[str]:
    return [event.type for event in events]


def of(events: list[DurableEvent], kind: type[DurableEvent]) -> list[DurableEvent]:
    return [event for event in events if isinstance(event, kind)]


def ended(events: list[DurableEvent]) -> SessionEnded:
    last = events[-1]
    assert isinstance(last, SessionEnded)
    return last


def test_a_session_tells_its_story_in_order() -> None:
    events = heard(
        SpeechStarted(SECOND),
        quiet(0),
        LanguageDecision(DE, SECOND, 2 * SECOND, ((DE, 0.9), (EN, 0.1))),
        SpeechEnded(2 * SECOND),
        said(1, "Guten Tag."),
        quiet(2, 2),
    )
    assert types(events) == [
        "session.started",
        "speech.started",
        "language.detected",
        "speech.ended",
        "transcript.final",
        "session.ended",
    ]
    assert ended(events).reason == "completed"
    assert ended(events).ledger.text_samples == SECOND


def test_utterances_are_numbered_and_placed_on_the_session_clock() -> None:
    finals = of(heard(said(0, "Eins."), said(1, "Zwei."), quiet(2, 2)), TranscriptFinal)
    assert [(f.utterance_id, f.start_ms, f.end_ms) for f in finals if isinstance(f, TranscriptFinal)] == [
        ("u_1", 0, 1_000),
        ("u_2", 1_000, 2_000),
    ]


def test_an_utterance_without_text_is_no_event_but_is_accounted_for() -> None:
    events = heard(said(0, ""), quiet(1, 3))
    assert of(events, TranscriptFinal) == []
    assert ended(events).ledger.final_samples == 4 * SECOND
    assert ended(events).ledger.text_samples == 0


# Languages


def test_a_change_of_language_is_announced_before_the_utterance_that_it_begins_with() -> None:
    events = heard(
        LanguageDecision(DE, 0, SECOND),
        said(0, "Guten Tag."),
        LanguageDecision(EN, SECOND, 2 * SECOND, ((EN, 0.97), (DE, 0.03))),
        said(1, "Good day.", EN),
        said(2, "Bye.", EN),
        quiet(3),
    )
    assert types(events)[1:6] == [
        "language.detected",
        "transcript.final",
        "language.changed",
        "transcript.final",
        "transcript.final",
    ]
    changed = of(events, LanguageChanged)[0]
    assert isinstance(changed, LanguageChanged)
    assert (changed.changed_from, changed.locale, changed.confidence, changed.at_ms) == (DE, EN, 0.97, 1_000)
    assert [f.changed_from for f in of(events, TranscriptFinal) if isinstance(f, TranscriptFinal)] == [None, DE, None]


def test_an_engine_that_only_labels_utterances_is_announced_by_its_labels() -> None:
    events = heard(said(0, "Guten Tag."), said(1, "Good day.", EN), quiet(2, 2))
    assert types(events)[1:5] == ["language.detected", "transcript.final", "language.changed", "transcript.final"]


def test_deciding_again_for_the_same_language_is_no_news() -> None:
    events = heard(LanguageDecision(DE, 0, 1), LanguageDecision(DE, 1, 2), quiet(0, 4))
    assert len(of(events, LanguageDetected)) == 1


@pytest.mark.parametrize(
    "script",
    [
        (LanguageDecision(Locale("it-IT"), 0, 1),),  # no candidate
        (LanguageDecision(DE, 0, 1), LanguageDecision(EN, 1, 2)),  # at-start decides once
    ],
)
def test_an_engine_that_breaks_the_language_contract_ends_the_session_loudly(script: tuple[Heard, ...]) -> None:
    events = heard(*script, quiet(0, 4), lid=LidMode.AT_START)
    error = of(events, ErrorEvent)[0]
    assert isinstance(error, ErrorEvent)
    assert error.code == "engine_failed"
    assert ended(events).ledger.lost_samples == 4 * SECOND


def test_too_many_candidates_are_refused_before_anything_starts() -> None:
    five = parse_candidates(["en-US", "de-DE", "fr-FR", "es-ES", "it-IT"], LidMode.CONTINUOUS)
    with pytest.raises(LanguageLimitError):
        SessionSpec("s_1", five, LidMode.AT_START)


# Failures


def test_audio_that_breaks_off_is_settled_up_to_there_and_the_error_told() -> None:
    session = Session(spec(), ScriptedTranscriber(said(0, "Guten Tag.")))
    events = run(session, *silence(SECOND), AudioUnreadableError("broken at 1 s"))
    assert types(events)[-3:] == ["transcript.final", "error", "session.ended"]
    assert ended(events).reason == "failed"
    assert ended(events).ledger.lost_samples == 0


def test_audio_that_never_begins_is_an_error_with_empty_books() -> None:
    events = run(Session(spec(), ScriptedTranscriber()), AudioUnreadableError("no audio"))
    assert types(events) == ["session.started", "error", "session.ended"]
    assert ended(events).ledger.accepted_samples == 0


def test_a_transcriber_that_dies_loses_what_it_left_open_and_nothing_else() -> None:
    events = heard(said(0, "Guten Tag."), EngineFailedError("out of memory"))
    assert types(events)[-3:] == ["audio.lost", "error", "session.ended"]
    lost = of(events, AudioLost)[0]
    assert isinstance(lost, AudioLost)
    assert (lost.start_ms, lost.end_ms, lost.samples) == (1_000, 4_000, 3 * SECOND)


@pytest.mark.parametrize("script", [(quiet(1, 3),), (quiet(0), quiet(0)), (quiet(0, 5),)])
def test_a_transcriber_that_miscounts_is_caught(script: tuple[Heard, ...]) -> None:
    error = of(heard(*script), ErrorEvent)[0]
    assert isinstance(error, ErrorEvent)
    assert "defect of the engine" in error.message


def test_a_transcriber_that_stops_early_loses_the_rest_and_fails_loudly() -> None:
    events = heard(said(0, "Guten Tag."))
    assert types(events)[-3:] == ["audio.lost", "error", "session.ended"]
    assert ended(events).ledger.lost_samples == 3 * SECOND


def test_an_error_that_nobody_foresaw_ends_the_session_with_its_books() -> None:
    events = heard(said(0, "Guten Tag."), RuntimeError("boom"))
    error = of(events, ErrorEvent)[0]
    assert isinstance(error, ErrorEvent)
    assert (error.code, "RuntimeError" in error.message, "boom" in error.message) == ("engine_failed", True, False)


def test_a_label_that_breaks_the_contract_books_no_text() -> None:
    events = heard(said(0, "Guten Tag."), said(1, "Good day.", EN), quiet(2, 2), lid=LidMode.AT_START)
    assert ended(events).ledger.text_samples == SECOND


@pytest.mark.parametrize(
    ("script", "said_so"),
    [
        ((quiet(0, 4),), True),
        ((said(0, ""), quiet(1, 3)), True),
        ((SpeechStarted(0), Notice("text_suppressed", "a loop"), said(0, ""), quiet(1, 3)), False),
        ((said(0, "Guten Tag."), quiet(1, 3)), False),
        ((quiet(0, 2),), False),  # the rest was lost
    ],
)
def test_a_recording_without_speech_is_called_that(script: tuple[Heard, ...], said_so: bool) -> None:
    warnings = [event.code for event in heard(*script) if isinstance(event, WarningEvent)]
    assert ("no_speech" in warnings) == said_so


def test_notices_of_the_audio_become_warnings() -> None:
    session = Session(spec(), ScriptedTranscriber(quiet(0)))
    events = run(session, Notice("audio_truncated", "half of it is missing"), *silence(SECOND), Flush())
    warning = of(events, WarningEvent)[0]
    assert isinstance(warning, WarningEvent)
    assert warning.code == "audio_truncated"


def test_stopping_discards_what_is_open_and_keeps_what_was_said() -> None:
    class Endless:
        name = "endless"

        async def transcribe(
            self, audio: AsyncIterator[AudioInput], request: TranscriptionRequest
        ) -> AsyncGenerator[Heard, None]:
            async for _ in audio:
                pass
            yield said(0, "Guten Tag.")
            await asyncio.Event().wait()

    session = Session(spec(), Endless())

    async def stop_after_the_first_final() -> list[Event]:
        events = []
        async for event in session.run(stream(*silence(4 * SECOND))):
            events.append(event)
            if isinstance(event, TranscriptFinal):
                session.stop()
        return events

    events = checked(asyncio.run(stop_after_the_first_final()))
    assert ended(events).reason == "cancelled"
    assert ended(events).ledger.discarded_samples == 3 * SECOND


# Translations


def translations(events: list[DurableEvent]) -> list[tuple[str, str, str]]:
    return [(e.utterance_id, e.target, e.text) for e in events if isinstance(e, TranslationFinal)]


def test_translations_follow_their_final() -> None:
    translator = ScriptedTranslator([(DE, "en"), (DE, "fr")])
    events = heard(said(0, "Guten Tag."), quiet(1, 3), targets=("en", "fr"), translator=translator)
    assert translations(events) == [("u_1", "en", "<en>Guten Tag."), ("u_1", "fr", "<fr>Guten Tag.")]
    assert translator.calls == [("Guten Tag.", ("en", "fr"))]


def test_what_the_engine_translated_itself_is_not_asked_for_again() -> None:
    translator = ScriptedTranslator([(DE, "fr")])
    events = heard(said(0, "Guten Tag.", en="Good day."), quiet(1, 3), targets=("en", "fr"), translator=translator)
    assert translations(events) == [("u_1", "en", "Good day."), ("u_1", "fr", "<fr>Guten Tag.")]


def test_the_engine_is_asked_only_for_what_the_translator_cannot_do() -> None:
    transcriber = ScriptedTranscriber(quiet(0))
    translator = ScriptedTranslator([(EN, "fr"), (DE, "fr")])
    run(Session(spec("en", "fr"), transcriber, translator), *silence(SECOND))
    assert transcriber.requests[0].targets == ("en",)


def test_a_language_is_not_translated_into_itself() -> None:
    events = heard(said(0, "Good day.", EN), quiet(1, 3), targets=("en",))
    final = of(events, TranscriptFinal)[0]
    assert isinstance(final, TranscriptFinal)
    assert final.translates_to == ()
    assert ended(events).translations[0].skipped == 1
    assert of(events, WarningEvent) == []


def test_a_pair_that_nobody_serves_is_one_warning_and_the_session_goes_on() -> None:
    events = heard(said(0, "Eins."), said(1, "Zwei."), quiet(2, 2), targets=("fr",))
    assert [w.code for w in of(events, WarningEvent) if isinstance(w, WarningEvent)] == ["translation_pair_unserved"]
    assert ended(events).translations[0].skipped == 2
    assert ended(events).reason == "completed"


def test_a_failed_translation_costs_one_event_and_not_the_session() -> None:
    translator = ScriptedTranslator([(DE, "fr")], {"Eins.": TranslationFailedError("the translator is down")})
    events = heard(said(0, "Eins."), said(1, "Zwei."), quiet(2, 2), targets=("fr",), translator=translator)
    assert [(f.utterance_id, f.code) for f in events if isinstance(f, TranslationFailed)] == [
        ("u_1", "translation_failed")
    ]
    assert translations(events) == [("u_2", "fr", "<fr>Zwei.")]


def test_a_translation_that_the_engine_could_not_make_has_its_outcome_too() -> None:
    events = heard(said(0, "Guten Tag.", en=None), quiet(1, 3), targets=("en",))
    assert [f.target for f in events if isinstance(f, TranslationFailed)] == ["en"]


def test_a_translator_that_breaks_in_an_unforeseen_way_costs_one_event_too() -> None:
    translator = ScriptedTranslator([(DE, "fr")], {"Eins.": KeyError("oops")})
    events = heard(said(0, "Eins."), quiet(1, 3), targets=("fr",), translator=translator)
    assert [f.code for f in events if isinstance(f, TranslationFailed)] == ["translation_failed"]
    assert ended(events).reason == "completed"


def test_one_target_may_fail_alone_and_none_is_forgotten() -> None:
    failure = TranslationFailedError("no French today")
    translator = ScriptedTranslator([(DE, "fr"), (DE, "en")], partly={"Eins.": {parse_target("fr"): failure}})
    events = heard(said(0, "Eins."), quiet(1, 3), targets=("fr", "en"), translator=translator)
    outcomes = [(e.type, e.target) for e in events if isinstance(e, TranslationFinal | TranslationFailed)]
    assert outcomes == [("translation.failed", "fr"), ("translation.failed", "en")]


def test_transcripts_do_not_wait_for_translations() -> None:
    translator = ScriptedTranslator([(DE, "fr")])

    async def collect() -> list[Event]:
        translator.gate.clear()
        session = Session(spec("fr"), ScriptedTranscriber(said(0, "Eins."), said(1, "Zwei."), quiet(2, 2)), translator)
        events: list[Event] = []
        async for event in session.run(stream(*silence(4 * SECOND))):
            events.append(event)
            if sum(isinstance(each, TranscriptFinal) for each in events) == 2:
                translator.gate.set()
        return events

    events = checked(asyncio.run(collect()))
    assert types(events)[1:] == [
        "language.detected",
        "transcript.final",
        "transcript.final",
        "translation.final",
        "translation.final",
        "session.ended",
    ]


def test_open_translations_hold_the_transcriber_back() -> None:
    translator = ScriptedTranslator([(DE, "fr")])

    async def collect() -> int:
        translator.gate.clear()
        script = [said(second, f"{second}.") for second in range(20)]
        session = Session(spec("fr"), ScriptedTranscriber(*script), translator)
        finals = 0
        async for event in session.run(stream(*silence(20 * SECOND))):
            finals += isinstance(event, TranscriptFinal)
            if finals == 8:
                break
        # Eight are open: the ninth is not taken until one comes back.
        return len(translator.calls)

    assert asyncio.run(collect()) <= 8


def test_stopping_gives_open_translations_their_outcome() -> None:
    translator = ScriptedTranslator([(DE, "fr")])

    async def collect() -> list[Event]:
        translator.gate.clear()
        session = Session(spec("fr"), ScriptedTranscriber(said(0, "Eins."), quiet(1, 3)), translator)
        events = []
        async for event in session.run(stream(*silence(4 * SECOND))):
            events.append(event)
            if isinstance(event, TranscriptFinal):
                session.stop()
        return events

    events = checked(asyncio.run(collect()))
    assert [f.target for f in events if isinstance(f, TranslationFailed)] == ["fr"]


def test_leaving_early_leaves_no_task_behind() -> None:
    async def leave() -> int:
        session = Session(spec(), ScriptedTranscriber(said(0, "Eins."), quiet(1, 3)))
        events = session.run(stream(*silence(4 * SECOND)))
        async for event in events:
            if isinstance(event, TranscriptFinal):
                break
        await events.aclose()
        return len(asyncio.all_tasks())

    assert asyncio.run(leave()) == 1
