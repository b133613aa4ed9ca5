"""Audio of a turn: a RIFF header that says what follows, then samples, then nothing."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

from dragoman.audio.incoming import Incoming, incoming
from dragoman.domain.audio import SAMPLE_WIDTH_BYTES, AudioFrame, Flush, to_ms
from dragoman.domain.errors import MessageInvalidError
from dragoman.domain.messages import AudioFormat, Encoding
from dragoman.domain.speech import AudioInput

_MOST_FRAMES: Final = 50
"""Audio that may wait to be heard; a client that sends faster waits too."""

_EXTENSIBLE: Final = 0xFFFE
_SUBFORMAT: Final = slice(24, 26)
_ENCODINGS: Final[dict[tuple[int, int], Encoding]] = {
    (1, 16): "pcm_s16le",
    (3, 32): "pcm_f32le",
    (6, 8): "alaw",
    (7, 8): "mulaw",
}


class TurnAudio:
    """Takes the audio messages of a turn, and gives what its engine hears."""

    def __init__(self) -> None:
        self._decoder: Incoming | None = None
        self._decoded: list[bytes] = []
        self._frames: asyncio.Queue[AudioInput | None] = asyncio.Queue(_MOST_FRAMES)
        self._samples = 0
        self._is_abandoned = False

    @property
    def ms(self) -> int:
        """How much came so far."""
        return to_ms(self._samples)

    async def open(self, header: bytes) -> None:
        """Take the header that says what follows, and any samples behind it.

        Raises:
            MessageInvalidError: if it is none.
        """
        self._decoder, samples = self._opened(header)
        await self.feed(samples)

    @property
    def is_open(self) -> bool:
        """Whether the header has come."""
        return self._decoder is not None

    async def feed(self, samples: bytes) -> None:
        """Take samples; waits while much is not heard yet.

        Raises:
            AudioUnreadableError, AudioLimitError: if they are not what the header says.
        """
        assert self._decoder
        if samples and not self._is_abandoned:
            await self._decoder.feed(samples)
            await self._hand_on()

    async def flush(self) -> int:
        """Close the open utterance here; return the sample that this is."""
        await self._put(Flush())
        return self._samples

    async def end(self) -> None:
        """Nothing follows; raises as ``feed``."""
        if self._decoder:
            await self._decoder.end()
            await self._hand_on()
        await self._put(None)

    def abandon(self) -> None:
        """Take no more: nobody listens."""
        self._is_abandoned = True
        while not self._frames.empty():
            self._frames.get_nowait()

    async def close(self) -> None:
        """Let go."""
        self.abandon()
        if self._decoder:
            await self._decoder.close()

    async def heard(self) -> AsyncGenerator[AudioInput, None]:
        """Yield it for an engine."""
        while (item := await self._frames.get()) is not None:
            yield item

    def _opened(self, header: bytes) -> tuple[Incoming, bytes]:
        declared, samples = _read_header(header)
        if declared is None:  # samples that we do not read ourselves: a decoder gets the whole file
            return incoming(AudioFormat(encoding="wav"), None, self._decoded.append, lambda notice: None), header
        return incoming(declared, None, self._decoded.append, lambda notice: None), samples

    async def _put(self, item: AudioInput | None) -> None:
        if not self._is_abandoned:
            await self._frames.put(item)

    async def _hand_on(self) -> None:
        decoded, self._decoded[:] = b"".join(self._decoded), []
        if decoded:
            await self._put(AudioFrame(self._samples, decoded))
            self._samples += len(decoded) // SAMPLE_WIDTH_BYTES


def _read_header(header: bytes) -> tuple[AudioFormat | None, bytes]:
    """Return what a RIFF header declares (``None``: something for a decoder), and what stands behind it."""
    if header[:4] != b"RIFF" or header[8:12] != b"WAVE":
        raise MessageInvalidError("The first audio message of a turn must be a RIFF/WAVE header.")
    at, declared = 12, None
    while at + 8 <= len(header):
        name, size = header[at : at + 4], int.from_bytes(header[at + 4 : at + 8], "little")
        chunk = header[at + 8 : at + 8 + size]
        if name == b"fmt " and len(chunk) >= 16:
            declared = _declared(chunk)
        if name == b"data":
            return declared, header[at + 8 :]
        at += 8 + size + size % 2
    raise MessageInvalidError("The RIFF header of this turn has no data chunk.")


def _declared(chunk: bytes) -> AudioFormat | None:
    tag, channels = int.from_bytes(chunk[:2], "little"), int.from_bytes(chunk[2:4], "little")
    if tag == _EXTENSIBLE and len(chunk) >= 26:
        tag = int.from_bytes(chunk[_SUBFORMAT], "little")
    encoding = _ENCODINGS.get((tag, int.from_bytes(chunk[14:16], "little")))
    if encoding is None:
        return None
    rate_hz = int.from_bytes(chunk[4:8], "little")
    try:
        return AudioFormat(encoding=encoding, sample_rate_hz=rate_hz, channels=channels)
    except ValueError as error:
        raise MessageInvalidError(f"Audio of {rate_hz} Hz and {channels} channels is not taken.") from error
