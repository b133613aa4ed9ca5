import json
from typing import get_args

import pytest
from pydantic import ValidationError

from dragoman.domain.events import (
    AudioAck,
    DurableEvent,
    EphemeralEvent,
    TranscriptFinal,
    TranslationFinal,
    WordTime,
    from_json,
    to_json,
)

# The vocabulary of ARCHITECTURE.md; adding a word here is a decision, removing one breaks clients.
VOCABULARY = {
    "session.started",
    "audio.ack",
    "speech.started",
    "speech.ended",
    "language.detected",
    "language.changed",
    "transcript.partial",
    "transcript.final",
    "transcript.polished",
    "translation.partial",
    "translation.final",
    "translation.failed",
    "insight.ready",
    "insight.failed",
    "engine.changed",
    "audio.lost",
    "warning",
    "error",
    "session.ended",
}

FINAL = TranscriptFinal(
    session_id="s_1",
    seq=42,
    utterance_id="u_7",
    rev=3,
    text="Guten Tag.",
    start_ms=5120,
    end_ms=7480,
    locale="de-DE",
    words=(WordTime(text="Guten", start_ms=5120, end_ms=5400, confidence=0.97),),
    engine="whisper",
)


def test_the_vocabulary_is_closed() -> None:
    events = get_args(DurableEvent) + get_args(EphemeralEvent)
    assert {event.model_fields["type"].default for event in events} == VOCABULARY


def test_durable_events_are_numbered_and_ephemeral_ones_refer_to_a_number() -> None:
    assert all("seq" in event.model_fields for event in get_args(DurableEvent))
    assert all("after_seq" in event.model_fields for event in get_args(EphemeralEvent))


def test_an_event_survives_the_wire() -> None:
    assert from_json(to_json(FINAL)) == FINAL


def test_the_type_comes_first_on_the_wire() -> None:
    assert next(iter(json.loads(to_json(FINAL)))) == "type"


def test_equal_events_have_equal_bytes() -> None:
    assert to_json(from_json(to_json(FINAL))) == to_json(FINAL)


def test_unknown_is_null_and_not_a_pretend_value() -> None:
    assert json.loads(to_json(FINAL))["confidence"] is None


def test_an_event_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        FINAL.__setattr__("text", "Gute Nacht.")


@pytest.mark.parametrize(
    "line",
    [
        '{"type":"transcript.maybe"}',
        '{"seq":1}',
        "[]",
        '{"type":"warning","session_id":"s","seq":0,"code":"c","message":"m"}',
    ],
)
def test_what_is_no_event_is_refused(line: str) -> None:
    with pytest.raises(ValidationError):
        from_json(line)


def test_a_field_that_is_not_in_the_vocabulary_is_refused() -> None:
    with pytest.raises(ValidationError, match="extra"):
        from_json(
            TranslationFinal(session_id="s", seq=1, utterance_id="u", target="en", text="t", engine="e")
            .model_dump_json()
            .replace('"engine"', '"extra":1,"engine"')
        )


def test_an_acknowledgement_names_its_durability() -> None:
    with pytest.raises(ValidationError, match="durability"):
        AudioAck.model_validate({"session_id": "s", "after_seq": 0, "accepted_samples": 1, "durability": "hope"})
