"""A session read back as a document: what was said, in which language, and what it means."""

from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from dragoman.domain.errors import TranscriptInvalidError
from dragoman.domain.events import (
    ErrorEvent,
    Event,
    InsightFailed,
    InsightReady,
    LanguageChanged,
    LanguageDetected,
    LedgerTotals,
    SessionEnded,
    SessionStarted,
    TranscriptFinal,
    TranscriptPolished,
    TranslationFailed,
    TranslationFinal,
    WarningEvent,
    WordTime,
)
from dragoman.domain.insight import Insight


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Utterance(_Part):
    """One final with its translations, keyed by target; ``None`` where a translation failed.

    ``polished`` is how it should read, if somebody read it again and found something.
    """

    utterance_id: str
    start_ms: int
    end_ms: int
    locale: str
    locale_confidence: float | None
    changed_from: str | None
    speaker: str | None
    channel: int | None
    text: str
    confidence: float | None
    words: tuple[WordTime, ...]
    translations: dict[str, str | None]
    polished: str | None = None


class Remark(_Part):
    """A warning or an error of the session."""

    kind: Literal["warning", "error"]
    code: str
    message: str


class Transcript(_Part):
    """One recording. ``languages`` lists the announced locales in order, each once per announcement.

    ``ledgers`` holds one balance per session: one, or one per channel. ``insight`` is the last one.
    """

    source: str | None
    model: str | None
    languages: tuple[str, ...]
    targets: tuple[str, ...]
    utterances: tuple[Utterance, ...]
    insight: Insight | None = None
    remarks: tuple[Remark, ...]
    ledgers: tuple[LedgerTotals, ...]

    @property
    def errors(self) -> tuple[Remark, ...]:
        """Why it is not complete, if it is not."""
        return tuple(remark for remark in self.remarks if remark.kind == "error")


class TranscriptBuilder:
    """Reads the events of one session, in order."""

    def __init__(self) -> None:
        self._started: SessionStarted | None = None
        self._languages: list[str] = []
        self._utterances: list[Utterance] = []
        self._open: deque[tuple[TranscriptFinal, dict[str, str | None]]] = deque()
        self._insight: Insight | None = None
        self._polished: dict[str, str] = {}
        self._remarks: list[Remark] = []
        self._ledgers: list[LedgerTotals] = []

    def add(self, event: Event) -> list[Utterance]:
        """Take the next event; return the utterances that are complete with it, in the order spoken."""
        match event:
            case SessionStarted():
                self._started = event
            case LanguageDetected() | LanguageChanged():
                self._languages.append(event.locale)
            case TranscriptFinal():
                self._open.append((event, {}))
            case TranslationFinal():
                self._translate(event.utterance_id, event.target, event.text)
            case TranslationFailed():
                self._translate(event.utterance_id, event.target, None)
            case TranscriptPolished():
                self._polished[event.utterance_id] = event.text
            case InsightReady():
                self._insight = event.insight
            case InsightFailed():
                self._remarks.append(Remark(kind="warning", code=event.code, message=event.message))
            case WarningEvent():
                self._remarks.append(Remark(kind="warning", code=event.code, message=event.message))
            case ErrorEvent():
                self._remarks.append(Remark(kind="error", code=event.code, message=event.message))
            case SessionEnded():
                self._ledgers.append(event.ledger)
            case _:
                pass
        return self._complete()

    def transcript(self) -> Transcript:
        """Return what was read so far."""
        return Transcript(
            source=self._started.source if self._started else None,
            model=self._started.model if self._started else None,
            languages=tuple(self._languages),
            targets=self._started.targets if self._started else (),
            utterances=tuple(
                utterance.model_copy(update={"polished": self._polished.get(utterance.utterance_id)})
                for utterance in (*self._utterances, *(_utterance(*open_) for open_ in self._open))
            ),
            insight=self._insight,
            remarks=tuple(self._remarks),
            ledgers=tuple(self._ledgers),
        )

    def _translate(self, utterance_id: str, target: str, text: str | None) -> None:
        for final, translations in self._open:
            if final.utterance_id == utterance_id:
                translations[target] = text

    def _complete(self) -> list[Utterance]:
        complete: list[Utterance] = []
        while self._open and set(self._open[0][0].translates_to) <= self._open[0][1].keys():
            complete.append(_utterance(*self._open.popleft()))
        self._utterances += complete
        return complete


def read_transcript(file: Path) -> Transcript:
    """Return the transcript of a JSON file.

    Raises:
        TranscriptInvalidError: if it holds none.
    """
    try:
        return Transcript.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise TranscriptInvalidError(
            f"'{file}' is no transcript; make one with: dragoman transcribe --format json."
        ) from error


def merge(channels: Sequence[Transcript]) -> Transcript:
    """Return the transcripts of a recording's channels as one, in the order in which people began to speak.

    Each channel was a session of its own, so its number goes before the utterance's id: ``"1/u_7"``.
    """
    if len(channels) == 1:
        return channels[0]
    utterances = sorted(
        (
            utterance.model_copy(update={"utterance_id": f"{utterance.channel}/{utterance.utterance_id}"})
            for channel in channels
            for utterance in channel.utterances
        ),
        key=lambda utterance: (utterance.start_ms, utterance.channel or 0),
    )
    return Transcript(
        source=channels[0].source,
        model=channels[0].model,
        languages=tuple(dict.fromkeys(language for channel in channels for language in channel.languages)),
        targets=channels[0].targets,
        utterances=tuple(utterances),
        remarks=tuple(dict.fromkeys(remark for channel in channels for remark in channel.remarks)),
        ledgers=tuple(ledger for channel in channels for ledger in channel.ledgers),
    )


def _utterance(final: TranscriptFinal, translations: dict[str, str | None]) -> Utterance:
    return Utterance(
        utterance_id=final.utterance_id,
        start_ms=final.start_ms,
        end_ms=final.end_ms,
        locale=final.locale,
        locale_confidence=final.locale_confidence,
        changed_from=final.changed_from,
        speaker=final.speaker,
        channel=final.channel,
        text=final.text,
        confidence=final.confidence,
        words=final.words,
        translations=translations,
    )
