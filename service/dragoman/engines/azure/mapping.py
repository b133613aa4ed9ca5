"""From what Azure Speech reports to what we heard. Pure: no SDK here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_pascal

from dragoman.domain.audio import SAMPLE_RATE_HZ, Span, to_ms
from dragoman.domain.language import Locale
from dragoman.domain.speech import Heard, Hypothesis, Partial, Silence, SpeechEnded, SpeechStarted, Word

TICKS_PER_MS: Final = 10_000
_TICKS_PER_S: Final = 10_000_000
_NOBODY: Final = frozenset({"", "unknown", "unidentified"})


class Kind(Enum):
    """What became of a stretch of audio."""

    PARTIAL = auto()
    FINAL = auto()
    NO_MATCH = auto()


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word and its place, in ticks as that of its result."""

    text: str
    offset_ticks: int
    duration_ticks: int
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Recognized:
    """A result. Ticks (100 ns) count from the first sample that the service was given."""

    kind: Kind
    text: str
    offset_ticks: int
    duration_ticks: int
    language: str = ""
    speaker: str = ""
    confidence: float | None = None
    words: tuple[SpokenWord, ...] = ()


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_pascal, extra="ignore")


class _Word(_Part):
    word: str
    offset: int
    duration: int
    confidence: float | None = None


class _Best(_Part):
    confidence: float | None = None
    words: tuple[_Word, ...] = ()


class _Detail(_Part):
    offset: int | None = None
    n_best: tuple[_Best, ...] = ()


def read_detail(detail: str, offset_ticks: int) -> tuple[float | None, tuple[SpokenWord, ...]]:
    """Return confidence and words from a result's JSON; ``offset_ticks`` is what the SDK says of the result.

    The JSON counts from the turn of the service, and the SDK from the first sample: after a reconnect they differ.
    """
    if not detail:
        return None, ()
    try:
        read = _Detail.model_validate_json(detail)
    except ValidationError:
        return None, ()
    if not read.n_best:
        return None, ()
    best = read.n_best[0]
    shift = 0 if read.offset is None else offset_ticks - read.offset
    words = tuple(SpokenWord(word.word, word.offset + shift, word.duration, word.confidence) for word in best.words)
    return best.confidence, words


class Settlement:
    """Turns the results of one recognition into what was heard, in the order of the session clock.

    The first sample that the service is given is sample ``start`` of the session. Every sample is settled once, by a
    final or as silence.
    """

    def __init__(self, start: int, candidates: Sequence[Locale]) -> None:
        self._start = start
        self._by_name = {candidate.lower(): candidate for candidate in candidates}
        self._locale = candidates[0]
        self._speaking_since: int | None = None
        self.settled = start
        """Where what is not settled yet begins."""

    def heard(self, result: Recognized, until: int) -> Iterator[Heard]:
        """Yield what a result says; nothing lies behind sample ``until``, which is the last that was given."""
        start = min(max(self.settled, self._at(result.offset_ticks)), until)
        end = min(max(start, self._at(result.offset_ticks + result.duration_ticks)), until)
        if result.kind is Kind.NO_MATCH:
            yield from self._silence(end)
            return
        if not result.text:
            return
        if self._speaking_since is None:
            self._speaking_since = start
            yield SpeechStarted(start)
        # A label that is no candidate, or none at all, changes nothing.
        self._locale = self._by_name.get(result.language.lower(), self._locale)
        if result.kind is Kind.PARTIAL:
            yield Partial(Span(start, end), result.text, self._locale)
            return
        yield from self._silence(start, speaks=True)
        yield SpeechEnded(end)
        self._speaking_since = None
        self.settled = end
        yield Hypothesis(
            covers=Span(start, end),
            speech=Span(start, end),
            text=result.text,
            locale=self._locale,
            confidence=result.confidence,
            words=tuple(map(self._word, result.words)),
            speaker=None if result.speaker.lower() in _NOBODY else result.speaker,
        )

    def rest(self, until: int) -> Iterator[Heard]:
        """Yield what is left when the audio has ended at sample ``until``."""
        yield from self._silence(until)

    def _silence(self, until: int, *, speaks: bool = False) -> Iterator[Heard]:
        if self._speaking_since is not None and not speaks:
            yield SpeechEnded(max(until, self._speaking_since))
            self._speaking_since = None
        if until > self.settled:
            yield Silence(Span(self.settled, until))
            self.settled = until

    def _word(self, word: SpokenWord) -> Word:
        start, end = self._at(word.offset_ticks), self._at(word.offset_ticks + word.duration_ticks)
        return Word(word.text, to_ms(start), to_ms(end), word.confidence)

    def _at(self, ticks: int) -> int:
        return self._start + ticks * SAMPLE_RATE_HZ // _TICKS_PER_S
