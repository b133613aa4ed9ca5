"""Endpointing: a pure state machine from speech probabilities to segments."""

from dataclasses import dataclass, field
from typing import Final, Literal

from dragoman.domain.audio import Span, to_samples

WINDOW_SAMPLES: Final = 512
"""Length of the window that one probability describes: 32 ms, as Silero VAD needs it."""

EndReason = Literal["silence", "max", "flush", "end"]


@dataclass(frozen=True, slots=True)
class EndpointRules:
    """When speech begins and ends.

    The two thresholds are Silero's defaults (0.5, and 0.15 below it). ``min_silence_ms`` is chosen: pauses between
    the sentences of our sample calls are 0.4 s and longer, pauses within them shorter.
    """

    speech_threshold: float = 0.5
    silence_threshold: float = 0.35
    min_speech_ms: int = 96
    min_silence_ms: int = 352
    pre_roll_ms: int = 192
    post_roll_ms: int = 128
    max_segment_ms: int = 14_000


@dataclass(frozen=True, slots=True)
class Onset:
    """Speech began at sample ``at``."""

    at: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch judged to be speech: ``speech`` and, around it, the roll that ``covers`` adds."""

    covers: Span
    speech: Span
    reason: EndReason


@dataclass(slots=True)
class _Open:
    start: int
    probabilities: list[float] = field(default_factory=list)
    voiced: int = 0  # windows at or above the speech threshold
    last_voiced: int = 0  # index just after the last of them
    announced: bool = False


class Segmenter:
    """Consumes one probability per window, in order, and reports onsets and finished segments.

    Segments never overlap, and a segment never reaches before ``floor``, the end of the one before it.
    """

    def __init__(self, rules: EndpointRules) -> None:
        self._rules = rules
        self._window = 0
        self._floor = 0
        self._open: _Open | None = None
        self._min_speech = _windows(rules.min_speech_ms)
        self._min_silence = _windows(rules.min_silence_ms)
        self._max_windows = _windows(rules.max_segment_ms - rules.pre_roll_ms - rules.post_roll_ms)

    @property
    def open_speech(self) -> Span | None:
        """The announced speech so far that no segment holds yet."""
        if self._open is None or not self._open.announced:
            return None
        return Span(self._open.start, self._open.start + self._open.last_voiced * WINDOW_SAMPLES)

    @property
    def settled(self) -> int:
        """Position up to which nothing can become part of a later segment."""
        start = self._window * WINDOW_SAMPLES if self._open is None else self._open.start
        return max(self._floor, start - to_samples(self._rules.pre_roll_ms))

    def push(self, probability: float) -> list[Onset | Segment]:
        """Advance by one window; return what became certain."""
        at = self._window * WINDOW_SAMPLES
        self._window += 1
        if self._open is None:
            if probability < self._rules.speech_threshold:
                return []
            self._open = _Open(max(at, self._floor))
        return self._extend(self._open, probability)

    def close(self, at: int, reason: Literal["flush", "end"]) -> list[Onset | Segment]:
        """Close the open segment at sample ``at``, up to which audio was heard; the next one starts after it."""
        found: list[Onset | Segment] = []
        if self._open is not None and self._open.announced:
            found.append(self._cut(self._open, self._open.last_voiced, at, reason))
        self._open = None
        self._floor = max(self._floor, at)
        return found

    def _extend(self, open_: _Open, probability: float) -> list[Onset | Segment]:
        open_.probabilities.append(probability)
        length = len(open_.probabilities)
        if probability >= self._rules.speech_threshold:
            open_.voiced += 1
        # Between the thresholds a sound goes on being speech, but none begins.
        if probability >= self._rules.silence_threshold:
            open_.last_voiced = length
        found: list[Onset | Segment] = []
        if not open_.announced and open_.voiced >= self._min_speech:
            open_.announced = True
            found.append(Onset(open_.start))
        if length - open_.last_voiced >= self._min_silence:
            if open_.announced:
                found.append(self._cut(open_, open_.last_voiced, self._window * WINDOW_SAMPLES, "silence"))
            self._open = None
        elif length >= self._max_windows:
            found += self._cut_at_weakest(open_)
        return found

    def _cut_at_weakest(self, open_: _Open) -> list[Onset | Segment]:
        """Split an overlong segment where speech is least likely in its last third; the rest stays open."""
        length = len(open_.probabilities)
        first = length * 2 // 3
        cut = min(range(first, length), key=lambda index: open_.probabilities[index]) + 1
        rest = open_.probabilities[cut:]
        at = open_.start + cut * WINDOW_SAMPLES
        found: list[Onset | Segment] = []
        if open_.announced:
            found.append(self._cut(open_, cut, at, "max"))
        self._open = None
        self._window -= len(rest)
        for probability in rest:
            found += self.push(probability)
        return found

    def _cut(self, open_: _Open, voiced_end: int, heard: int, reason: EndReason) -> Segment:
        speech = Span(open_.start, min(open_.start + voiced_end * WINDOW_SAMPLES, heard))
        start = max(self._floor, speech.start - to_samples(self._rules.pre_roll_ms))
        end = min(speech.end + to_samples(self._rules.post_roll_ms), heard)
        self._floor = end
        return Segment(Span(start, end), speech, reason)


def segment_spans(probabilities: list[float], rules: EndpointRules) -> list[Segment]:
    """Return the segments of a whole recording, given one probability per window."""
    segmenter = Segmenter(rules)
    found = [item for probability in probabilities for item in segmenter.push(probability)]
    found += segmenter.close(len(probabilities) * WINDOW_SAMPLES, "end")
    return [item for item in found if isinstance(item, Segment)]


def _windows(ms: int) -> int:
    return max(1, to_samples(ms) // WINDOW_SAMPLES)
