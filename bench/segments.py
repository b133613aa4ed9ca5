"""Question 1: what one short clip costs, and how well it is understood."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from faster_whisper import WhisperModel

from bench.clips import CONDITIONS, Clip, balanced
from bench.machine import Cost, measure
from bench.ours import StreamLane
from bench.report import Cell, Claim, Section, Table
from bench.scoring import word_error_rate
from dragoman.domain.language import base_language

Lane = Callable[[Clip], tuple[str, str]]

OURS: Final = "Dragoman"
THEIRS: Final = "WhisperModel.transcribe"
_TOLD: Final = f"{THEIRS}, beam_size=1, language given"

_METHOD: Final = """\
Each clip goes through the lanes in turn, in an order that rotates from clip to clip; lanes with fewer clips got one \
of each sentence, the conditions in turn. Dragoman gets frames of 100 ms and does what it does for a stream: VAD, \
endpointing, language identification among 4 candidates, greedy decoding in a right-sized window, guards. \
faster-whisper gets the array and chooses among the languages that the model knows; unless one is given, it encodes \
each clip twice. Noise is white, 20 dB below the clip's mean power, after a gain of −12 dB."""


@dataclass(frozen=True, slots=True)
class _Trial:
    clip: Clip
    text: str
    language: str
    cost: Cost


_Trials = Mapping[str, Sequence[_Trial]]


def measure_segments(clips: Sequence[Clip], whisper: WhisperModel, model: str) -> Section:
    """Compare all lanes; the two main ones on all clips, the others on a balanced quarter."""
    stream = StreamLane(model)
    main: dict[str, Lane] = {OURS: lambda clip: stream.transcribe(clip.pcm), THEIRS: _peer(whisper)}
    side: dict[str, Lane] = {
        f"{THEIRS}, vad_filter": _peer(whisper, vad_filter=True),
        f"{THEIRS}, beam_size=1": _peer(whisper, beam_size=1),
        _TOLD: _peer(whisper, beam_size=1, told=True),
    }
    for lane in [*main.values(), *side.values()]:
        lane(clips[0])  # warms up
    stream.scheduler.windows_again = stream.scheduler.full_windows = stream.suppressed = 0
    quarter = {id(clip) for clip in balanced(clips)}
    trials: dict[str, list[_Trial]] = {name: [] for name in [*main, *side]}
    for turn, clip in enumerate(clips):
        lanes = list((main | side if id(clip) in quarter else main).items())
        for name, lane in _rotated(lanes, turn):
            trials[name].append(_try(lane, clip))
    stream.close()
    guard = Table(
        "Guards",
        ("Clips", "Windows encoded again", "of these full ones", "Text left out as invented"),
        ((len(clips), stream.scheduler.windows_again, stream.scheduler.full_windows, stream.suppressed),),
    )
    return Section(
        "1 · Short clips",
        _METHOD,
        (
            Table("Cost of a clip", _COST_COLUMNS, tuple(_cost_row(name, done) for name, done in trials.items())),
            _quality(trials),
            _by_condition(trials),
            guard,
        ),
        _claims(trials[OURS], trials[THEIRS]),
    )


_COST_COLUMNS: Final = ("Lane", "Clips", "CPU ms, median", "mean", "best", "worst", "Wall ms, median")


def _peer(whisper: WhisperModel, *, beam_size: int = 5, vad_filter: bool = False, told: bool = False) -> Lane:
    def transcribe(clip: Clip) -> tuple[str, str]:
        language = base_language(clip.locale) if told else None
        segments, info = whisper.transcribe(clip.samples, beam_size=beam_size, vad_filter=vad_filter, language=language)
        return " ".join(segment.text for segment in segments), info.language

    return transcribe


def _try(lane: Lane, clip: Clip) -> _Trial:
    (text, language), cost = measure(lambda: lane(clip))
    return _Trial(clip, text, base_language(language), cost)


def _rotated(lanes: list[tuple[str, Lane]], turn: int) -> list[tuple[str, Lane]]:
    first = turn % len(lanes)
    return lanes[first:] + lanes[:first]


def _mean_cpu_ms(trials: Sequence[_Trial]) -> float:
    return 1000 * sum(trial.cost.cpu_s for trial in trials) / len(trials)


def _cost_row(name: str, trials: Sequence[_Trial]) -> tuple[Cell, ...]:
    cpu_ms = [1000 * trial.cost.cpu_s for trial in trials]
    wall_ms = median(1000 * trial.cost.wall_s for trial in trials)
    return name, len(trials), median(cpu_ms), _mean_cpu_ms(trials), min(cpu_ms), max(cpu_ms), wall_ms


def _under(condition: str, trials: Sequence[_Trial]) -> list[_Trial]:
    return [trial for trial in trials if trial.clip.condition == condition]


def _wer(trials: Sequence[_Trial]) -> float:
    return word_error_rate((trial.clip.text, trial.text) for trial in trials)


def _quality(trials: _Trials) -> Table:
    """Set each lane beside ours on the clips that the lane was given."""

    def row(name: str, done: Sequence[_Trial]) -> tuple[Cell, ...]:
        given = {id(trial.clip) for trial in done}
        ours = [trial for trial in trials[OURS] if id(trial.clip) in given]
        right = sum(trial.language == base_language(trial.clip.locale) for trial in done)
        return name, len(done), _wer(done), _wer(ours), None if name == _TOLD else right / len(done)

    columns = ("Lane", "Clips", "WER", f"WER of {OURS} on them", "LID accuracy")
    return Table("Quality", columns, tuple(row(name, done) for name, done in trials.items()))


def _by_condition(trials: _Trials) -> Table:
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (name, *(_wer(_under(condition, done)) for condition in CONDITIONS)) for name, done in trials.items()
    )
    return Table("WER by condition", ("Lane", *CONDITIONS), rows)


def _claims(ours: Sequence[_Trial], theirs: Sequence[_Trial]) -> tuple[Claim, ...]:
    ratio = _mean_cpu_ms(theirs) / _mean_cpu_ms(ours)
    gap = _wer(ours) - _wer(theirs)
    gaps = {condition: _wer(_under(condition, ours)) - _wer(_under(condition, theirs)) for condition in CONDITIONS}
    worst = max(gaps, key=lambda condition: gaps[condition])
    return (
        Claim(f"CPU of a short clip, {THEIRS} ÷ {OURS}", f"{ratio:.1f}×", "≥ 5×", ratio >= 5),
        Claim(f"WER on short clips, {OURS} − {THEIRS}", f"{gap:+.3f}", "≤ +0.05", gap <= 0.05),
        Claim("The same in the worst condition", f"{gaps[worst]:+.3f}, {worst}", "≤ +0.05", gaps[worst] <= 0.05),
    )
