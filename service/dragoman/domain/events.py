"""The one event vocabulary of every door: frozen models in a closed union.

Durable events carry ``seq``, which counts 1, 2, 3, … without gaps within a session. Ephemeral ones (partials and
acknowledgements) carry ``after_seq``, the ``seq`` of the durable event before them, and are never replayed.
Times are milliseconds on the session clock. Unknown is ``None``.
"""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from dragoman.domain.insight import Change, Insight
from dragoman.domain.language import LidMode

Probability = Annotated[float, Field(ge=0, le=1)]
Margin = Annotated[float, Field(ge=-1, le=1)]
Milliseconds = Annotated[int, Field(ge=0)]
Samples = Annotated[int, Field(ge=0)]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Event(_Value):
    type: str  # declared here, so that it comes first in JSON; every event narrows it to its own literal


class _Durable(_Event):
    session_id: str
    seq: int = Field(ge=1)


class _Ephemeral(_Event):
    session_id: str
    after_seq: int = Field(ge=0)


class WordTime(_Value):
    """One word and when it was spoken."""

    text: str
    start_ms: Milliseconds
    end_ms: Milliseconds
    confidence: Probability | None = None


class LocaleScore(_Value):
    """How probable one candidate is."""

    locale: str
    probability: Probability


class Latency(_Value):
    """Where the time of a final went, in wall time.

    ``since_speech_end_ms`` is known on live streams only; ``decode_ms`` runs from when the utterance had been heard to
    its text, and so includes waiting for the model.
    """

    since_speech_end_ms: Milliseconds | None = None
    decode_ms: Milliseconds | None = None


class LedgerTotals(_Value):
    """Where every accepted sample ended: ``accepted = final + lost + discarded``; ``text`` is a part of ``final``."""

    accepted_samples: Samples
    final_samples: Samples
    text_samples: Samples
    lost_samples: Samples
    discarded_samples: Samples
    sample_rate_hz: int


class TranslationTotals(_Value):
    """Outcomes of all finals for one target language."""

    target: str
    final: int = Field(ge=0)
    failed: int = Field(ge=0)
    skipped: int = Field(ge=0)


class SessionStarted(_Durable):
    """The session's effective configuration."""

    type: Literal["session.started"] = "session.started"
    engine: str
    model: str | None = None
    lid: LidMode
    candidates: tuple[str, ...]
    targets: tuple[str, ...] = ()
    source: str | None = None
    channel: int | None = None


class AudioAck(_Ephemeral):
    """Audio up to ``accepted_samples`` rests where it survives ``durability``."""

    type: Literal["audio.ack"] = "audio.ack"
    accepted_samples: Samples
    durability: Literal["memory", "file", "blob"]


class ConnectionClosing(_Event):
    """Why the server ends this connection; the session, if there is one, waits to be resumed."""

    type: Literal["connection.closing"] = "connection.closing"
    session_id: str | None = None
    code: str
    message: str
    retryable: bool
    retry_after_ms: Milliseconds | None = None


class SpeechStartedEvent(_Durable):
    """Somebody began to speak."""

    type: Literal["speech.started"] = "speech.started"
    at_ms: Milliseconds


class SpeechEndedEvent(_Durable):
    """Somebody stopped speaking."""

    type: Literal["speech.ended"] = "speech.ended"
    at_ms: Milliseconds


class LanguageDetected(_Durable):
    """The first language of the session, decided from audio up to ``at_ms``."""

    type: Literal["language.detected"] = "language.detected"
    locale: str
    confidence: Probability | None
    at_ms: Milliseconds
    mode: LidMode
    candidates: tuple[LocaleScore, ...] = ()


class LanguageChanged(_Durable):
    """Another language from ``at_ms`` on, where an utterance begins (continuous identification only)."""

    type: Literal["language.changed"] = "language.changed"
    locale: str
    changed_from: str
    confidence: Probability | None
    at_ms: Milliseconds
    candidates: tuple[LocaleScore, ...] = ()


class TranscriptPartial(_Ephemeral):
    """Text that may still change after its first ``stable_len`` characters."""

    type: Literal["transcript.partial"] = "transcript.partial"
    utterance_id: str
    rev: int = Field(ge=1)
    text: str
    stable_len: int = Field(ge=0)
    start_ms: Milliseconds
    end_ms: Milliseconds
    locale: str
    channel: int | None = None


class TranscriptFinal(_Durable):
    """Text that never changes. Key: ``(session_id, utterance_id)``.

    For every language in ``translates_to`` exactly one ``translation.final`` or ``translation.failed`` follows; the
    session's other targets are skipped for this utterance (same language, or no model serves the pair).
    ``locale_margin`` is by how much its language leads over the likeliest other candidate, in probability.
    """

    type: Literal["transcript.final"] = "transcript.final"
    utterance_id: str
    rev: int = Field(ge=1)
    text: str
    start_ms: Milliseconds
    end_ms: Milliseconds
    locale: str
    locale_confidence: Probability | None = None
    locale_margin: Margin | None = None
    changed_from: str | None = None
    speaker: str | None = None
    channel: int | None = None
    confidence: Probability | None = None
    words: tuple[WordTime, ...] = ()
    translates_to: tuple[str, ...] = ()
    engine: str
    latency: Latency = Latency()


class TranscriptPolished(_Durable):
    """How a final and its translations should read, by target language, and what was changed; the original stays."""

    type: Literal["transcript.polished"] = "transcript.polished"
    utterance_id: str
    text: str
    translations: dict[str, str]
    changes: tuple[Change, ...]
    engine: str


class TranslationPartial(_Ephemeral):
    """A translation of the stable prefix of a partial."""

    type: Literal["translation.partial"] = "translation.partial"
    utterance_id: str
    source_rev: int = Field(ge=1)
    target: str
    text: str
    stable_len: int = Field(ge=0)


class TranslationFinal(_Durable):
    """The translation of a final into one target language."""

    type: Literal["translation.final"] = "translation.final"
    utterance_id: str
    target: str
    text: str
    engine: str


class TranslationFailed(_Durable):
    """A translation that could not be made; the transcript is untouched."""

    type: Literal["translation.failed"] = "translation.failed"
    utterance_id: str
    target: str
    code: str
    message: str


class InsightReady(_Durable):
    """What follows from what was said so far, or, if it ``is_final``, from all of it."""

    type: Literal["insight.ready"] = "insight.ready"
    is_final: bool
    insight: Insight


class InsightFailed(_Durable):
    """Nobody could say what follows; nothing else is missing."""

    type: Literal["insight.failed"] = "insight.failed"
    is_final: bool
    code: str
    message: str


class EngineChanged(_Durable):
    """Another engine does the work from sample position ``at_ms`` on."""

    type: Literal["engine.changed"] = "engine.changed"
    engine: str
    changed_from: str
    reason: str
    at_ms: Milliseconds


class AudioLost(_Durable):
    """Accepted audio that no engine could settle."""

    type: Literal["audio.lost"] = "audio.lost"
    start_ms: Milliseconds
    end_ms: Milliseconds
    samples: int = Field(ge=1)
    reason: str


class WarningEvent(_Durable):
    """Something to know; the session goes on."""

    type: Literal["warning"] = "warning"
    code: str
    message: str


class ErrorEvent(_Durable):
    """Why the session ends, and what to do; always before the ``session.ended`` that it causes."""

    type: Literal["error"] = "error"
    code: str
    message: str
    retryable: bool
    retry_after_ms: Milliseconds | None = None


class SessionEnded(_Durable):
    """The last event: where all audio and all translations went."""

    type: Literal["session.ended"] = "session.ended"
    reason: Literal["completed", "failed", "cancelled"]
    ledger: LedgerTotals
    utterances: int = Field(ge=0)
    translations: tuple[TranslationTotals, ...] = ()


DurableEvent = (
    SessionStarted
    | SpeechStartedEvent
    | SpeechEndedEvent
    | LanguageDetected
    | LanguageChanged
    | TranscriptFinal
    | TranscriptPolished
    | TranslationFinal
    | TranslationFailed
    | InsightReady
    | InsightFailed
    | EngineChanged
    | AudioLost
    | WarningEvent
    | ErrorEvent
    | SessionEnded
)
EphemeralEvent = AudioAck | TranscriptPartial | TranslationPartial
Event = DurableEvent | EphemeralEvent
ServerMessage = Event | ConnectionClosing
"""What a connection receives: the events of its session and, at its end, perhaps why."""

_ADAPTER: Final[TypeAdapter[Event]] = TypeAdapter(Annotated[Event, Field(discriminator="type")])
_MESSAGES: Final[TypeAdapter[ServerMessage]] = TypeAdapter(Annotated[ServerMessage, Field(discriminator="type")])


def to_json(event: ServerMessage) -> str:
    """Return the event as one line of JSON; equal events give equal bytes."""
    return event.model_dump_json()


def from_json(line: str | bytes) -> Event:
    """Return the event that ``to_json`` wrote.

    Raises:
        pydantic.ValidationError: if it is no event of this vocabulary.
    """
    return _ADAPTER.validate_json(line)


def message_from_json(line: str | bytes) -> ServerMessage:
    """Return the message of a server that ``to_json`` wrote.

    Raises:
        pydantic.ValidationError: if it is none of this vocabulary.
    """
    return _MESSAGES.validate_json(line)
