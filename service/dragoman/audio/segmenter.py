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

    Chosen on the sample calls, clean and in telephone band (docs/decisions/0005). Silero's own thresholds, 0.5 and
    0.35, find speech in telephone band late. ``pause_ms`` of silence is when a live stream begins to work on a final
    that may still be taken back.
    """

    speech_threshold: float = 0.4
    silence_threshold: float = 0.25
    min_speech_ms: int = 96
    min_silence_ms: int = 320
    pause_ms: int = 96
    pre_roll_ms: int = 480
    post_roll_ms: int = 320
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
    start: int  # on the grid of windows
    probabilities: list[float] = field(default_factory=list)
    voiced: int = 0  # windows at or above the speech threshold
    last_voiced: int = 0  # index just after the last of them
    announced: bool = False

    @property
    def silent_windows(self) -> int:
        """Windows since the last one that was not silent."""
        return len(self.probabilities) - self.last_voiced


class Segmenter:
    """Consumes one probability per window, in order, and reports onsets and finished segments.

    Segments never overlap, never reach before the end of the one before them, and never beyond the audio heard.
    ``start`` is where the first window begins.
    """

    def __init__(self, rules: EndpointRules, start: int = 0) -> None:
        self._rules = rules
        self._at = start  # where the next window begins
        self._floor = start  # end of the last segment or flush
        self._open: _Open | None = None
        self._min_speech = _windows(rules.min_speech_ms)
        self._min_silence = _windows(rules.min_silence_ms)
        self._pause = _windows(rules.pause_ms)
        self._max_windows = _windows(rules.max_segment_ms - rules.pre_roll_ms - rules.post_roll_ms)

    @property
    def open_speech(self) -> Span | None:
        """The announced speech so far that no segment holds yet."""
        if self._open is None or not self._open.announced:
            return None
        return self._speech(self._open, self._open.last_voiced, self._at)

    @property
    def settled(self) -> int:
        """Position up to which nothing can become part of a later segment."""
        start = self._at if self._open is None else self._open.start
        return max(self._floor, start - to_samples(self._rules.pre_roll_ms))

    @property
    def windows_to_silence(self) -> int:
        """How many windows, at least, must still come before silence can end a segment."""
        return self._min_silence - (self._open.silent_windows if self._open else 0)

    def closing(self, heard: int) -> Segment | None:
        """Return the segment that would end here if nobody spoke any more; ``None`` while somebody does.

        ``heard`` is where the audio ends. A short pause is enough: what is asked for early may be dropped again.
        """
        open_ = self._open
        if open_ is None or not open_.announced or open_.silent_windows < self._pause:
            return None
        return self._segment(open_, open_.last_voiced, heard, "silence")

    def push(self, probability: float, heard: int | None = None) -> list[Onset | Segment]:
        """Advance by one window; return what became certain.

        ``heard`` is where the audio ends, if it ends within this window.
        """
        at = self._at
        self._at += WINDOW_SAMPLES
        if self._open is None:
            if probability < self._rules.speech_threshold:
                return []
            self._open = _Open(at)
        return self._extend(self._open, probability, at + WINDOW_SAMPLES if heard is None else heard)

    def close(self, heard: int, reason: Literal["flush", "end"]) -> list[Onset | Segment]:
        """Close the open segment where the audio heard so far ends; the next segment starts after it."""
        found: list[Onset | Segment] = []
        if self._open is not None and self._open.announced:
            found.append(self._cut(self._open, self._open.last_voiced, heard, reason))
        self._open = None
        self._floor = max(self._floor, heard)
        return found

    def _extend(self, open_: _Open, probability: float, heard: int) -> list[Onset | Segment]:
        open_.probabilities.append(probability)
        if probability >= self._rules.speech_threshold:
            open_.voiced += 1
        # Between the thresholds a sound goes on being speech, but none begins.
        if probability >= self._rules.silence_threshold:
            open_.last_voiced = len(open_.probabilities)
        found: list[Onset | Segment] = []
        if not open_.announced and open_.voiced >= self._min_speech:
            open_.announced = True
            found.append(Onset(max(open_.start, self._floor)))
        if open_.silent_windows >= self._min_silence:
            if open_.announced:
                found.append(self._cut(open_, open_.last_voiced, heard, "silence"))
            self._open = None
        elif len(open_.probabilities) >= self._max_windows:
            found += self._cut_at_weakest(open_, heard)
        return found

    def _cut_at_weakest(self, open_: _Open, heard: int) -> list[Onset | Segment]:
        """Split an overlong segment where speech is least likely in its last third; the rest stays open."""
        length = len(open_.probabilities)
        cut = min(range(length * 2 // 3, length), key=lambda index: open_.probabilities[index]) + 1
        rest = open_.probabilities[cut:]
        found: list[Onset | Segment] = []
        if open_.announced:
            found.append(self._cut(open_, cut, min(open_.start + cut * WINDOW_SAMPLES, heard), "max"))
        self._open = None
        self._at -= len(rest) * WINDOW_SAMPLES
        for number, probability in enumerate(rest, 1):
            found += self.push(probability, heard if number == len(rest) else None)
        return found

    def _cut(self, open_: _Open, voiced: int, heard: int, reason: EndReason) -> Segment:
        segment = self._segment(open_, voiced, heard, reason)
        self._floor = segment.covers.end
        return segment

    def _segment(self, open_: _Open, voiced: int, heard: int, reason: EndReason) -> Segment:
        speech = self._speech(open_, voiced, heard)
        start = max(self._floor, speech.start - to_samples(self._rules.pre_roll_ms))
        end = min(speech.end + to_samples(self._rules.post_roll_ms), heard)
        return Segment(Span(start, end), speech, reason)

    def _speech(self, open_: _Open, voiced: int, heard: int) -> Span:
        # After a flush within a window, the grid of windows begins before the floor.
        start = max(open_.start, self._floor)
        return Span(start, max(start, min(open_.start + voiced * WINDOW_SAMPLES, heard)))


def _windows(ms: int) -> int:
    return max(1, to_samples(ms) // WINDOW_SAMPLES)
