"""Any container and codec → PCM. This code meets hostile bytes and runs inside the jail only."""

from collections.abc import Iterator
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Final

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec import Codec
from av.container import InputContainer

from dragoman.audio.declared import declared_s, unread_bytes
from dragoman.audio.job import AudioInfo, DecodeRequest, RawFormat, Report
from dragoman.audio.mono import MonoMixer, Samples
from dragoman.audio.resample import StreamingResampler
from dragoman.audio.source import Source
from dragoman.domain.audio import SAMPLE_RATE_HZ, SAMPLE_WIDTH_BYTES
from dragoman.domain.errors import AudioEmptyError, AudioLimitError, AudioUnreadableError, DragomanError

if TYPE_CHECKING:
    from av.packet import Packet  # generic in the stubs only

RATES_HZ: Final = range(4_000, 192_001)
CHANNELS: Final = range(1, 9)
CONTAINERS: Final = "wav,w64,aiff,flac,mp3,ogg,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,aac,amr,caf,au"
"""Self-contained formats only: a playlist or manifest would make libav open other files and hosts."""

_FILE_BLOCK_S: Final = 1.0
_LIVE_BLOCK_S: Final = 0.1
_MAX_FAILED_READS: Final = 16
_LIBAV_PLANES: Final = 8
"""``AV_NUM_DATA_POINTERS``: planes that a frame holds without a table of its own."""
_EXACT_CODECS: Final = ("pcm_", "flac", "alac")
_EXACT_TOLERANCE_S: Final = 0.05
_PADDED_TOLERANCE_S: Final = 0.5
"""Lossy codecs pad both ends; the most measured is 0.12 s (AAC at 8 kHz)."""
_CONVERT: Final = "convert it first, for example with `ffmpeg -i INPUT -ac 1 -ar 16000 OUTPUT.wav`"


def decode(source: Source, request: DecodeRequest) -> Iterator[AudioInfo | bytes | Report]:
    """Yield what the input is, then its PCM (s16le, mono, 16 kHz) in blocks, then a report of each fault found.

    Raises:
        AudioUnreadableError: if nothing can be decoded, or the channel asked for is not there.
        AudioEmptyError: if there is nothing to decode.
        AudioLimitError: if rate, channels or memory go beyond what we grant.
    """
    try:
        yield from _decode(source, request)
    except DragomanError:
        raise
    except MemoryError as error:
        raise AudioLimitError(f"Decoding this audio takes more memory than we grant; {_CONVERT}.") from error
    except Exception as error:  # libav's failures surface as any class of exception
        raise _unreadable(source) from error


def _decode(source: Source, request: DecodeRequest) -> Iterator[AudioInfo | bytes | Report]:
    mixer = MonoMixer(request.channel)
    limit = round(request.limits.max_audio_s * SAMPLE_RATE_HZ) * SAMPLE_WIDTH_BYTES
    decoded = 0
    with _open(source, request.raw) as container:
        track = _Track(container, source, request.channel)
        blocks = track.blocks(_LIVE_BLOCK_S if source.live else _FILE_BLOCK_S)
        first = next(blocks, None)
        if first is None:
            raise track.nothing()
        info = track.describe(*first)
        yield info
        for pcm in _resampled(chain([first], blocks), mixer):
            if within := pcm[: limit - decoded]:
                yield within
            decoded += len(pcm)
            if decoded > limit:
                break
        yield from track.faults(decoded / SAMPLE_WIDTH_BYTES / SAMPLE_RATE_HZ, complete=decoded <= limit)
    if mixer.repaired:
        yield Report(
            "audio_sanitised", f"{mixer.repaired} samples were no numbers (NaN or infinite) and became silence."
        )
    if mixer.clipped and info.codec.startswith("pcm_f"):
        yield Report("audio_clipped", f"{mixer.clipped} samples were beyond full scale and were clamped.")
    if decoded > limit:
        yield Report(
            "audio_too_long",
            f"Decoding stopped after {request.limits.max_audio_s:g} s; raise it with --max-audio-hours (max_audio_s).",
        )


def _resampled(blocks: Iterator[tuple[Samples, int]], mixer: MonoMixer) -> Iterator[bytes]:
    resampler, rate_hz = StreamingResampler(SAMPLE_RATE_HZ), SAMPLE_RATE_HZ
    for samples, block_rate_hz in blocks:
        if block_rate_hz != rate_hz:
            yield resampler.flush()
            resampler, rate_hz = StreamingResampler(block_rate_hz), block_rate_hz
        yield resampler.push(mixer.mix(samples))
    yield resampler.flush()


def _open(source: Source, raw: RawFormat | None) -> InputContainer:
    options = {"format_whitelist": CONTAINERS, "protocol_whitelist": "", "codec_whitelist": _audio_codecs()}
    if source.live:
        options["analyzeduration"] = "100000"  # µs; the default of 5 s would hold back the first frame
    else:
        # WAV in packets of 64 KiB instead of 4: twice as fast, and one is enough to look for a codec in disguise.
        options |= {"max_size": "65536", "max_probe_packets": "1"}
    if raw:
        _check(raw.sample_rate_hz, raw.channels)
        options["format_whitelist"] = raw.encoding
        options |= {"sample_rate": str(raw.sample_rate_hz), "ch_layout": f"{raw.channels}c"}
    try:
        return av.open(source, "r", format=raw.encoding if raw else None, options=options, metadata_errors="replace")
    except MemoryError:
        raise
    except Exception as error:  # libav's failures surface as any class of exception
        if source.size == 0:
            raise AudioEmptyError("The input is empty (0 bytes).") from error
        raise _unreadable(source) from error


@cache
def _audio_codecs() -> str:
    """Return the names of all audio decoders: a video decoder is never opened, not even to look."""
    names = []
    for name in av.codecs_available:
        try:
            names += [name] if Codec(name, "r").type == "audio" else []
        except ValueError:  # it only encodes
            continue
    return ",".join(names)


class _Track:
    """The audio track of an open container; it reads on past damaged parts and counts them."""

    def __init__(self, container: InputContainer, source: Source, channel: int | None) -> None:
        stream = container.streams.best("audio")
        if not isinstance(stream, AudioStream):
            held = {stream.type for stream in container.streams}
            if "audio" in held:
                raise _unreadable(source)
            raise AudioUnreadableError(f"The input holds no audio, only {' and '.join(sorted(held)) or 'a header'}.")
        if getattr(stream, "codec_context", None) is None:  # the stubs promise one
            raise AudioUnreadableError(f"The input was made by a codec that we do not know; {_CONVERT}.")
        stream.codec_context.thread_count = 1
        self._container = container
        self._stream = stream
        self._source = source
        self._channel = channel
        self._declared_s = declared_s(container, stream, source)
        self._skipped = 0
        self._failed_since_sound = 0

    def blocks(self, seconds: float) -> Iterator[tuple[Samples, int]]:
        """Yield samples, shape ``(channels, samples)``, and their rate in Hz, about ``seconds`` at a time."""
        frames: list[AudioFrame] = []
        samples = 0
        for frame in self._frames():
            if frames and _shape(frame) != _shape(frames[0]):
                yield _join(frames)
                frames, samples = [], 0
            frames.append(frame)
            samples += frame.samples
            if samples >= seconds * frame.sample_rate:
                yield _join(frames)
                frames, samples = [], 0
        if frames:
            yield _join(frames)

    def _frames(self) -> Iterator[AudioFrame]:
        for packet in self._packets():
            try:
                frames = packet.decode()
            except MemoryError:
                raise
            except EOFError:  # the decoder was drained before, at the end of a read that failed
                continue
            except Exception:  # noqa: BLE001 - libav's failures surface as any class of exception
                self._failed_since_sound += 1
                continue
            for frame in frames:
                if frame.samples:
                    _check(frame.sample_rate, frame.layout.nb_channels, self._channel)
                    self._skipped += self._failed_since_sound
                    self._failed_since_sound = 0
                    yield frame

    def _packets(self) -> "Iterator[Packet[AudioStream]]":
        for _ in range(_MAX_FAILED_READS):
            try:
                yield from self._container.demux(self._stream)
            except MemoryError:
                raise
            except Exception:  # noqa: BLE001 - libav's failures surface as any class of exception
                self._failed_since_sound += 1
            else:
                return

    def describe(self, samples: Samples, rate_hz: int) -> AudioInfo:
        """Return what this is, by its first decoded samples: headers of HE-AAC name half the rate."""
        name = self._container.format.name
        return AudioInfo(
            container={"mov": "mp4"}.get(short := name.partition(",")[0], short),
            codec=self._stream.codec_context.codec.canonical_name,
            sample_rate_hz=rate_hz,
            channels=len(samples),
            duration_ms=None if self._declared_s is None else round(self._declared_s * 1000),
        )

    def faults(self, decoded_s: float, *, complete: bool) -> Iterator[Report]:
        """Yield what was wrong with the track; ``complete`` says that it was read to its end."""
        codec = self._stream.codec_context.codec.canonical_name
        tolerance_s = _EXACT_TOLERANCE_S if codec.startswith(_EXACT_CODECS) else _PADDED_TOLERANCE_S
        declared_s = self._declared_s or 0.0
        truncated = complete and declared_s - decoded_s > tolerance_s
        # The last packet of a truncated file is always broken; that is one fault, not two.
        skipped = self._skipped + (0 if truncated else self._failed_since_sound)
        if truncated:
            yield Report(
                "audio_truncated",
                f"The input promises {declared_s:.2f} s of audio and {decoded_s:.2f} s could be decoded: "
                "it was cut off or is damaged.",
            )
        if skipped:
            yield Report("audio_corrupt", f"Damaged parts that could not be decoded and were left out: {skipped}.")
        if complete and (unread := unread_bytes(self._source)):
            yield Report(
                "audio_trailing",
                f"{unread} bytes follow the end that the header states and were not read; if the recording is longer "
                "than this, its header is damaged.",
            )

    def nothing(self) -> Exception:
        """Return why not a single sample was decoded."""
        context = self._stream.codec_context
        if context.sample_rate and context.channels:
            _check(context.sample_rate, context.channels)
        if self._failed_since_sound or self._declared_s or not context.sample_rate:
            return _unreadable(self._source)
        return AudioEmptyError("The input is an audio file without a single sample.")


def _shape(frame: AudioFrame) -> tuple[int, str, int]:
    return frame.sample_rate, frame.format.name, frame.layout.nb_channels


def _join(frames: list[AudioFrame]) -> tuple[Samples, int]:
    channels = frames[0].layout.nb_channels
    if frames[0].format.is_planar and channels >= _LIBAV_PLANES:
        frames = [packed for frame in frames for packed in _packed(frame)]
    samples = np.concatenate([frame.to_ndarray() for frame in frames], axis=1)
    if not frames[0].format.is_planar:
        samples = samples.reshape(-1, channels).T
    return samples, frames[0].sample_rate


def _packed(frame: AudioFrame) -> list[AudioFrame]:
    """Return the frame with its channels interleaved: PyAV 18.1 walks past the end of a full table of planes."""
    return av.AudioResampler(frame.format.packed, frame.layout, frame.sample_rate).resample(frame)


def _check(rate_hz: int, channels: int, channel: int | None = None) -> None:
    if rate_hz not in RATES_HZ:
        raise AudioLimitError(f"A sample rate of {rate_hz} Hz is outside 4000 to 192000 Hz; {_CONVERT}.")
    if channels not in CHANNELS:
        raise AudioLimitError(f"{channels} channels are outside 1 to 8; {_CONVERT}.")
    if channel is not None and not 0 <= channel < channels:
        raise AudioUnreadableError(
            f"Channel {channel} is not there: this audio has {channels}, counted from 0; name one of them, or none."
        )


def _unreadable(source: Source) -> AudioUnreadableError:
    if source.peek(4, 4) == b"ftyp":
        cure = (
            "streams in with its index at the end: save it to a file first"
            if source.live
            else "has no index: copy it again, in full"
        )
        return AudioUnreadableError(f"This MP4 {cure}.")
    return AudioUnreadableError(f"The input is not audio that we decode, or it is damaged at its start; {_CONVERT}.")
