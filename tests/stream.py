"""What every session's events must satisfy, asserted wherever a test runs one."""

from collections.abc import Iterable

from dragoman.domain.events import (
    DurableEvent,
    ErrorEvent,
    SessionEnded,
    SessionStarted,
    TranscriptFinal,
    TranslationFailed,
    TranslationFinal,
)


def checked(events: Iterable[DurableEvent]) -> list[DurableEvent]:
    """Return the events of one finished session after checking the rules that every door keeps."""
    found = list(events)
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
