"""What every session's events must satisfy, asserted wherever a test runs one."""

from collections.abc import Iterable

from dragoman.domain.events import (
    DurableEvent,
    EphemeralEvent,
    ErrorEvent,
    Event,
    SessionEnded,
    SessionStarted,
    TranscriptFinal,
    TranscriptPartial,
    TranslationFailed,
    TranslationFinal,
    WarningEvent,
)


def checked(events: Iterable[Event]) -> list[DurableEvent]:
    """Return the durable events of one finished session after checking the rules that every door keeps."""
    every = list(events)
    _check_partials(every)
    found = [event for event in every if not isinstance(event, EphemeralEvent)]
    assert [event.seq for event in found] == list(range(1, len(found) + 1)), "seq has a gap"
    assert len({event.session_id for event in found}) == 1
    started, ended = found[0], found[-1]
    assert isinstance(started, SessionStarted)
    assert isinstance(ended, SessionEnded)
    ledger = ended.ledger
    assert ledger.accepted_samples == ledger.final_samples + ledger.lost_samples + ledger.discarded_samples
    assert ledger.text_samples <= ledger.final_samples
    assert (ended.reason == "failed") == any(isinstance(event, ErrorEvent) for event in found)
    finals = [event for event in found if isinstance(event, TranscriptFinal)]
    assert len(finals) == ended.utterances == len({final.utterance_id for final in finals})
    outcomes = [
        (event.utterance_id, event.target) for event in found if isinstance(event, TranslationFinal | TranslationFailed)
    ]
    assert sorted(outcomes) == sorted(
        (final.utterance_id, target) for final in finals for target in final.translates_to
    )
    for totals in ended.translations:
        assert totals.final + totals.failed + totals.skipped == len(finals)
    assert all(final.locale in started.candidates for final in finals)
    return found


def _check_partials(events: list[Event]) -> None:
    """A stable prefix never changes; partials come before the final, and those without one are taken back."""
    seq = 0
    stable: dict[str, str] = {}
    closed: set[str] = set()
    shown: dict[str, str] = {}
    for event in events:
        if not isinstance(event, EphemeralEvent):
            seq = event.seq
        if isinstance(event, TranscriptPartial):
            assert event.after_seq == seq
            assert event.utterance_id not in closed
            shown[event.utterance_id] = event.text
            if event.text:
                assert event.text.startswith(stable.get(event.utterance_id, "")), "a stable prefix changed"
                assert event.stable_len >= len(stable.get(event.utterance_id, "")), "a stable prefix shrank"
                stable[event.utterance_id] = event.text[: event.stable_len]
        if isinstance(event, TranscriptFinal):
            closed.add(event.utterance_id)
        if isinstance(event, WarningEvent) and event.code == "recovered":
            shown.clear()
    if events and isinstance(events[-1], SessionEnded) and events[-1].reason == "completed":
        assert not [text for utterance, text in shown.items() if text and utterance not in closed]
