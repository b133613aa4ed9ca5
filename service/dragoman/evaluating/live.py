"""Recordings heard as fast as they were spoken, as live streams are: then finals have a latency."""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Final

from dragoman.audio.decode import open_audio
from dragoman.domain.audio import SAMPLE_RATE_HZ, SAMPLE_WIDTH_BYTES, AudioFrame, to_samples
from dragoman.domain.events import DurableEvent, EphemeralEvent
from dragoman.runtime import EngineInfo, Recording, Runtime, Wishes

_FRAME_BYTES: Final = to_samples(100) * SAMPLE_WIDTH_BYTES
"""What clients send at once."""


class Live:
    """Hears recordings in their own time."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def ready(self) -> EngineInfo:
        """Load what must be loaded."""
        return await self._runtime.ready()

    async def transcribe(self, recording: Recording, wishes: Wishes) -> AsyncGenerator[DurableEvent, None]:
        """Yield the events of one recording, which is a path."""
        assert isinstance(recording.source, Path)
        plan = await self._runtime.plan(wishes)
        spec = replace(plan, live=True, partials=True, source=recording.source.name, channel=recording.channel)
        clock = _Clock()
        session = await self._runtime.session(spec, arrived_s=clock.at)
        spoken = _spoken(recording.source, recording.channel, clock)
        async with aclosing(spoken) as audio, aclosing(session.run(audio)) as events:
            async for event in events:
                if not isinstance(event, EphemeralEvent):
                    yield event


class _Clock:
    """When a sample was spoken, on the monotonic clock; it runs from the first question."""

    def __init__(self) -> None:
        self._began_s: float | None = None

    def at(self, sample: int) -> float:
        if self._began_s is None:
            self._began_s = time.monotonic()
        return self._began_s + sample / SAMPLE_RATE_HZ


async def _spoken(path: Path, channel: int | None, clock: _Clock) -> AsyncGenerator[AudioFrame, None]:
    async with open_audio(path, channel=channel) as audio:
        async for block in audio:
            for frame in _frames(block) if isinstance(block, AudioFrame) else ():
                await asyncio.sleep(max(0.0, clock.at(frame.end) - time.monotonic()))
                yield frame


def _frames(block: AudioFrame) -> Iterator[AudioFrame]:
    for at in range(0, len(block.pcm), _FRAME_BYTES):
        yield AudioFrame(block.start + at // SAMPLE_WIDTH_BYTES, block.pcm[at : at + _FRAME_BYTES])
