"""Audio that comes over a connection, as it was declared → s16le, mono, 16 kHz, while it flows."""

import asyncio
import os
from collections.abc import Callable
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from dragoman.audio.decode import DecodeLimits, open_audio
from dragoman.audio.mono import MonoMixer, Samples
from dragoman.audio.resample import StreamingResampler
from dragoman.domain.audio import AudioFrame
from dragoman.domain.errors import AudioUnreadableError
from dragoman.domain.messages import CONTAINERS, AudioFormat
from dragoman.domain.speech import Notice

Sink = Callable[[bytes], None]
Tell = Callable[[Notice], None]

_LIVE: Final = DecodeLimits(max_audio_s=24 * 3600, cpu_s=600)
"""A call lasts longer than a file: a day, at the pace of speech."""


class Incoming(Protocol):
    """Decodes what arrives, in pieces of any length, and hands on what is ready."""

    async def feed(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            AudioUnreadableError, AudioLimitError: if they are not what was declared.
        """
        ...

    async def end(self) -> None:
        """Hand on all that is left; nothing follows. Raises as ``feed``."""
        ...

    async def close(self) -> None:
        """Let go, whether or not it is over. Idempotent."""
        ...


def incoming(declared: AudioFormat, channel: int | None, sink: Sink, tell: Tell) -> Incoming:
    """Return a decoder for audio declared like this; ``tell`` gets what the client should know of it.

    Raises:
        AudioUnreadableError: if there is no such channel.
    """
    if declared.encoding in CONTAINERS:
        return ContainerAudio(channel, sink, tell)
    if channel is not None and channel >= declared.channels:
        raise AudioUnreadableError(f"There is no channel {channel} in audio of {declared.channels}; count from 0.")
    return BareAudio(declared, channel, sink)


class BareAudio:
    """Samples without a container."""

    def __init__(self, declared: AudioFormat, channel: int | None, sink: Sink) -> None:
        self._read = _READERS[declared.encoding]
        self._channels = declared.channels
        self._step = declared.frame_bytes
        self._mixer = MonoMixer(channel)
        self._resampler = StreamingResampler(declared.sample_rate_hz)
        self._is_ours = declared == AudioFormat()  # nothing to do: 200 such streams fit on a core
        self._rest = b""
        self._sink = sink

    async def feed(self, data: bytes) -> None:
        """Take the next bytes; a sample may be torn between two calls."""
        data = self._rest + data
        whole = len(data) - len(data) % self._step
        self._rest = data[whole:]
        if self._is_ours:
            self._sink(data[:whole])
        elif whole:
            samples = self._read(data[:whole]).reshape(-1, self._channels).T
            self._sink(self._resampler.push(self._mixer.mix(samples)))

    async def end(self) -> None:
        """Hand on what the resampler holds back."""
        self._sink(self._resampler.flush())

    async def close(self) -> None:
        """Nothing is held."""


class ContainerAudio:
    """Audio in a container, decoded in the jail while it flows."""

    def __init__(self, channel: int | None, sink: Sink, tell: Tell, limits: DecodeLimits = _LIVE) -> None:
        self._sink = sink
        self._tell = tell
        self._limits = limits
        read_fd, self._write_fd = os.pipe()
        os.set_blocking(self._write_fd, False)
        self._decoding = asyncio.create_task(self._decode(read_fd, channel))

    async def feed(self, data: bytes) -> None:
        """Take the next bytes; waits while the decoder is busy."""
        loop = asyncio.get_running_loop()
        rest = memoryview(data)
        while rest:
            if self._decoding.done():
                await self._decoding
                return  # the container has ended: what follows it is not audio
            try:
                rest = rest[os.write(self._write_fd, rest) :]
            except BlockingIOError:
                await self._writable(loop)
            except BrokenPipeError:
                await self._decoding
                return

    async def end(self) -> None:
        """Wait until all is decoded."""
        self._hang_up()
        await self._decoding

    async def close(self) -> None:
        """End the decoder."""
        self._hang_up()
        self._decoding.cancel()
        await asyncio.gather(self._decoding, return_exceptions=True)

    def _hang_up(self) -> None:
        if self._write_fd >= 0:
            os.close(self._write_fd)
            self._write_fd = -1

    async def _writable(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait until the pipe takes more, or the decoder has ended."""
        ready = asyncio.Event()
        loop.add_writer(self._write_fd, ready.set)
        waiting = asyncio.ensure_future(ready.wait())
        try:
            await asyncio.wait([waiting, self._decoding], return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            loop.remove_writer(self._write_fd)

    async def _decode(self, read_fd: int, channel: int | None) -> None:
        with os.fdopen(read_fd, "rb", buffering=0) as pipe:
            async with open_audio(pipe, channel=channel, limits=self._limits) as audio:
                async for item in audio:
                    if isinstance(item, AudioFrame):
                        self._sink(item.pcm)
                    else:
                        self._tell(item)


def _s16(data: bytes) -> Samples:
    return np.frombuffer(data, "<i2").astype(np.int16)


def _f32(data: bytes) -> Samples:
    return np.frombuffer(data, "<f4").astype(np.float32)


def _mulaw(data: bytes) -> Samples:
    return _MULAW[np.frombuffer(data, np.uint8)]


def _alaw(data: bytes) -> Samples:
    return _ALAW[np.frombuffer(data, np.uint8)]


def _mulaw_table() -> NDArray[np.int16]:
    """Return the sample of every µ-law byte (ITU-T G.711)."""
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = (((code & 0x0F) << 3) + 0x84 << ((code & 0x70) >> 4)) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _alaw_table() -> NDArray[np.int16]:
    """Return the sample of every A-law byte (ITU-T G.711)."""
    code = np.arange(256, dtype=np.int32) ^ 0x55
    exponent, mantissa = (code & 0x70) >> 4, (code & 0x0F) << 4
    magnitude = np.where(exponent == 0, mantissa + 8, mantissa + 0x108 << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


_MULAW, _ALAW = _mulaw_table(), _alaw_table()
_READERS: dict[str, Callable[[bytes], Samples]] = {
    "pcm_s16le": _s16,
    "pcm_f32le": _f32,
    "mulaw": _mulaw,
    "alaw": _alaw,
}
