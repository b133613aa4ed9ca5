"""Question 8: how fast an archive is worked off, with so many processes and calls of the model at once."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.clips import Call, write_recording
from bench.machine import ONE_THREAD
from bench.peers.environments import FOLDER
from bench.peers.grown import TINY, grow
from bench.report import Cell, Claim, Section, Table
from bench.scoring import word_error_rate
from dragoman.domain.audio import SAMPLE_RATE_HZ, SAMPLE_WIDTH_BYTES

_OURS, _THEIRS = "Dragoman", "BatchedInferencePipeline"
_SHAPES: Final = ((1, 1), (1, 2), (2, 1))
"""Processes, and within each of them threads or calls at once."""

_AT_ONCE: Final = 8
"""Recordings that Dragoman hears at once."""

_METHOD: Final = """\
All recordings of an archive are worked off by so many processes, each with its share; models are loaded and warm when \
the clock starts. Dragoman runs so many calls of the model at once, one thread each, and hears eight \
recordings at once, so that each call is a batch of several; BatchedInferencePipeline, which works on one at a time, \
gets so many threads. Short: the four calls, four times over. Long: two recordings of ten minutes. The micro model \
costs less than all around it, so it is grown to the size of Whisper tiny too: the same words, real work."""


@dataclass(frozen=True, slots=True)
class _Archive:
    name: str
    recordings: tuple[tuple[str, str], ...]  # paths, each with its true text
    audio_s: float


def measure_archive(calls: Sequence[Call], model: str, *, quick: bool) -> Section:
    """Work off both archives in every shape, with the model as it is and grown to the size of Whisper tiny."""
    tiny = grow(Path(model), TINY, FOLDER / "models" / f"whisper-{TINY.name}")
    rows: list[tuple[Cell, ...]] = []
    fastest: dict[tuple[str, str], float] = {}
    with tempfile.TemporaryDirectory() as folder:
        archives = _archives(calls, Path(folder), quick=quick)
        for name, chosen in (("micro", model), (TINY.name, str(tiny))):
            for archive in archives:
                for lane in (_OURS, _THEIRS):
                    for processes, threads in _SHAPES:
                        wall_s, cpu_s, wer = _work_off(lane, archive, chosen, processes, threads)
                        speed = archive.audio_s / wall_s
                        rows.append((name, archive.name, lane, processes, threads, wall_s, cpu_s, round(speed), wer))
                        if name == TINY.name:
                            fastest[archive.name, lane] = max(speed, fastest.get((archive.name, lane), 0.0))
    columns = ("Model", "Archive", "Lane", "Processes", "Threads", "Wall s", "CPU s", "× real time", "WER")
    claims = tuple(
        Claim(f"Throughput of {name} recordings, tiny, best ÷ their best", f"{ratio:.1f}×", f"≥ {goal}×", ratio >= goal)
        for name, goal in (("short", 3), ("long", 1))
        for ratio in [fastest[name, _OURS] / fastest[name, _THEIRS]]
    )
    return Section("8 · Archive", _METHOD, (Table("Working off an archive", columns, tuple(rows)),), claims)


def _archives(calls: Sequence[Call], folder: Path, *, quick: bool) -> tuple[_Archive, _Archive]:
    times, repeats = (1, 2) if quick else (4, 13)
    short = [(str(call.path), call.text) for call in calls] * times
    long = []
    for number in range(2):
        path = folder / f"{number}.wav"
        write_recording(path, calls[number].pcm * repeats)
        long.append((str(path), " ".join([calls[number].text] * repeats)))
    return (
        _Archive("short", tuple(short), times * sum(_seconds(call.pcm) for call in calls)),
        _Archive("long", tuple(long), repeats * sum(_seconds(call.pcm) for call in calls[:2])),
    )


def _work_off(lane: str, archive: _Archive, model: str, processes: int, threads: int) -> tuple[float, float, float]:
    """Return wall and processor seconds, and the word error rate."""
    environment = {**os.environ, **ONE_THREAD, "OMP_NUM_THREADS": str(threads if lane == _THEIRS else 1)}
    workers = []
    for number in range(processes):
        share = [path for path, _ in archive.recordings[number::processes]]
        command = [sys.executable, "-m", "bench.archive", lane, model, str(threads), *share]
        workers.append(
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        )
    for worker in workers:
        assert worker.stdout
        assert worker.stdout.readline() == "ready\n"
    began_s = time.perf_counter()
    for worker in workers:
        assert worker.stdin
        worker.stdin.write("go\n")
        worker.stdin.flush()
    done = [json.loads(worker.communicate()[0]) for worker in workers]
    wall_s = time.perf_counter() - began_s
    texts = {path: text for each in done for path, text in each["texts"].items()}
    wer = word_error_rate((truth, texts[path]) for path, truth in archive.recordings)
    return wall_s, sum(each["cpu_s"] for each in done), wer


def _seconds(pcm: bytes) -> float:
    return len(pcm) / SAMPLE_WIDTH_BYTES / SAMPLE_RATE_HZ


def _ours(model: str, threads: int) -> Callable[[Sequence[str]], dict[str, str]]:
    from dragoman import Recording, Runtime, Settings, Wishes
    from dragoman.domain.events import TranscriptFinal

    runtime = Runtime(Settings(model=model, threads=1, workers=threads, translation_models=()))

    async def one(path: str, turn: asyncio.Semaphore) -> tuple[str, str]:
        async with turn:
            events = runtime.transcribe(Recording(path), Wishes())
            return path, " ".join([event.text async for event in events if isinstance(event, TranscriptFinal)])

    async def all_(paths: Sequence[str]) -> dict[str, str]:
        turn = asyncio.Semaphore(_AT_ONCE)
        return dict(await asyncio.gather(*(one(path, turn) for path in paths)))

    return lambda paths: asyncio.run(all_(paths))


def _theirs(model: str, threads: int) -> Callable[[Sequence[str]], dict[str, str]]:
    from faster_whisper import BatchedInferencePipeline, WhisperModel

    pipeline = BatchedInferencePipeline(WhisperModel(model, device="cpu", compute_type="int8", cpu_threads=threads))

    def work(paths: Sequence[str]) -> dict[str, str]:
        return {path: " ".join(segment.text for segment in pipeline.transcribe(path)[0]) for path in paths}

    return work


def _main(lane: str, model: str, threads: int, paths: Sequence[str]) -> None:
    from bench.machine import measure

    work = {_OURS: _ours, _THEIRS: _theirs}[lane](model, threads)
    work(paths[:1])  # warms up
    print("ready", flush=True)
    sys.stdin.readline()
    texts, cost = measure(lambda: work(paths))
    print(json.dumps({"texts": texts, "cpu_s": cost.cpu_s}))


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:])
