"""Question 2: what a recording costs, from its path to the finished transcript."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from faster_whisper import BatchedInferencePipeline, WhisperModel

from bench.clips import Call, write_recording
from bench.machine import Cost, measure
from bench.ours import FileLane
from bench.report import Cell, Claim, Section, Table
from bench.scoring import word_error_rate
from dragoman.domain.audio import SAMPLE_RATE_HZ

Lane = Callable[[Path], str]

_OURS: Final = "Dragoman"
_THEIRS: Final = "BatchedInferencePipeline"

_METHOD: Final = """\
From the path of a WAV file to its whole text; models are loaded and warm. Dragoman decodes the file in its confined \
process, finds speech, identifies the language of every utterance and decodes greedily; its stages overlap, so wall \
time may be less than CPU time. faster-whisper identifies the language once per file, so the long file is one call, \
repeated. Its `chunk_length` defaults to \
what the model's preprocessor says (15 s for the bundled model) while it always encodes 30 s, so the calls \
go through `chunk_length=30` too. Lanes take turns; CPU includes child processes."""


@dataclass(frozen=True, slots=True)
class _Work:
    """Recordings that are transcribed one after another."""

    name: str
    recordings: tuple[tuple[Path, str], ...]  # each with its true text
    audio_s: float


@dataclass(frozen=True, slots=True)
class _Trial:
    texts: list[str]
    cost: Cost


_Trials = Mapping[str, Sequence[_Trial]]


def measure_files(calls: Sequence[Call], whisper: WhisperModel, model: str, *, rounds: int, repeats: int) -> Section:
    """Compare all lanes on the calls, and on a long recording: the first call ``repeats`` times over."""
    ours = FileLane(model)
    lanes: dict[str, Lane] = {
        _OURS: ours.text,
        _THEIRS: _peer(whisper),
        f"{_THEIRS}, without_timestamps=False, beam_size=1": _peer(whisper, without_timestamps=False, beam_size=1),
    }
    wider = lanes | {f"{_THEIRS}, chunk_length=30": _peer(whisper, chunk_length=30)}
    for lane in wider.values():
        lane(calls[0].path)  # warms up
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.wav"
        write_recording(path, calls[0].pcm * repeats)
        short = _Work("the calls", tuple((call.path, call.text) for call in calls), sum(map(_seconds, calls)))
        long = _Work("a long file", ((path, " ".join([calls[0].text] * repeats)),), _seconds(calls[0]) * repeats)
        measured = [(short, _take_turns(wider, short, rounds)), (long, _take_turns(lanes, long, rounds))]
    ours.close()
    tables = tuple(_table(work, trials) for work, trials in measured)
    return Section("2 · Files", _METHOD, tables, tuple(claim for each in measured for claim in _claims(*each)))


def _take_turns(lanes: Mapping[str, Lane], work: _Work, rounds: int) -> _Trials:
    trials: dict[str, list[_Trial]] = {name: [] for name in lanes}
    for _ in range(rounds):
        for name, lane in lanes.items():
            trials[name].append(_try(lane, work))
    return trials


def _try(lane: Lane, work: _Work) -> _Trial:
    return _Trial(*measure(lambda: [lane(path) for path, _ in work.recordings]))


def _peer(
    whisper: WhisperModel, *, beam_size: int = 5, without_timestamps: bool = True, chunk_length: int | None = None
) -> Lane:
    pipeline = BatchedInferencePipeline(whisper)

    def transcribe(path: Path) -> str:
        segments, _ = pipeline.transcribe(
            str(path), beam_size=beam_size, without_timestamps=without_timestamps, chunk_length=chunk_length
        )
        return " ".join(segment.text for segment in segments)

    return transcribe


def _seconds(call: Call) -> float:
    return len(call.pcm) / 2 / SAMPLE_RATE_HZ


def _table(work: _Work, trials: _Trials) -> Table:
    columns = ("Lane", "Runs", "Wall s, median", "min", "CPU s, median", "min", "RTF", "WER")
    rows = tuple(_row(name, work, done) for name, done in trials.items())
    return Table(f"{work.name}: {work.audio_s:.0f} s of audio".capitalize(), columns, rows)


def _row(name: str, work: _Work, trials: Sequence[_Trial]) -> tuple[Cell, ...]:
    wall_s = [trial.cost.wall_s for trial in trials]
    cpu_s = [trial.cost.cpu_s for trial in trials]
    wer = word_error_rate((truth, text) for (_, truth), text in zip(work.recordings, trials[0].texts, strict=True))
    rtf = median(wall_s) / work.audio_s
    return name, len(trials), median(wall_s), min(wall_s), median(cpu_s), min(cpu_s), f"{rtf:.4f}", wer


def _claims(work: _Work, trials: _Trials) -> tuple[Claim, Claim]:
    """Compare with the peer's defaults."""
    ours, theirs = ([trial.cost for trial in trials[name]] for name in (_OURS, _THEIRS))
    wall = median(cost.wall_s for cost in theirs) / median(cost.wall_s for cost in ours)
    cpu = median(cost.cpu_s for cost in theirs) / median(cost.cpu_s for cost in ours)
    return (
        Claim(f"Wall time of {work.name}, {_THEIRS} ÷ {_OURS}", f"{wall:.1f}×", "≥ 1×", wall >= 1),
        Claim(f"CPU of {work.name}, {_THEIRS} ÷ {_OURS}", f"{cpu:.1f}×", "≥ 1×", cpu >= 1),
    )
