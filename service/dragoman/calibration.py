"""What this machine can bear, found by trying: threads and calls at once of a model, and live sessions."""

import asyncio
import time
import wave
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from dragoman.audio.pcm import to_float
from dragoman.domain.audio import to_samples
from dragoman.engines.whisper.folder import WhisperOptions, usable_cores
from dragoman.engines.whisper.model import DecodeJob, RightSizedWhisper
from dragoman.engines.whisper.scheduler import Scheduler, Urgency
from dragoman.resources import resolve_model, samples_folder
from dragoman.settings import Settings
from dragoman.store.folder import private_folder

_UTTERANCE_MS: Final = 3_000
_FINALS, _PARTIALS = 6, 30
"""What the model does for about 20 s of a live stream: measured on the sample calls."""
_STREAM_S: Final = 20.0
_OVERHEAD: Final = 0.015
"""Cores that a stream takes beside the model, for its connection, its spool and hearing when somebody speaks."""
_FILLED: Final = 0.6
"""How much of the capacity may be used, so that finals seldom wait for one another."""


class Calibration(BaseModel):
    """What was found for a model on a machine of so many cores."""

    model_config = ConfigDict(frozen=True)

    model: str
    cores: int
    threads: int
    workers: int
    max_sessions: int


@dataclass(frozen=True, slots=True)
class Trial:
    """A way to run the model, and how many seconds of live streams it decodes in a second."""

    threads: int
    workers: int
    speed: float


def trials(settings: Settings) -> Iterator[Trial]:
    """Try every way to share the cores, and yield what came of each.

    Raises:
        ModelMissingError, ModelInvalidError: if the model cannot be loaded.
    """
    options = WhisperOptions(
        model=resolve_model(settings.model),
        device=settings.device,
        compute_type=settings.compute_type,
        beam_size=settings.beam_size,
    )
    cores = usable_cores()
    for threads in sorted({1, 2, cores // 2, cores} & set(range(1, cores + 1))):
        workers = max(1, cores // threads)
        yield Trial(threads, workers, _speed(replace(options, threads=threads, workers=workers)))


def chosen(settings: Settings, tried: list[Trial]) -> Calibration:
    """Return the best of what was tried, and how many sessions it bears."""
    best = max(tried, key=lambda trial: trial.speed)
    cores = usable_cores()
    return Calibration(
        model=settings.model,
        cores=cores,
        threads=best.threads,
        workers=best.workers,
        max_sessions=max(1, int(_FILLED * cores / (cores / best.speed + _OVERHEAD))),
    )


def keep(settings: Settings, calibration: Calibration) -> Path:
    """Write it where the server looks for it; return the file."""
    private_folder(settings.data)
    file = _file(settings)
    file.write_text(calibration.model_dump_json(indent=1) + "\n")
    return file


def calibrated(settings: Settings) -> Settings:
    """Return settings with what was found for this model on this machine, where nobody chose otherwise."""
    try:
        found = Calibration.model_validate_json(_file(settings).read_text())
    except (OSError, ValidationError):
        return settings
    if (found.model, found.cores) != (settings.model, usable_cores()):
        return settings
    names = {"threads", "workers", "max_sessions"} - settings.model_fields_set
    return settings.model_copy(update=found.model_dump(include=names))


def _file(settings: Settings) -> Path:
    return settings.data / "calibration.json"


def _speed(options: WhisperOptions) -> float:
    model = RightSizedWhisper(options)
    scheduler = Scheduler(model, options.max_batch, model.workers)
    try:
        code = next(iter(sorted(model.languages, key=lambda each: each != "en")))
        asyncio.run(_streams(scheduler, code, 1))
        streams = 2 * model.workers
        began_s = time.perf_counter()
        asyncio.run(_streams(scheduler, code, streams))
        return streams * _STREAM_S / (time.perf_counter() - began_s)
    finally:
        scheduler.close()


async def _streams(scheduler: Scheduler, code: str, streams: int) -> None:
    """Do what so many streams would ask for in 20 seconds, as fast as it goes."""
    await asyncio.gather(*(_stream(scheduler, code) for _ in range(streams)))


async def _stream(scheduler: Scheduler, code: str) -> None:
    samples = _speech()
    for turn in range(_FINALS + _PARTIALS):
        is_final = turn % (_PARTIALS // _FINALS + 1) == 0
        heard = samples if is_final else samples[: len(samples) * (1 + turn % 5) // 5]
        listening = await scheduler.listen(heard, Urgency.FILE, identify=True)
        job = DecodeJob(listening.encoded, code, timestamps=is_final, quick=not is_final)
        await scheduler.decode(job, Urgency.FILE)


def _speech() -> NDArray[np.float32]:
    with wave.open(str(samples_folder() / "audio" / "en_call.wav")) as file:
        return to_float(file.readframes(to_samples(_UTTERANCE_MS)))
