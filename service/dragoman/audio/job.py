"""One decoding job: what is asked of the jail, and the words in which it answers."""

import json
import struct
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from typing import Final, Literal

RawEncoding = Literal["s16le", "f32le", "mulaw", "alaw"]


@dataclass(frozen=True, slots=True)
class RawFormat:
    """What headerless audio (telephony, PCM from a socket) cannot say about itself."""

    encoding: RawEncoding
    sample_rate_hz: int
    channels: int = 1


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """How much one input may cost.

    4 h of 48 kHz stereo take 24 s of processor time as Opus, the costliest common codec, and 4 h of 8-channel PCM at
    192 kHz take 64 s; the default leaves room for a slower machine.
    ``memory_bytes`` bounds the decoder's address space, of which the libraries take 0.2 GB; macOS ignores it.
    """

    max_audio_s: float = 4 * 3600
    cpu_s: int = 120
    memory_bytes: int = 1_200_000_000


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What an input is. ``duration_ms`` is what it claims; a stream that claims nothing has ``None``."""

    container: str
    codec: str
    sample_rate_hz: int
    channels: int
    duration_ms: int | None

    def to_json(self) -> bytes:
        """Return the payload of an ``INFO`` message."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, payload: bytes) -> "AudioInfo":
        """Return what ``to_json`` wrote."""
        return cls(**json.loads(payload))


@dataclass(frozen=True, slots=True)
class DecodeRequest:
    """How to decode one input. ``channel`` counts from 0, or ``None`` mixes all; ``raw`` is for headerless audio."""

    channel: int | None = None
    raw: RawFormat | None = None
    limits: DecodeLimits = field(default_factory=DecodeLimits)

    def to_json(self) -> bytes:
        """Return the request as the jail reads it."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, payload: bytes) -> "DecodeRequest":
        """Return what ``to_json`` wrote."""
        fields = json.loads(payload)
        raw = fields["raw"]
        return cls(fields["channel"], RawFormat(**raw) if raw else None, DecodeLimits(**fields["limits"]))


@dataclass(frozen=True, slots=True)
class Report:
    """A finding about the input under a public code: a notice if decoding goes on, an error if it ends here."""

    code: str
    message: str

    def to_json(self) -> bytes:
        """Return the payload of a ``NOTICE`` or ``ERROR`` message."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, payload: bytes) -> "Report":
        """Return what ``to_json`` wrote."""
        return cls(**json.loads(payload))


class Kind(IntEnum):
    """What a message from the jail holds. ``INFO`` comes first; ``ERROR`` or ``END`` comes last."""

    INFO = 1
    PCM = 2
    NOTICE = 3
    ERROR = 4
    END = 5


HEADER: Final = struct.Struct(">BI")
"""Before each message: its kind, and the length of its payload in bytes."""

STATUS: Final = struct.Struct(">i")
"""How the decoder's process ended, as ``os.waitstatus_to_exitcode`` puts it."""
