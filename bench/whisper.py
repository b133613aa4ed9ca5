"""``python -m bench.whisper``: measure Dragoman beside faster-whisper, print the tables, keep the results.

The measurements start in a process of their own, because libraries read the number of threads when they are loaded.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.machine import ONE_THREAD

if TYPE_CHECKING:
    from bench.report import Report, Section

_RESULTS: Final = Path(__file__).with_name("results")
_QUESTIONS: Final = ("segments", "files", "windows", "startup", "languages", "endpointing", "growth", "archive")
_QUICK_STEP: Final = 17  # meets every language and, among balanced clips, every condition


def main() -> None:
    """Run in an environment with one thread, without network and without anybody's settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DRAGOMAN_")}
    environment |= ONE_THREAD | {"HF_HUB_OFFLINE": "1"}
    options = _options()
    if environment == dict(os.environ):
        _run(options)
    else:
        os.execve(sys.executable, [sys.executable, "-m", "bench.whisper", *sys.argv[1:]], environment)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.whisper", description=__doc__)
    parser.add_argument("--model", default="micro", help="micro (bundled) or a folder that faster-whisper can load")
    parser.add_argument("--only", nargs="+", choices=_QUESTIONS, default=_QUESTIONS, help="questions to answer")
    parser.add_argument("--quick", action="store_true", help="a smoke run with few clips, which keeps no results")
    parser.add_argument("--write", action="store_true", help="keep the results of a quick or partial run too")
    return parser.parse_args()


def _run(options: argparse.Namespace) -> None:
    from bench.machine import describe, load_average
    from bench.report import Report, render_section
    from dragoman.resources import resolve_model

    folder = resolve_model(options.model)
    started, began = datetime.now(UTC), time.perf_counter()
    sections = []
    for section in _measure(folder, options.only, quick=options.quick):
        sections.append(replace(section, load=f"{load_average()} at {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"))
        print(render_section(sections[-1]), end="\n\n", flush=True)
    took_s = time.perf_counter() - began
    name = Path(folder).name
    report = Report(f"{started:%Y-%m-%d %H:%M} UTC", took_s, name, options.quick, describe(), tuple(sections))
    if options.write or not (options.quick or len(sections) < len(_QUESTIONS)):
        _write(report, f"whisper-{started:%Y-%m-%d}.json")
    missed = [claim.what for section in sections for claim in section.claims if not claim.met]
    print(f"{took_s:.0f} s. " + (f"Missed: {'; '.join(missed)}." if missed else "Every goal is met."))


def _measure(folder: str, questions: Sequence[str], *, quick: bool) -> Iterator["Section"]:
    from faster_whisper import WhisperModel

    from bench.archive import measure_archive
    from bench.clips import CALLS, make_clips, read_call
    from bench.endpointing import measure_endpointing
    from bench.files import measure_files
    from bench.growth import measure_growth
    from bench.languages import measure_languages
    from bench.segments import measure_segments
    from bench.startup import measure_startup
    from bench.windows import measure_windows

    calls, mixed = [read_call(name) for name in CALLS], read_call("mixed_call.wav")
    clips = [clip for clip in make_clips(calls) if not quick or clip.number % _QUICK_STEP == 0]
    whisper = WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=1)
    work: dict[str, Callable[[], Section]] = {
        "segments": lambda: measure_segments(clips, whisper, folder),
        "files": lambda: measure_files(
            calls[: 1 if quick else None], whisper, folder, rounds=1 if quick else 2, repeats=2 if quick else 13
        ),
        "windows": lambda: measure_windows(clips, folder),
        "startup": lambda: measure_startup(calls[0].path, folder, runs=1 if quick else 5),
        "languages": lambda: measure_languages(calls, mixed, folder),
        "endpointing": lambda: measure_endpointing(clips, [*calls, mixed], folder),
        "growth": lambda: measure_growth(calls, folder, rounds=1 if quick else 3),
        "archive": lambda: measure_archive(calls, folder, quick=quick),
    }
    for question in _QUESTIONS:
        if question in questions:
            yield work[question]()


def _write(report: "Report", name: str) -> None:
    from bench.report import from_json, render, to_json

    _RESULTS.mkdir(exist_ok=True)
    results = _RESULTS / name
    if results.exists():  # what was not measured anew stays
        before = from_json(results.read_text(encoding="utf-8"))
        anew = {section.title: section for section in report.sections}
        kept = tuple(anew.pop(section.title, section) for section in before.sections)
        report = replace(before, sections=(*kept, *anew.values()))
    results.write_text(to_json(report), encoding="utf-8")
    (_RESULTS / "whisper.md").write_text(render(from_json(results.read_text(encoding="utf-8"))), encoding="utf-8")


if __name__ == "__main__":
    main()
