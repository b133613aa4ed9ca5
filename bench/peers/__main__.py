"""``python -m bench.peers``: measure Dragoman beside its peers, print the tables, keep results, report and plots."""

import argparse
import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench.machine import describe, load_average
from bench.peers.audio import LONGEST_S, Speech, open_speeches, speeches
from bench.peers.environments import FOLDER, PLOTS
from bench.peers.figures import StreamFigures, judge
from bench.peers.floor import measure_floor
from bench.peers.grown import SMALL, TINY, grow
from bench.peers.hearing import Hearing
from bench.peers.report import write
from bench.peers.results import Results, Take
from bench.peers.systems import SYSTEMS, Running, System, running
from dragoman.resources import resolve_model

_STAGGER_S: Final = 0.7
_SETTLE_S: Final = 1.0
_WARM_UP_S: Final = 3.0
_MODELS: Final = ("tiny", "small", "micro")


@dataclass(frozen=True, slots=True)
class Lane:
    """A server with a model and a beam; 0 is its default. With ``finds_language`` it is not told what is spoken."""

    system: System
    model: str
    beam: int
    streams: tuple[int, ...]
    finds_language: bool = False


def main() -> None:
    """Install what is missing, measure, and keep it all."""
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=[system.name for system in SYSTEMS], help="servers to measure")
    parser.add_argument("--models", nargs="+", choices=_MODELS, default=_MODELS)
    parser.add_argument("--quick", action="store_true", help="a smoke run: short, one or two streams, nothing kept")
    options = parser.parse_args()
    systems = [system for system in SYSTEMS if options.only is None or system.name in options.only]
    for environment in [PLOTS, *(system.environment for system in systems if system.environment)]:
        environment.make()
    began = time.monotonic()
    started = datetime.now(UTC)
    takes = asyncio.run(_measure(systems, options.models, 1 if options.quick else options.runs, quick=options.quick))
    results = Results(
        started_at=f"{started:%Y-%m-%d %H:%M} UTC",
        took_s=round(time.monotonic() - began),
        machine=describe(),
        versions={system.name: system.version for system in systems},
        floor=measure_floor(FOLDER / "models" / "whisper-tiny") if "tiny" in options.models else None,
        takes=tuple(takes),
    )
    folder = FOLDER / "quick" if options.quick or options.only else Path(__file__).parents[1] / "results"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"peers-{started:%Y-%m-%d}.json"
    file.write_text(results.to_json())
    print(write(results, file, PLOTS.python))


async def _measure(systems: Sequence[System], models: Sequence[str], runs: int, *, quick: bool) -> list[Take]:
    source = Path(resolve_model("micro"))
    folders = {size.name: grow(source, size, FOLDER / "models" / f"whisper-{size.name}") for size in (TINY, SMALL)}
    folders["micro"] = source
    told, untold = speeches(6.0 if quick else LONGEST_S), open_speeches(*([12.0] if quick else []))
    warm_up = speeches(_WARM_UP_S)[0]
    takes = []
    for run in range(runs):  # interleaved, so that what disturbs the machine disturbs all
        for lane in _lanes(systems, models, quick=quick):
            spoken = untold if lane.finds_language else told
            async with running(
                lane.system, folders[lane.model], lane.beam, finds_language=lane.finds_language
            ) as server:
                await lane.system.stream(server.port, warm_up)
                for streams in lane.streams:
                    takes.append(await _take(lane, run, server, streams, spoken))
                    _tell(takes[-1])
    return takes


def _lanes(systems: Sequence[System], models: Sequence[str], *, quick: bool) -> Iterator[Lane]:
    for system in systems:
        many = (1, 2) if quick else (1, 2, 4, 8) if system.has_beam_lane else (1, 2, 4, 8, 16)
        if "tiny" in models:
            yield Lane(system, "tiny", 0, many)
            if system.has_beam_lane:
                yield Lane(system, "tiny", 1, many)
        if "small" in models:
            yield Lane(system, "small", 0, (1,) if quick else (1, 2))
        if "micro" in models:
            yield Lane(system, "micro", 0, (2,), finds_language=True)


async def _take(lane: Lane, run: int, server: Running, streams: int, spoken: Sequence[Speech]) -> Take:
    chosen = [spoken[(run + number) % len(spoken)] for number in range(streams)]
    before_s = server.cpu_s()

    async def one(number: int, speech: Speech) -> StreamFigures:
        await asyncio.sleep(number * _STAGGER_S)
        try:
            async with asyncio.timeout(speech.seconds + 60):
                return judge(speech, await lane.system.stream(server.port, speech))
        except (OSError, TimeoutError) as error:
            return judge(speech, Hearing(trouble=repr(error)))

    each = await asyncio.gather(*(one(number, speech) for number, speech in enumerate(chosen)))
    resident_mib = server.resident_mib()
    cpu_s = server.cpu_s() - before_s
    cores = cpu_s / max(speech.seconds for speech in chosen)
    await asyncio.sleep(_SETTLE_S)
    name = lane.system.name
    return Take(name, lane.model, lane.beam, run, streams, cpu_s, cores, resident_mib, load_average(), tuple(each))


def _tell(take: Take) -> None:
    finals = [at_s for each in take.each for at_s in each.finals_s]
    last = f"last final {max(finals):.2f} s" if finals else "no final"
    beam = f"beam {take.beam}" if take.beam else "default"
    print(f"{take.system}, {take.model}, {beam}: {take.streams} streams, {take.cores:.2f} cores, {last}", flush=True)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
