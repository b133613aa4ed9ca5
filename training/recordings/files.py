"""Writes recordings: the same bytes on every run, whatever the container."""

from pathlib import Path
from typing import Final

import av
import numpy as np
import soxr
from av.audio.stream import AudioStream
from av.codec.context import Flags
from numpy.typing import NDArray

from training.acoustics import SAMPLE_RATE_HZ, Audio

_LAYOUTS: Final = {1: "mono", 2: "stereo"}
_OPTIONS: Final = {
    "flac": {"compression_level": "12"},
    "libopus": {"b": "24000", "application": "voip"},
}
_SILENT: Final = {"fflags": "+bitexact"}  # no date, no version, no random stream number


def write(path: Path, audio: Audio, rate_hz: int, codec: str) -> None:
    """Write audio of 16 kHz, shape ``(channels, samples)``, at ``rate_hz``."""
    if rate_hz != SAMPLE_RATE_HZ:
        audio = np.stack([soxr.resample(channel, SAMPLE_RATE_HZ, rate_hz) for channel in audio])
    pcm = to_pcm(audio)
    with av.open(str(path), "w", options=_SILENT) as container:
        stream = container.add_stream(codec, rate=rate_hz, options=_OPTIONS.get(codec, {}))
        assert isinstance(stream, AudioStream)
        stream.codec_context.layout = _LAYOUTS[len(pcm)]
        stream.codec_context.format = "s16"
        stream.codec_context.flags |= Flags.bitexact
        frame = av.AudioFrame.from_ndarray(pcm.T.reshape(1, -1), format="s16", layout=_LAYOUTS[len(pcm)])
        frame.sample_rate = rate_hz
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def to_pcm(audio: Audio) -> NDArray[np.int16]:
    """Return 16-bit samples."""
    return np.clip(np.rint(audio * 32_767), -32_767, 32_767).astype(np.int16)
