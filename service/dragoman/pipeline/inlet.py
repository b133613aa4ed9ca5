"""A live stream's way into its session: spooled first, then heard."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Iterator
from typing import Final

from dragoman.domain.audio import SAMPLE_WIDTH_BYTES, AudioFrame, Flush, to_samples
from dragoman.domain.speech import AudioInput, Notice
from dragoman.store.ports import SpooledAudio

_RECENT_SAMPLES: Final = to_samples(2_000)
"""Audio kept at hand; a session that is further behind reads it from the spool, so that memory stays flat."""

_ARRIVALS: Final = 512
_ARRIVAL_SAMPLES: Final = to_samples(100)
"""When audio came is kept for the last 50 s, to a tenth of a second: more than an utterance and its decoding take."""

_MOST_BEHIND_SAMPLES: Final = to_samples(60_000)
"""How far a session may be behind before its door takes no more audio: a client that sends faster has to wait."""


class Inlet:
    """Audio of one session from sample ``start`` on, what is in the spool already and what comes.

    ``append``, ``flush`` and ``end`` are for the door, ``audio`` is read once by the session.
    """

    def __init__(self, spooled: SpooledAudio, start: int) -> None:
        self._spooled = spooled
        self._read = start
        self._recent: deque[AudioFrame] = deque()
        self._recent_samples = 0
        self._arrivals: deque[tuple[int, float]] = deque()
        self._arrivals_from = spooled.written
        self._flushes: deque[int] = deque()
        self._notices: deque[Notice] = deque()
        self._is_over = False
        self._news = asyncio.Event()
        self._room = asyncio.Event()

    @property
    def written(self) -> int:
        """Samples taken so far."""
        return self._spooled.written

    @property
    def behind(self) -> int:
        """Samples taken that the session has not read."""
        return self._spooled.written - self._read

    def append(self, pcm: bytes) -> None:
        """Take the next samples.

        Raises:
            SpoolFullError, SpoolFailedError: and then none of them.
        """
        if not pcm or self._is_over:
            return
        start = self._spooled.written
        self._spooled.append(pcm)
        frame = AudioFrame(start, pcm)
        self._recent.append(frame)
        self._recent_samples += frame.samples
        while self._recent_samples > _RECENT_SAMPLES and len(self._recent) > 1:
            self._recent_samples -= self._recent.popleft().samples
        self._arrived(frame.end)
        self._news.set()

    def flush(self) -> None:
        """Close the open utterance after what was taken so far."""
        self._flushes.append(self._spooled.written)
        self._news.set()

    def tell(self, notice: Notice) -> None:
        """Say something to who follows the session."""
        self._notices.append(notice)
        self._news.set()

    def end(self, notice: Notice | None = None) -> None:
        """Take no more: what is there is still heard, after a notice why."""
        if notice and not self._is_over:
            self.tell(notice)
        self._is_over = True
        self._news.set()

    async def room(self) -> None:
        """Wait while the session is too far behind."""
        while self.behind > _MOST_BEHIND_SAMPLES:
            self._room.clear()
            await self._room.wait()

    def arrived_s(self, sample: int) -> float | None:
        """Return when a sample came, on the monotonic clock, if it did so lately and in this process."""
        if sample <= self._arrivals_from:
            return None
        return next((at_s for end, at_s in self._arrivals if end >= sample), None)

    async def audio(self) -> AsyncGenerator[AudioInput | Notice, None]:
        """Yield the audio in order, as it comes, with flushes and notices at their places."""
        while True:
            self._news.clear()
            while self._notices:
                yield self._notices.popleft()
            async for frame in self._available():
                for item in self._cut(frame):
                    yield item
            if self._flushes and self._flushes[0] <= self._read:
                self._flushes.popleft()
                yield Flush()
            elif self._read < self._spooled.written:
                continue
            elif self._is_over:
                return
            else:
                await self._news.wait()

    def _arrived(self, end: int) -> None:
        before = self._arrivals[-2][0] if len(self._arrivals) > 1 else self._arrivals_from
        if self._arrivals and end - before <= _ARRIVAL_SAMPLES:
            self._arrivals.pop()
        self._arrivals.append((end, time.monotonic()))
        if len(self._arrivals) > _ARRIVALS:
            self._arrivals_from, _ = self._arrivals.popleft()

    async def _available(self) -> AsyncGenerator[AudioFrame, None]:
        """Yield what was taken and not read: from memory if it reaches back so far, else from the spool."""
        if self._recent and self._recent[0].start <= self._read:
            for frame in [each for each in self._recent if each.end > self._read]:
                yield self._advance(_from(frame, self._read))
        elif self._read < self._spooled.written:
            async for frame in self._spooled.read(self._read):
                yield self._advance(frame)

    def _advance(self, frame: AudioFrame) -> AudioFrame:
        self._read = frame.end
        if self.behind <= _MOST_BEHIND_SAMPLES:
            self._room.set()
        return frame

    def _cut(self, frame: AudioFrame) -> Iterator[AudioInput]:
        """Yield a frame with the flushes within it."""
        while self._flushes and self._flushes[0] < frame.end:
            at = max(self._flushes.popleft(), frame.start)
            before = frame.pcm[: (at - frame.start) * SAMPLE_WIDTH_BYTES]
            if before:
                yield AudioFrame(frame.start, before)
            yield Flush()
            frame = _from(frame, at)
        yield frame


def _from(frame: AudioFrame, start: int) -> AudioFrame:
    """Return the frame without what comes before a sample."""
    skipped = max(0, start - frame.start)
    return AudioFrame(frame.start + skipped, frame.pcm[skipped * SAMPLE_WIDTH_BYTES :])
