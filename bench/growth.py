"""Question 7: what costs grow with, and what each room costs to import."""

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Final

from bench.clips import Call, write_recording
from bench.machine import measure
from bench.report import Cell, Section, Table
from dragoman import Recording, Runtime, Settings, Wishes
from dragoman.domain.audio import SAMPLE_RATE_HZ, SAMPLE_WIDTH_BYTES
from dragoman.resources import bundled_translators, samples_folder

_METHOD: Final = """\
Whole recordings through `Runtime`, loaded and warm, one thread; CPU includes child processes. Costs are per minute of \
audio, so a figure that stays the same means that the cost grows with the audio alone. The call is English, with the \
language open among four and no translation where a row says nothing else. Rooms are imported in fresh processes, \
each with all that it needs below it."""

_ROOMS: Final = ("domain", "audio", "client", "store", "engines.hearing", "pipeline.session", "runtime", "serving")
_LOCALES: Final = ("en-US", "es-ES", "de-DE", "fr-FR")

_Work = Callable[[], None]


def measure_growth(calls: Sequence[Call], model: str, *, rounds: int) -> Section:
    """Transcribe a call again and again, each time with more of something."""
    call = calls[0]
    settings = Settings(model=model, threads=1, workers=1, translation_models=bundled_translators("micro"))
    with tempfile.TemporaryDirectory() as folder, Runtime(settings) as runtime:

        def heard(path: Path, wishes: Wishes) -> _Work:
            return lambda: asyncio.run(_hear(runtime, path, wishes))

        def repeated(times: int) -> Path:
            path = Path(folder) / f"{times}.wav"
            write_recording(path, call.pcm * times)
            return path

        minutes = _minutes(call.pcm)
        works: dict[str, tuple[_Work, float]] = {}
        for count in (1, 2, 4):
            works[f"{count} candidates"] = heard(call.path, Wishes(list(_LOCALES[:count]))), minutes
        for count in (1, 2, 3):
            targets = [locale[:2] for locale in _LOCALES[1 : 1 + count]]
            works[f"{count} target languages"] = heard(call.path, Wishes(translate=targets)), minutes
        works["word times"] = heard(call.path, Wishes(word_times=True)), minutes
        for times in (1, 4, 16):
            works[f"{times * minutes:.1f} minutes of audio"] = heard(repeated(times), Wishes()), times * minutes
        for entry in _described("short_answers_de.flac", "de_call.wav", "monologue_de.flac"):
            utterances, audio_s = entry["utterances"], float(str(entry["duration_ms"])) / 1000
            assert isinstance(utterances, list)
            name = f"utterances of {audio_s / len(utterances):.1f} s ({entry['file']})"
            works[name] = heard(samples_folder() / "audio" / str(entry["file"]), Wishes()), audio_s / 60
        heard(call.path, Wishes(translate=["es"]))()  # warms up
        costs: dict[str, list[float]] = {name: [] for name in works}
        for _ in range(rounds):
            for name, (work, audio_min) in works.items():
                costs[name].append(measure(work)[1].cpu_s / audio_min)
    rows = tuple((name, median(found)) for name, found in costs.items())
    grown = Table("Cost of a recording", ("With", "CPU s per minute of audio"), rows)
    return Section("7 · Growth", _METHOD, (grown, _imports(rounds)))


def _described(*files: str) -> list[dict[str, object]]:
    lines = (samples_folder() / "audio" / "manifest.jsonl").read_text().splitlines()
    entries = {entry["file"]: entry for entry in map(json.loads, lines)}
    return [entries[file] for file in files]


def _minutes(pcm: bytes) -> float:
    return len(pcm) / SAMPLE_WIDTH_BYTES / SAMPLE_RATE_HZ / 60


async def _hear(runtime: Runtime, path: Path, wishes: Wishes) -> None:
    async for _ in runtime.transcribe(Recording(path), wishes):
        pass


def _imports(rounds: int) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for room in _ROOMS:
        timed = f"import time; began = time.perf_counter(); import dragoman.{room}; print(time.perf_counter() - began)"
        taken = [float(subprocess.check_output([sys.executable, "-c", timed])) for _ in range(rounds)]
        rows.append((f"dragoman.{room}", min(taken), median(taken)))
    return Table("Import by room", ("Room", "s, min", "median"), tuple(rows))
