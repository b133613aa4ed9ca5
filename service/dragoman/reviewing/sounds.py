"""What a corrected utterance sounded like, cut from the audio that its session left."""

import wave
from pathlib import Path
from typing import Final

from dragoman.domain.audio import SAMPLE_RATE_HZ, SAMPLE_WIDTH_BYTES, to_ms, to_samples
from dragoman.store.ports import Spool

_AROUND_MS: Final = 500


class SessionAudio:
    """The audio of sessions that have ended, as far as it is kept."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._kept: frozenset[str] | None = None

    async def cut(self, session_id: str, start_ms: int, end_ms: int, target: Path) -> tuple[int, int] | None:
        """Write a stretch of a session with a little around it as WAV; return where it begins and how long it is.

        Both in milliseconds; ``None`` if there is no audio of it.

        Raises:
            SpoolFailedError: if it cannot be read, or is in use.
        """
        if self._kept is None:
            self._kept = frozenset(await self._spool.kept())
        if session_id not in self._kept:
            return None
        audio = await self._spool.open(session_id)
        try:
            first = to_samples(max(0, start_ms - _AROUND_MS))
            last = min(audio.written, to_samples(end_ms + _AROUND_MS))
            pcm = bytearray()
            if first < last:
                async for frame in audio.read(first):
                    pcm += frame.pcm
                    if frame.end >= last:
                        break
        finally:
            await audio.close()
        del pcm[max(0, last - first) * SAMPLE_WIDTH_BYTES :]
        if not pcm:
            return None
        target.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(target), "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(SAMPLE_WIDTH_BYTES)
            sound.setframerate(SAMPLE_RATE_HZ)
            sound.writeframes(bytes(pcm))
        return to_ms(first), to_ms(len(pcm) // SAMPLE_WIDTH_BYTES)
