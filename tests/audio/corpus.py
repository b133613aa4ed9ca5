"""Makes every input of the audio tests: tones in all formats, and files that lie."""

import io
import struct
from collections.abc import Sequence
from fractions import Fraction

import av
import numpy as np
from av.audio.stream import AudioStream
from numpy.typing import NDArray

Signal = NDArray[np.float32]
"""Samples in [-1, 1], shape ``(samples, channels)``."""

WAVE_PCM, WAVE_FLOAT, WAVE_ALAW, WAVE_MULAW, WAVE_EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
KSDATAFORMAT_TAIL = bytes.fromhex("000000001000800000aa00389b71")


def tone(
    frequencies_hz: float | Sequence[float] = 440.0, *, rate_hz: int = 16_000, seconds: float = 1.0, level: float = 0.5
) -> Signal:
    """Return a sine of amplitude ``level``, one channel per frequency; frequency 0 is silence."""
    channels = np.atleast_1d(np.asarray(frequencies_hz, dtype=np.float64))
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    return (level * np.sin(2 * np.pi * time_s[:, None] * channels[None, :])).astype(np.float32)


def s16(signal: Signal) -> bytes:
    """Return interleaved s16le."""
    return np.clip(np.rint(signal * 32_768), -32_768, 32_767).astype("<i2").tobytes()


def s24(signal: Signal) -> bytes:
    """Return interleaved s24le."""
    values = np.rint(signal.astype(np.float64) * 8_388_607).astype("<i4")
    return bytes(np.ascontiguousarray(values.reshape(-1, 1).view(np.uint8)[:, :3]))


def mulaw(signal: Signal) -> bytes:
    """Return interleaved G.711 µ-law (ITU-T G.711, the continuous curve rounded to codes)."""
    x = np.clip(signal, -1, 1)
    code = np.rint(np.log1p(255 * np.abs(x)) / np.log(256) * 127).astype(np.uint8)
    return bytes((~np.where(x < 0, code | 0x80, code)).astype(np.uint8).data)


def alaw(signal: Signal) -> bytes:
    """Return interleaved G.711 A-law (ITU-T G.711, the continuous curve rounded to codes)."""
    a = 87.6
    magnitude = np.clip(np.abs(signal), 1e-9, 1)
    curve = np.where(magnitude < 1 / a, a * magnitude, 1 + np.log(a * magnitude)) / (1 + np.log(a))
    code = np.minimum(np.floor(curve * 128), 127).astype(np.uint8)
    return bytes((np.where(signal >= 0, code | 0x80, code) ^ 0x55).astype(np.uint8).data)


def wave(
    data: bytes,
    *,
    rate_hz: int = 16_000,
    channels: int = 1,
    bits: int = 16,
    encoding: int = WAVE_PCM,
    data_size: int | None = None,
    extensible: bool = False,
    before_data: bytes = b"",
    after_data: bytes = b"",
) -> bytes:
    """Return a RIFF/WAVE file around ``data``; ``data_size`` may lie."""
    block = channels * bits // 8
    fmt = struct.pack(
        "<HHIIHH",
        WAVE_EXTENSIBLE if extensible else encoding,
        channels,
        rate_hz,
        min(rate_hz * block, 0xFFFF_FFFF),
        block & 0xFFFF,
        bits,
    )
    if extensible:
        fmt += struct.pack("<HHIH", 22, bits, 0, encoding) + KSDATAFORMAT_TAIL
    size = len(data) if data_size is None else data_size
    body = chunk(b"fmt ", fmt) + before_data + b"data" + struct.pack("<I", size) + data + after_data
    return b"RIFF" + struct.pack("<I", min(4 + len(body), 0xFFFF_FFFF)) + b"WAVE" + body


def chunk(name: bytes, body: bytes) -> bytes:
    """Return a RIFF chunk."""
    return name + struct.pack("<I", len(body)) + body


def rf64(data: bytes, *, rate_hz: int = 16_000) -> bytes:
    """Return an RF64 file (EBU Tech 3306) of mono s16le."""
    ds64 = chunk(b"ds64", struct.pack("<QQQI", 72 + len(data), len(data), len(data) // 2, 0))
    fmt = chunk(b"fmt ", struct.pack("<HHIIHH", WAVE_PCM, 1, rate_hz, 2 * rate_hz, 2, 16))
    return b"RF64" + struct.pack("<I", 0xFFFF_FFFF) + b"WAVE" + ds64 + fmt + b"data\xff\xff\xff\xff" + data


def encode(
    signal: Signal,
    container: str,
    codec: str,
    *,
    rate_hz: int = 16_000,
    bit_rate: int | None = None,
    options: dict[str, str] | None = None,
    with_video: bool = False,
    seekable: bool = True,
) -> bytes:
    """Return ``signal`` in ``container`` as ``codec`` makes it; ``with_video`` puts a moving picture beside it."""
    file = io.BytesIO() if seekable else _WriteOnly()
    with av.open(file, "w", format=container, options=options or {}) as output:
        picture = output.add_stream("mpeg4", rate=10, width=32, height=32, pix_fmt="yuv420p") if with_video else None
        channels = signal.shape[1]
        stream = output.add_stream(codec, rate=rate_hz, layout={1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}[channels])
        assert isinstance(stream, AudioStream)
        stream.codec_context.options = {"strict": "experimental"}  # libav calls its Vorbis encoder that
        if bit_rate:
            stream.bit_rate = bit_rate
        for index in range(10 if picture else 0):
            still = av.VideoFrame.from_ndarray(np.full((32, 32, 3), index, dtype=np.uint8), format="rgb24")
            still.pts, still.time_base = index, Fraction(1, 10)
            output.mux(picture.encode(still) if picture else [])
        sound = av.AudioFrame.from_ndarray(np.ascontiguousarray(signal).reshape(1, -1), "flt", stream.layout.name)
        sound.sample_rate, sound.pts, sound.time_base = rate_hz, 0, Fraction(1, rate_hz)
        resampler = av.AudioResampler(stream.format, stream.layout, rate_hz, stream.frame_size or 1024)
        for frame in [*resampler.resample(sound), *resampler.resample(None)]:
            output.mux(stream.encode(frame))
        for encoder in (stream, picture):
            output.mux(encoder.encode(None) if encoder else [])
    return file.getvalue()


def index_first(mp4: bytes) -> bytes:
    """Return an MP4 with its index (moov) moved before the media, as "faststart" does."""
    boxes: dict[bytes, bytes] = {}
    position = 0
    while position < len(mp4):
        size = int.from_bytes(mp4[position : position + 4], "big")
        boxes[mp4[position + 4 : position + 8]] = mp4[position : position + size]
        position += size
    moov = bytearray(boxes.pop(b"moov"))
    table = moov.index(b"stco") + 8
    for entry in range(int.from_bytes(moov[table : table + 4], "big")):
        place = slice(table + 4 + 4 * entry, table + 8 + 4 * entry)
        moov[place] = (int.from_bytes(moov[place], "big") + len(moov)).to_bytes(4, "big")
    return boxes.pop(b"ftyp") + bytes(moov) + b"".join(boxes.values())


def with_cover(mp3: bytes, *, picture_bytes: int = 100_000) -> bytes:
    """Return an MP3 behind an ID3v2.3 tag that holds a picture (APIC) of that many bytes."""
    picture = b"\x89PNG\r\n\x1a\n" + bytes(picture_bytes - 8)
    body = b"\0image/png\0\x03\0" + picture
    frame = b"APIC" + struct.pack(">IH", len(body), 0) + body
    size = bytes(len(frame) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\0\0" + size + frame + mp3


def flac_bomb(*, channels: int, rate_hz: int, seconds: float) -> bytes:
    """Return a FLAC file of silence: a few bytes per block of up to 65535 samples per channel."""
    silence = np.zeros((round(rate_hz * seconds), channels), dtype=np.float32)
    return encode(silence, "flac", "flac", rate_hz=rate_hz)


class _WriteOnly:
    """A file that a muxer cannot go back in, as when it writes to a pipe."""

    def __init__(self) -> None:
        self._data = bytearray()

    def write(self, data: bytes) -> int:
        self._data += data
        return len(data)

    def getvalue(self) -> bytes:
        return bytes(self._data)
