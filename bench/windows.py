"""Question 3: how much padding must follow the speech in a right-sized window."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from bench.clips import Clip, balanced
from bench.machine import Cost, measure
from bench.report import Cell, Section, Table
from bench.scoring import word_error_rate
from dragoman.domain.audio import SAMPLE_RATE_HZ
from dragoman.domain.language import base_language
from dragoman.engines.whisper.folder import WhisperOptions
from dragoman.engines.whisper.guards import GuardRules, Outcome, doubts
from dragoman.engines.whisper.model import FULL_WINDOW_FRAMES, Decoded, DecodeJob, RightSizedWhisper

_MARGINS: Final = (0, 25, 50, 75, 100, 150, 300, 1_500)

_METHOD: Final = """\
A clip of each sentence, the conditions in turn, is encoded with a margin (frames of 10 ms of padding; windows are \
rounded up to 50 frames) and decoded greedily in its true language, once, without VAD. The last column says how many \
texts the guards would doubt. `WhisperOptions.margin_frames` is 100."""


@dataclass(frozen=True, slots=True)
class _Trial:
    clip: Clip
    decoded: Decoded
    cost: Cost

    @property
    def is_doubted(self) -> bool:
        decoded, length_s = self.decoded, len(self.clip.pcm) / 2 / SAMPLE_RATE_HZ
        outcome = Outcome(decoded.text, decoded.avg_log_prob, decoded.no_speech, None, False, decoded.truncated)
        return bool(doubts(outcome, speech_s=length_s, speech_end_s=length_s, rules=GuardRules()))


def measure_windows(clips: Sequence[Clip], model: str) -> Section:
    """Decode a quarter of the clips with every margin, interleaved."""
    whispers = {str(margin): _load(model, margin) for margin in _MARGINS} | {"full window": _load(model, 0)}
    trials: dict[str, list[_Trial]] = {name: [] for name in whispers}
    for name, whisper in whispers.items():
        _try(whisper, clips[0], full_window=name not in map(str, _MARGINS))  # warms up
    for clip in balanced(clips):
        for name, whisper in whispers.items():
            trials[name].append(_try(whisper, clip, full_window=name not in map(str, _MARGINS)))
    rows = tuple(_row(name, done) for name, done in trials.items())
    columns = ("Margin", "Clips", "WER", "CPU ms, median", "mean", "Log-probability, mean", "Doubted")
    return Section("3 · Right-sized windows", _METHOD, (Table("Encode and decode", columns, rows),))


def _load(model: str, margin: int) -> RightSizedWhisper:
    return RightSizedWhisper(WhisperOptions(model=model, threads=1, margin_frames=margin))


def _try(whisper: RightSizedWhisper, clip: Clip, *, full_window: bool) -> _Trial:
    samples = clip.samples

    def decode() -> Decoded:
        margin_frames = FULL_WINDOW_FRAMES if full_window else None
        job = DecodeJob(whisper.encode(samples, margin_frames), base_language(clip.locale))
        return whisper.generate([job])[0]

    return _Trial(clip, *measure(decode))


def _row(name: str, trials: Sequence[_Trial]) -> tuple[Cell, ...]:
    wer = word_error_rate((trial.clip.text, trial.decoded.text) for trial in trials)
    cpu_ms = [1000 * trial.cost.cpu_s for trial in trials]
    log_prob = math.fsum(trial.decoded.avg_log_prob for trial in trials) / len(trials)
    doubted = sum(trial.is_doubted for trial in trials)
    return name, len(trials), wer, median(cpu_ms), sum(cpu_ms) / len(cpu_ms), log_prob, doubted
