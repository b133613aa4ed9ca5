"""How good a session is while nobody knows the truth: figures of its committed events, without a word of what was said.

Each is defined below. What is not known is not observed: an engine without confidence is not taken for an unsure one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from dragoman.domain.events import (
    DurableEvent,
    EngineChanged,
    InsightReady,
    LanguageChanged,
    LanguageDetected,
    SessionEnded,
    SessionStarted,
    TranscriptFinal,
    TranslationFailed,
    TranslationFinal,
    WarningEvent,
)
from dragoman.domain.insight import Insight
from dragoman.domain.tally import Cell, Tally
from dragoman.monitoring.bins import Bins

Of = Literal["utterance", "translation", "insight", "session"]
Side = Literal["input", "output"]

_YES_NO: Final = Bins(0, 1, 2)
_SHARE: Final = Bins(0, 1, 100)
_MILLISECONDS: Final = Bins(10, 60_000, 96, "log")

NOWHERE: Final = ""
"""The place of what no language was heard in yet."""


@dataclass(frozen=True, slots=True)
class Signal:
    """A figure: one value of every utterance, translation, insight or session.

    ``side`` says whether it tells of what comes in, or also of what we make of it. ``worse`` is the direction to worry
    about, ``None`` where either may be.
    """

    name: str
    title: str
    unit: str
    of: Of
    side: Side
    bins: Bins
    worse: Literal["lower", "higher"] | None = None


SIGNALS: Final = {
    each.name: each
    for each in (
        Signal("utterance_s", "Length of utterances", "s", "utterance", "input", Bins(0.1, 60, 96, "log")),
        Signal("speech_rate", "Speech rate", "characters/s", "utterance", "input", Bins(0, 40, 80)),
        Signal("lid_margin", "Lead of the language", "", "utterance", "output", Bins(-1, 1, 100), "lower"),
        Signal("confidence", "Confidence", "", "utterance", "output", _SHARE, "lower"),
        Signal("suppressed", "Texts that a guard left out", "", "utterance", "output", _YES_NO, "higher"),
        Signal("language_changes", "Changes of language", "", "utterance", "input", _YES_NO),
        Signal("final_ms", "From the end of speech to its final", "ms", "utterance", "output", _MILLISECONDS, "higher"),
        Signal("decode_ms", "From heard to text", "ms", "utterance", "output", _MILLISECONDS, "higher"),
        Signal(
            "length_ratio", "Length of translations", "of the source", "translation", "output", Bins(0.1, 10, 92, "log")
        ),
        Signal("untranslated", "Translations that failed", "", "translation", "output", _YES_NO, "higher"),
        Signal("groundedness", "Claims that are borne out", "", "insight", "output", _SHARE, "lower"),
        Signal("injections", "Utterances that give orders to the model", "", "insight", "input", _SHARE, "higher"),
        Signal("no_speech", "Audio without text", "", "session", "input", _SHARE),
        Signal("lost", "Audio without an outcome", "", "session", "output", _SHARE, "higher"),
    )
}
"""All figures by name, and what one value is:

- ``utterance_s``: from where speech begins in a final to where it ends, 0.1 to 60 seconds.
- ``speech_rate``: characters of a final that are no spaces, by its seconds; 0 to 40.
- ``lid_margin``: probability of a final's language minus that of the likeliest other candidate; −1 to 1. It is not
  there where the language is fixed, or decided by an engine that says no more than its choice.
- ``confidence``: as the engine says it, 0 to 1. Engines mean different things by it.
- ``suppressed``: 0 for a final, 1 for an utterance whose text was left out (warning ``text_suppressed``).
- ``language_changes``: 1 for a final in another language than the one before it, else 0.
- ``final_ms``: from the end of speech to the final, on live streams; 10 to 60,000 ms.
- ``decode_ms``: from when the utterance had been heard to its text, waiting included.
- ``length_ratio``: characters of a translation by those of its final, 0.1 to 10.
- ``untranslated``: 0 for a translation, 1 for one that failed.
- ``groundedness``: of the claims of a last insight, those that are borne out by what was said (``insight/grounding``).
- ``injections``: of the utterances of a session with a last insight, those that were kept from the model, because they
  read like orders to it (``insight/shielding``).
- ``no_speech``: of a session's accepted audio, what was settled without text.
- ``lost``: of a session's accepted audio, what no engine settled.
"""


@dataclass(frozen=True, slots=True)
class Observation:
    """One value of a figure."""

    cell: Cell
    value: float


@dataclass(slots=True)
class _Owed:
    characters: int
    locale: str
    targets: set[str]


@dataclass(slots=True)
class SessionSignals:
    """Reads the events of one session, in their order and all of them, and says what they show."""

    _engine: str = ""
    _locale: str = NOWHERE
    _finals: int = 0
    _owed: dict[str, _Owed] = field(default_factory=dict)

    def observe(self, event: DurableEvent) -> list[Observation]:
        """Return what an event shows."""
        match event:
            case SessionStarted() | EngineChanged():
                self._engine = event.engine
            case LanguageDetected() | LanguageChanged():
                self._locale = event.locale
            case TranscriptFinal():
                return list(self._final(event))
            case TranslationFinal() | TranslationFailed():
                return list(self._translation(event))
            case WarningEvent(code="text_suppressed"):
                return [self._seen("suppressed", 1, self._locale, self._engine)]
            case InsightReady(is_final=True):
                return list(self._insight(event.insight))
            case SessionEnded():
                return list(self._end(event))
            case _:
                pass
        return []

    def _final(self, final: TranscriptFinal) -> Iterator[Observation]:
        self._finals += 1
        locale = self._locale = final.locale
        length_s = (final.end_ms - final.start_ms) / 1_000
        characters = sum(not each.isspace() for each in final.text)
        if final.translates_to:
            self._owed[final.utterance_id] = _Owed(len(final.text), locale, set(final.translates_to))
        values = {
            "utterance_s": length_s,
            "speech_rate": characters / length_s if length_s > 0 else None,
            "lid_margin": final.locale_margin,
            "confidence": final.confidence,
            "suppressed": 0,
            "language_changes": 1 if final.changed_from else 0,
            "final_ms": final.latency.since_speech_end_ms,
            "decode_ms": final.latency.decode_ms,
        }
        for name, value in values.items():
            if value is not None:
                yield self._seen(name, value, locale, final.engine)

    def _translation(self, event: TranslationFinal | TranslationFailed) -> Iterator[Observation]:
        owed = self._owed.get(event.utterance_id)
        if owed is None:
            return
        pair = f"{owed.locale}>{event.target}"
        engine = event.engine if isinstance(event, TranslationFinal) else ""
        yield self._seen("untranslated", 0 if isinstance(event, TranslationFinal) else 1, pair, engine)
        if isinstance(event, TranslationFinal) and owed.characters:
            yield self._seen("length_ratio", len(event.text) / owed.characters, pair, engine)
        owed.targets.discard(event.target)
        if not owed.targets:
            del self._owed[event.utterance_id]

    def _insight(self, insight: Insight) -> Iterator[Observation]:
        kept = sum(
            len(each)
            for each in (
                insight.summary,
                insight.topics,
                insight.action_items,
                insight.open_questions,
                insight.sentiment,
            )
        )
        if kept + insight.dropped:
            yield self._seen("groundedness", kept / (kept + insight.dropped), insight.language, insight.engine)
        if self._finals:
            yield self._seen("injections", len(insight.withheld) / self._finals, insight.language, insight.engine)

    def _end(self, ended: SessionEnded) -> Iterator[Observation]:
        ledger = ended.ledger
        if not ledger.accepted_samples:
            return
        silent = ledger.final_samples - ledger.text_samples
        yield self._seen("no_speech", silent / ledger.accepted_samples, self._locale, self._engine)
        yield self._seen("lost", ledger.lost_samples / ledger.accepted_samples, self._locale, self._engine)

    @staticmethod
    def _seen(name: str, value: float, locale: str, engine: str) -> Observation:
        return Observation(Cell(name, locale, engine), value)


def tallied(observations: list[Observation]) -> dict[Cell, Tally]:
    """Return values counted in their bins."""
    found: dict[Cell, list[float]] = {}
    for each in observations:
        found.setdefault(each.cell, []).append(each.value)
    return {cell: SIGNALS[cell.signal].bins.tally(*values) for cell, values in found.items()}
