"""From frames to silence and segments: the ear of every engine that works utterance by utterance."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dragoman.audio.rolling import RollingAudio
from dragoman.audio.segmenter import WINDOW_SAMPLES, EndpointRules, Onset, Segment, Segmenter
from dragoman.domain.audio import AudioFrame, Span, to_ms, to_samples
from dragoman.domain.speech import Silence, SpeechEnded, SpeechStarted
from dragoman.engines.ports import SpeechDetector

_SILENCE_STEP_SAMPLES: Final = to_samples(1_000)
"""A long silence is reported in steps of at least this length, so that nothing has to wait for its end."""

_LOOK_AFTER_MS: Final = 480
_LOOK_SHARE: Final = 0.15
"""Speech is looked at again when it has grown by so much, and by this share: what is long need not be read so often."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A finished segment and its audio, shape ``(segment.covers.samples,)``."""

    segment: Segment
    samples: NDArray[np.float32]

    @property
    def speech(self) -> Span:
        """The part in which somebody speaks."""
        return self.segment.speech

    @property
    def heard(self) -> int:
        """Position up to which audio is known."""
        return self.segment.covers.end


@dataclass(frozen=True, slots=True)
class _Unfinished:
    """Speech that still goes on, and its audio so far."""

    speech: Span
    samples: NDArray[np.float32]

    @property
    def heard(self) -> int:
        """Position up to which audio is known."""
        return self.speech.end


class Beginning(_Unfinished):
    """The beginning of speech, for who must decide before it ends."""

    __slots__ = ()


class Growing(_Unfinished):
    """Speech so far, for who wants to show it before it ends."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Closing:
    """What will be ``spoken`` if the silence goes on: a ``Spoken`` of the same speech follows, or none."""

    spoken: Spoken

    @property
    def speech(self) -> Span:
        """The part in which somebody speaks."""
        return self.spoken.speech

    @property
    def samples(self) -> NDArray[np.float32]:
        """Its audio so far."""
        return self.spoken.samples

    @property
    def heard(self) -> int:
        """Position up to which audio is known."""
        return self.spoken.heard


Sound = SpeechStarted | SpeechEnded | Silence | Spoken | Beginning | Growing | Closing


class Hearing:
    """Cuts one stream: its silences and segments follow each other without gap or overlap.

    ``beginnings_ms`` asks for a ``Beginning`` each time the stream's speech reaches one of these lengths while
    somebody is speaking; ``live`` for ``Growing`` and ``Closing``. The stream begins at sample ``start``.
    """

    def __init__(
        self,
        detector: SpeechDetector,
        rules: EndpointRules,
        beginnings_ms: Sequence[int] = (),
        *,
        live: bool = False,
        start: int = 0,
    ) -> None:
        self._detector = detector
        self._segmenter = Segmenter(rules, start)
        self._audio = RollingAudio(start)
        self._pre_roll = to_samples(rules.pre_roll_ms)
        self._incomplete = np.zeros(0, np.float32)  # samples of a window that has not ended
        self._settled = start  # reported as silence or in a segment
        self._live = live
        self._shown: Span | None = None  # speech of the last Growing
        self._ended: Span | None = None  # and of the last Closing
        self._spoken_ms = 0
        self._beginnings_ms = sorted(beginnings_ms)

    def frame(self, frame: AudioFrame) -> list[Sound]:
        """Hear the next frame."""
        samples = np.concatenate([self._incomplete, self._audio.append(frame)])
        whole = samples.size - samples.size % WINDOW_SAMPLES
        self._incomplete = samples[whole:].copy()
        sounds = self._windows(samples[:whole].reshape(-1, WINDOW_SAMPLES))
        if (beginning := self._beginning()) is not None:
            sounds.append(beginning)
        elif self._live and (look := self._look()) is not None:
            sounds.append(look)
        elif self._segmenter.settled - self._settled >= _SILENCE_STEP_SAMPLES:
            sounds.append(self._silence_until(self._segmenter.settled))
        self._audio.forget(self._settled)
        return sounds

    def flush(self) -> list[Sound]:
        """Close the open segment now; audio that follows belongs to others."""
        return self._report(self._segmenter.close(self._audio.end, "flush"))

    def end(self) -> list[Sound]:
        """Settle everything that was heard."""
        sounds: list[Sound] = []
        if self._incomplete.size:
            window = np.pad(self._incomplete, (0, WINDOW_SAMPLES - self._incomplete.size))
            (probability,) = self._detector.probabilities(window[None])
            sounds += self._report(self._segmenter.push(probability, self._audio.end))
        sounds += self._report(self._segmenter.close(self._audio.end, "end"))
        if self._settled < self._audio.end:
            sounds.append(self._silence_until(self._audio.end))
        return sounds

    def _windows(self, windows: NDArray[np.float32]) -> list[Sound]:
        """Judge whole windows in batches that end no later than the next segment may: there the detector starts anew.

        Its recurrent state grows deaf in long calls of poor quality (docs/decisions/0005).
        """
        sounds: list[Sound] = []
        while len(windows):
            batch = self._segmenter.windows_to_silence
            found: list[Onset | Segment] = []
            for probability in self._detector.probabilities(windows[:batch]):
                found += self._segmenter.push(probability)
            if any(isinstance(item, Segment) and item.reason == "silence" for item in found):
                self._detector.reset()
            sounds += self._report(found)
            windows = windows[batch:]
        return sounds

    def _report(self, found: list[Onset | Segment]) -> list[Sound]:
        sounds: list[Sound] = []
        for item in found:
            if isinstance(item, Onset):
                sounds.append(SpeechStarted(item.at))
                continue
            if item.covers.start > self._settled:
                sounds.append(self._silence_until(item.covers.start))
            sounds.append(SpeechEnded(item.speech.end))
            sounds.append(Spoken(item, self._audio.cut(item.covers)))
            self._settled = item.covers.end
            self._spoken_ms += to_ms(item.speech.samples)
            self._forget_beginnings(self._spoken_ms)
        return sounds

    def _silence_until(self, end: int) -> Silence:
        span = Span(self._settled, end)
        self._settled = end
        return Silence(span)

    def _beginning(self) -> Beginning | None:
        speech = self._segmenter.open_speech
        if not self._beginnings_ms or speech is None:
            return None
        spoken_ms = self._spoken_ms + to_ms(speech.samples)
        if spoken_ms < self._beginnings_ms[0]:
            return None
        self._forget_beginnings(spoken_ms)
        start = max(self._settled, speech.start - self._pre_roll)
        return Beginning(speech, self._audio.cut(Span(start, speech.end)))

    def _look(self) -> Growing | Closing | None:
        """Return the open speech if it may be over, or has grown enough to be shown again."""
        speech = self._segmenter.open_speech
        if speech is None or speech == self._ended:
            return None
        if (segment := self._segmenter.closing(self._audio.end)) is not None:
            self._ended = segment.speech
            return Closing(Spoken(segment, self._audio.cut(segment.covers)))
        shown = self._shown.samples if self._shown and self._shown.start == speech.start else 0
        if speech.samples - shown < max(to_samples(_LOOK_AFTER_MS), round(speech.samples * _LOOK_SHARE)):
            return None
        self._shown = speech
        return Growing(speech, self._audio.cut(Span(max(self._settled, speech.start - self._pre_roll), speech.end)))

    def _forget_beginnings(self, spoken_ms: int) -> None:
        self._beginnings_ms = [ms for ms in self._beginnings_ms if ms > spoken_ms]
