"""How much audio a file claims to hold, so that a truncated one can be told from a short one.

libav derives the length of WAV, W64 and CAF from the size of the *file*, and guesses that of bare frames from their
bit rate; what the headers promise, only the headers tell.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from av.audio.stream import AudioStream
from av.container import InputContainer

from dragoman.audio.source import Source

_SIZED_BY_FILE: Final = ("wav", "w64", "caf")
_GUESSED: Final = ("aac", "amr", "s16le", "f32le", "mulaw", "alaw")

_STREAMED: Final = 0x7FFF_F000
"""A 32-bit data size from here on was written before the length was known (0x7FFFF000, 0x7FFFFFFF, 0xFFFFFFFF)."""


@dataclass(frozen=True, slots=True)
class DataChunk:
    """Where the audio bytes of a file begin, and how many its header promises."""

    offset: int
    size: int

    @property
    def end(self) -> int:
        """Position in bytes just after the promised data and its padding."""
        return self.offset + self.size + self.size % 2


def find_data(head: bytes) -> DataChunk | None:
    """Return the data chunk of a WAV, RF64, W64 or CAF file that begins with ``head``.

    ``None`` if it is another format, the chunk lies beyond ``head``, or its size says "unknown" (0, -1, or enormous).
    """
    long_size = None
    for name, offset, size in _chunks(head):
        if name == b"ds64":
            long_size = int.from_bytes(head[offset + 8 : offset + 16], "little")
        if name == b"data":
            if size >= _STREAMED and head[:4] in (b"RF64", b"BW64"):
                size = long_size or 0
            elif size >= _STREAMED and head[:4] == b"RIFF":
                return None
            return DataChunk(offset, size) if 0 < size < 1 << 62 else None
    return None


def _chunks(head: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, offset of the body and size of the body of each chunk, in order."""
    if head[:4] in (b"RIFF", b"RF64", b"BW64"):
        layout, position, own_header, align = struct.Struct("<4sI"), 12, False, 2
    elif head[:4] == b"caff":
        layout, position, own_header, align = struct.Struct(">4sq"), 8, False, 1
    elif head[:4] == b"riff":  # W64: names are GUIDs, and a size counts the chunk's own header
        layout, position, own_header, align = struct.Struct("<4s12xQ"), 40, True, 8
    else:
        return
    while position + layout.size <= len(head):
        name, size = layout.unpack_from(head, position)
        body = position + layout.size
        size -= layout.size if own_header else 0
        yield name, body, size
        if size < 0:
            return
        position = body + -(-size // align) * align


def declared_s(container: InputContainer, stream: AudioStream, source: Source) -> float | None:
    """Return the length in seconds that the file itself states, or ``None`` if any number would be a guess."""
    name = container.format.name
    context = stream.codec_context
    chunk = find_data(source.head) if name in _SIZED_BY_FILE else None
    if chunk and (bits := _pcm_bits(context.codec.canonical_name)) and context.sample_rate and context.channels:
        return chunk.size * 8 / (bits * context.sample_rate * context.channels)
    if name in _GUESSED or (name == "mp3" and not _counts_frames(source)):
        return None
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    start_s = float((stream.start_time or 0) * (stream.time_base or 0))
    tag = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", stream.metadata.get("DURATION", ""))  # by Matroska writers
    if tag:
        return int(tag[1]) * 3600 + int(tag[2]) * 60 + float(tag[3]) - start_s
    if container.duration is not None and len(container.streams) == 1:
        return container.duration / 1_000_000 - start_s
    return None


def unread_bytes(source: Source) -> int:
    """Return how many bytes after the promised data are no further chunk of a WAV, W64 or CAF file."""
    chunk = find_data(source.head)
    if chunk is None or source.live or chunk.end >= source.size:
        return 0
    follower = source.peek(chunk.end, 4)
    return 0 if follower.isascii() and follower.decode("ascii").isprintable() else source.size - chunk.end


def _pcm_bits(codec: str) -> int | None:
    if not codec.startswith("pcm_"):
        return None
    bits = re.search(r"\d+", codec)
    return int(bits[0]) if bits else 8  # pcm_mulaw, pcm_alaw


def _counts_frames(source: Source) -> bool:
    """Return whether an MP3 begins with a frame that holds the number of frames (Xing, Info or VBRI)."""
    head = source.peek(0, 10)
    id3_size = 0
    if head[:3] == b"ID3" and len(head) == 10:
        id3_size = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
    first_frame = source.peek(id3_size, 2048)
    return any(tag in first_frame for tag in (b"Xing", b"Info", b"VBRI"))
