"""Decodes an input to its end, so that a test can look at all that came out."""

import asyncio
import io
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from dragoman.audio.decode import AudioInfo, DecodedAudio, DecodeLimits, DecoderJail, RawFormat, open_audio
from dragoman.audio.pcm import to_float
from dragoman.domain.audio import SAMPLE_RATE_HZ, AudioFrame
from dragoman.domain.errors import DragomanError

TEST_LIMITS = DecodeLimits(max_audio_s=3600, cpu_s=10)


@dataclass(frozen=True, slots=True)
class Listened:
    """Everything one input gave: ``error`` is what ended it, if it did not end well."""

    info: AudioInfo
    pcm: bytes
    notices: tuple[str, ...] = ()
    error: DragomanError | None = None

    @property
    def samples(self) -> NDArray[np.float32]:
        """All samples, in [-1, 1)."""
        return to_float(self.pcm)

    @property
    def seconds(self) -> float:
        """Decoded length."""
        return len(self.pcm) / 2 / SAMPLE_RATE_HZ


async def listen_async(
    source: Path | bytes | BinaryIO,
    *,
    channel: int | None = None,
    raw: RawFormat | None = None,
    limits: DecodeLimits = TEST_LIMITS,
    jail: DecoderJail | None = None,
) -> Listened:
    """Return all that ``source`` holds; errors before the first frame are raised, later ones returned."""
    async with asyncio.timeout(30), open_audio(source, channel=channel, raw=raw, limits=limits, jail=jail) as audio:
        return await drain(audio)


async def drain(audio: DecodedAudio) -> Listened:
    """Return what is left of an open input; its frames must follow each other without gap or overlap."""
    pcm = bytearray()
    notices: list[str] = []
    first: int | None = None
    failure: DragomanError | None = None
    try:
        async for item in audio:
            if isinstance(item, AudioFrame):
                first = item.start if first is None else first
                assert item.start - first == len(pcm) // 2
                pcm += item.pcm
            else:
                notices.append(item.code)
    except DragomanError as error:
        failure = error
    return Listened(audio.info, bytes(pcm), tuple(notices), failure)


def listen(
    source: Path | bytes | BinaryIO,
    *,
    channel: int | None = None,
    raw: RawFormat | None = None,
    limits: DecodeLimits = TEST_LIMITS,
    jail: DecoderJail | None = None,
) -> Listened:
    """Do ``listen_async`` in an event loop of its own."""
    return asyncio.run(listen_async(source, channel=channel, raw=raw, limits=limits, jail=jail))


def levels(samples: NDArray[np.float32], frequencies_hz: Sequence[float]) -> list[float]:
    """Return the amplitude of each frequency in the middle half of the signal, where codecs have settled."""
    middle = samples[len(samples) // 4 : 3 * len(samples) // 4].astype(np.float64)
    window = np.hanning(len(middle))
    time_s = np.arange(len(middle)) / SAMPLE_RATE_HZ
    return [
        float(2 * abs(np.dot(middle * window, np.exp(-2j * np.pi * frequency * time_s))) / window.sum())
        for frequency in frequencies_hz
    ]


class Unnamed(io.BytesIO):
    """A file in memory, as a web framework hands it on."""


class Playlist(io.BytesIO):
    """A file in memory whose name asks for more than its bytes do."""

    name = "upload.m3u8"


def children(jail: DecoderJail) -> list[int]:
    """Return the process ids of the jobs that run in a jail."""
    listing = subprocess.run(["pgrep", "-P", str(jail.pid)], capture_output=True, text=True, check=False)
    return [int(pid) for pid in listing.stdout.split()]
