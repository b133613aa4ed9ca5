"""A stretch of a recording, small enough to be sent along: MP3, which every browser plays."""

import asyncio
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.audio.frame import AudioFrame as EncoderFrame
from numpy.typing import NDArray

from dragoman.audio.decode import DecodeLimits, DecoderJail, open_audio
from dragoman.domain.audio import SAMPLE_RATE_HZ, SAMPLE_WIDTH_BYTES, AudioFrame
from dragoman.domain.errors import AudioEmptyError

MEDIA_TYPE: Final = "audio/mpeg"
AROUND_MS: Final = 300
MAX_MS: Final = 15_000

_BITS_PER_S: Final = 48_000
"""Measured with the samples: 6 kB a second, a fifth of the PCM; speech at 16 kHz has no audible faults."""
_SAMPLES_PER_MS: Final = SAMPLE_RATE_HZ // 1_000


@dataclass(frozen=True, slots=True)
class Clip:
    """A stretch of a recording. ``is_cut`` says that it was longer than a clip may be, and ends early."""

    mp3: bytes
    start_ms: int
    end_ms: int
    is_cut: bool = False


async def cut(
    path: Path,
    channel: int | None,
    start_ms: int,
    end_ms: int,
    *,
    around_ms: int = AROUND_MS,
    max_ms: int = MAX_MS,
    jail: DecoderJail | None = None,
) -> Clip:
    """Return a stretch of a recording with a little around it; the recording is decoded up to its end, no further.

    ``channel`` counts from 0 and ``None`` mixes all. What is longer than ``max_ms`` is cut there.

    Raises:
        AudioEmptyError: if the recording ends before the stretch begins.
        AudioNotFoundError, AudioUnreadableError, AudioLimitError, EngineFailedError: as ``open_audio`` does.
    """
    first_ms = max(0, start_ms - around_ms)
    wanted_ms = end_ms + around_ms
    last_ms = min(wanted_ms, first_ms + max_ms)
    pcm = await _decode(path, channel, first_ms * _SAMPLES_PER_MS, last_ms * _SAMPLES_PER_MS, jail)
    if not pcm:
        raise AudioEmptyError(f"The recording ends before {start_ms} ms; there is nothing to cut.")
    mp3 = await asyncio.to_thread(encode, np.frombuffer(pcm, dtype="<i2"))
    samples = len(pcm) // SAMPLE_WIDTH_BYTES
    return Clip(mp3, first_ms, first_ms + samples // _SAMPLES_PER_MS, is_cut=last_ms < wanted_ms)


def encode(samples: NDArray[np.int16]) -> bytes:
    """Return samples (mono, 16 kHz) as MP3; its header says how much of the first and last frame is padding."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp3", options={"id3v2_version": "0"}) as container:
        stream = container.add_stream("libmp3lame", rate=SAMPLE_RATE_HZ, layout="mono")
        stream.bit_rate = _BITS_PER_S
        frame = EncoderFrame.from_ndarray(samples[np.newaxis], format="s16p", layout="mono")
        frame.sample_rate = SAMPLE_RATE_HZ
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    return file.getvalue()


async def _decode(path: Path, channel: int | None, first: int, last: int, jail: DecoderJail | None) -> bytes:
    """Return the PCM between two samples, or what there is of it."""
    limits = DecodeLimits(max_audio_s=last / SAMPLE_RATE_HZ)
    pcm = bytearray()
    async with open_audio(path, channel=channel, limits=limits, jail=jail) as audio:
        async for frame in audio:
            if isinstance(frame, AudioFrame):
                begin = max(0, first - frame.start) * SAMPLE_WIDTH_BYTES
                pcm += frame.pcm[begin : max(0, last - frame.start) * SAMPLE_WIDTH_BYTES]
                if frame.end >= last:
                    break
    return bytes(pcm)
