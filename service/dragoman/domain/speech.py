"""What is asked of an engine, and what an engine reports about the audio it heard."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dragoman.domain.audio import AudioFrame, Flush, Span
from dragoman.domain.language import LidMode, Locale, TargetLanguage
from dragoman.domain.recognition import DEFAULT_RECOGNITION, RecognitionOptions

AudioInput = AudioFrame | Flush
"""One item of an audio stream: frames follow each other without gap or overlap."""


@dataclass(frozen=True, slots=True)
class TranscriptionRequest:
    """What a session wants from a transcriber.

    ``candidates`` are valid for ``lid`` (see ``check_candidates``); a single one fixes the language. ``targets`` lets
    an engine that can translate while it transcribes do so; it need not. Somebody waits for what is said on a ``live``
    stream, for each final as it is spoken; ``partials`` asks for what is understood before that.

    A session that goes on has its audio from sample ``start`` on, and ``locale`` is the language spoken before that.
    """

    candidates: tuple[Locale, ...]
    lid: LidMode = LidMode.CONTINUOUS
    targets: tuple[TargetLanguage, ...] = ()
    word_times: bool = False
    live: bool = False
    partials: bool = False
    options: RecognitionOptions = DEFAULT_RECOGNITION
    start: int = 0
    locale: Locale | None = None


@dataclass(frozen=True, slots=True)
class Word:
    """One word with its place on the session clock; ``confidence`` in [0, 1] or unknown."""

    text: str
    start_ms: int
    end_ms: int
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Speech began at sample ``at``."""

    at: int


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """Speech ended at sample ``at``."""

    at: int


@dataclass(frozen=True, slots=True)
class LanguageDecision:
    """The spoken language from sample ``since`` on, decided from audio up to sample ``heard``.

    ``scores`` holds a probability per candidate, best first, summing to 1; empty when nothing had to be decided.
    """

    locale: Locale
    since: int
    heard: int
    scores: tuple[tuple[Locale, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Silence:
    """The engine heard no speech in this range and has nothing more to say about it."""

    span: Span


@dataclass(frozen=True, slots=True)
class Partial:
    """What an engine believes so far about speech that goes on; the next one, or the hypothesis, replaces it."""

    speech: Span
    text: str
    locale: Locale


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What an engine believes an utterance says; it is final, and its text may be empty.

    ``covers`` is the audio that this hypothesis settles; ``speech`` is the part of it in which words lie. Together,
    the ``covers`` of all hypotheses and the spans of all silences cover the stream in order, without gap or overlap.
    ``translations`` holds those that the engine made on the way; ``None`` where it tried in vain. ``locale_margin`` is
    how far the likeliest other candidate is behind, in probability: it is negative while a change is not yet sure.
    """

    covers: Span
    speech: Span
    text: str
    locale: Locale
    locale_confidence: float | None = None
    locale_margin: float | None = None
    confidence: float | None = None
    words: tuple[Word, ...] = ()
    speaker: str | None = None
    translations: Mapping[TargetLanguage, str | None] = field(default_factory=dict)
    decode_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the listener should know and that does not end the session: ``code`` is stable."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class EngineChange:
    """Another engine does the work from sample ``at`` on, and why."""

    engine: str
    at: int
    reason: str


Heard = SpeechStarted | SpeechEnded | LanguageDecision | Silence | Partial | Hypothesis | Notice | EngineChange
"""One item of a transcriber's output, in the order of the session clock."""
