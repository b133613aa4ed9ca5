"""What the rules of endpointing cost in words: the table behind ``EndpointRules``."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.clips import CONDITIONS, Call, Clip
from bench.ours import StreamLane
from bench.report import Claim, Section, Table
from bench.scoring import word_error_rate
from dragoman.audio.pcm import from_float, to_float
from dragoman.audio.segmenter import EndpointRules
from dragoman.domain.audio import SAMPLE_RATE_HZ
from dragoman.domain.language import LidMode
from dragoman.domain.speech import Hypothesis
from dragoman.engines.whisper.detector import SileroDetector

_METHOD: Final = """\
The product's path as in section 1, with other rules: thresholds at which speech begins and goes on, audio taken along \
before and after it, and whether the detector is reset when an utterance ends. Word error rates; "calls" are the five \
recordings as one stream each. The last column counts texts invented for 30 s each of white noise (σ 0.1 and 0.3), \
mains hum, a tone and a beating chord. The first row is what Silero's authors recommend, the last what we ship."""

_RULES: Final = (
    (EndpointRules(0.5, 0.35, pre_roll_ms=192, post_roll_ms=128), False),
    (EndpointRules(0.5, 0.35, pre_roll_ms=192, post_roll_ms=128), True),
    (EndpointRules(0.5, 0.35, pre_roll_ms=320, post_roll_ms=320), True),
    (EndpointRules(0.3, 0.15, pre_roll_ms=320, post_roll_ms=320), True),
    (EndpointRules(0.5, 0.35, pre_roll_ms=480, post_roll_ms=320), True),
    (EndpointRules(), True),
)
_NOISE_S: Final = 30


class _NeverReset(SileroDetector):
    """Keeps its state from utterance to utterance."""

    def __init__(self) -> None:
        super().__init__()
        self._started = True

    def reset(self) -> None:
        if not hasattr(self, "_started"):
            super().reset()


def measure_endpointing(clips: Sequence[Clip], calls: Sequence[Call], model: str) -> Section:
    """Transcribe clips, calls and noises under every rule."""
    rows = tuple(_row(rules, clips, calls, model, resets=resets) for rules, resets in _RULES)
    columns = (
        "Speech / silence",
        "Roll, ms",
        "Reset",
        "Clips",
        "Clips, telephone",
        "Calls",
        "Calls, telephone",
        "Invented",
    )
    shipped = rows[-1]
    claims = (Claim("Texts invented for noise, hum and tones", str(shipped[-1]), "0", shipped[-1] == 0),)
    return Section("6 · Endpointing", _METHOD, (Table("Word error rates", columns, rows),), claims)


def _row(
    rules: EndpointRules, clips: Sequence[Clip], calls: Sequence[Call], model: str, *, resets: bool
) -> tuple[str | float | int, ...]:
    lane = StreamLane(model, rules, SileroDetector if resets else _NeverReset)
    texts = [(clip.condition, clip.text, lane.transcribe(clip.pcm)[0]) for clip in clips]
    telephone = CONDITIONS["telephone"]
    on_the_line = [(call, from_float(telephone(to_float(call.pcm), 0))) for call in calls]
    invented = sum(bool(item.text) for noise in _noises() for item in _finals(lane, from_float(noise)))
    row = (
        f"{rules.speech_threshold} / {rules.silence_threshold}",
        f"{rules.pre_roll_ms} / {rules.post_roll_ms}",
        "yes" if resets else "no",
        word_error_rate((true, said) for _, true, said in texts),
        word_error_rate((true, said) for condition, true, said in texts if condition == "telephone"),
        word_error_rate((_text(call), lane.transcribe(call.pcm)[0]) for call in calls),
        word_error_rate((_text(call), lane.transcribe(pcm)[0]) for call, pcm in on_the_line),
        invented,
    )
    lane.close()
    return row


def _finals(lane: StreamLane, pcm: bytes) -> list[Hypothesis]:
    return [item for item in lane.hear(pcm, LidMode.CONTINUOUS) if isinstance(item, Hypothesis)]


def _text(call: Call) -> str:
    return " ".join(sentence.text for sentence in call.sentences)


def _noises() -> list[NDArray[np.float32]]:
    seconds = np.arange(_NOISE_S * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    white = np.random.default_rng(0).standard_normal(seconds.size)
    beat = np.sin(2 * np.pi * 2 * seconds) > 0

    def sine(hz: float) -> NDArray[np.float64]:
        return np.asarray(np.sin(2 * np.pi * hz * seconds))

    sounds = (
        0.1 * white,
        0.3 * white,
        0.3 * sine(50) + 0.1 * sine(150),
        0.3 * sine(440),
        0.1 * beat * (sine(262) + sine(330) + sine(392) + sine(523)),
    )
    return [np.clip(sound, -1, 1).astype(np.float32) for sound in sounds]
