"""What a session must remember to go on in another process: read from its own events."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from dragoman.domain.events import (
    DurableEvent,
    InsightFailed,
    InsightReady,
    LanguageChanged,
    LanguageDetected,
    SpeechEndedEvent,
    SpeechStartedEvent,
    TranscriptFinal,
    TranslationFailed,
    TranslationFinal,
)
from dragoman.domain.language import Locale, TargetLanguage, parse_locale, parse_target
from dragoman.insight.conversation import Line
from dragoman.pipeline.insights import line_of
from dragoman.store.ports import Books


@dataclass(frozen=True, slots=True)
class Memory:
    """How far a session has come. ``open_finals`` still owe translations into the targets beside them.

    ``utterance`` is a number that no utterance shown so far has reached. ``speech_ms`` is where speech last began or
    ended, and ``is_speaking`` says which. ``translated`` and ``failed`` count outcomes per target. ``said`` holds all
    utterances by their ids; ``is_concluded`` if what follows from all of them was said.
    """

    books: Books = field(default_factory=Books)
    seq: int = 0
    finals: int = 0
    utterance: int = 0
    locale: Locale | None = None
    changed_from: Locale | None = None
    speech_ms: int = -1
    is_speaking: bool = False
    translated: Mapping[TargetLanguage, int] = field(default_factory=dict)
    failed: Mapping[TargetLanguage, int] = field(default_factory=dict)
    open_finals: tuple[tuple[TranscriptFinal, tuple[TargetLanguage, ...]], ...] = ()
    said: Mapping[str, Line] = field(default_factory=dict)
    is_concluded: bool = False


def recall(events: Iterable[DurableEvent], books: Books) -> Memory:
    """Return the memory of a session from all its events so far and its books."""
    seq = finals = utterance = 0
    locale = changed_from = None
    speech_ms, is_speaking = -1, False
    translated: Counter[TargetLanguage] = Counter()
    failed: Counter[TargetLanguage] = Counter()
    owed: dict[str, tuple[TranscriptFinal, list[TargetLanguage]]] = {}
    said: dict[str, Line] = {}
    is_concluded = False
    for event in events:
        seq = event.seq
        if isinstance(event, TranscriptFinal | TranslationFinal):
            said |= line_of(event, said)
        match event:
            case InsightReady() | InsightFailed():
                is_concluded |= event.is_final
            case SpeechStartedEvent():
                speech_ms, is_speaking = event.at_ms, True
            case SpeechEndedEvent():
                speech_ms, is_speaking = event.at_ms, False
            case LanguageDetected():
                locale = parse_locale(event.locale)
            case LanguageChanged():
                locale, changed_from = parse_locale(event.locale), parse_locale(event.changed_from)
            case TranscriptFinal():
                finals, utterance, changed_from = finals + 1, int(event.utterance_id.removeprefix("u_")), None
                owed[event.utterance_id] = event, [parse_target(target) for target in event.translates_to]
            case TranslationFinal() | TranslationFailed():
                target = parse_target(event.target)
                (translated if isinstance(event, TranslationFinal) else failed)[target] += 1
                owed[event.utterance_id][1].remove(target)
            case _:
                pass
    still_owed = tuple((final, tuple(targets)) for final, targets in owed.values() if targets)
    # What was shown and has no final is heard again, and is another utterance: drafts are not kept, so nobody knows how
    # far their numbers went, but there was an event between any two processes.
    utterance = max(utterance, seq)
    return Memory(
        books,
        seq,
        finals,
        utterance,
        locale,
        changed_from,
        speech_ms,
        is_speaking,
        translated,
        failed,
        still_owed,
        said,
        is_concluded,
    )
