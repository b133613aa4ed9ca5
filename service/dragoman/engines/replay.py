"""Audio that can be read again: from the first sample that no final has covered."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator

from dragoman.domain.audio import SAMPLE_WIDTH_BYTES, AudioFrame
from dragoman.domain.speech import AudioInput


class ReplayedAudio:
    """Keeps what was read of a stream until it is settled. One reader at a time; the next one begins where it asks."""

    def __init__(self, audio: AsyncIterator[AudioInput]) -> None:
        self._audio = audio
        self._kept: deque[AudioInput] = deque()
        self._dropped = 0  # items that are not kept any more
        self._upcoming: asyncio.Future[AudioInput | None] | None = None
        self._has_ended = False
        self.error: Exception | None = None
        """What ended the stream itself, if anything did."""

    async def read(self, start: int) -> AsyncGenerator[AudioInput, None]:
        """Yield the audio from sample ``start`` on, to its end; an error of the stream is raised at its place."""
        number = self._dropped
        while (item := await self._item(number)) is not None:
            number += 1
            if not isinstance(item, AudioFrame):
                yield item
            elif item.end > start:
                cut = max(0, start - item.start)
                yield AudioFrame(item.start + cut, item.pcm[cut * SAMPLE_WIDTH_BYTES :])

    def forget(self, until: int) -> None:
        """Keep nothing before sample ``until``: it is settled."""
        while self._kept:
            first = self._kept[0]
            if isinstance(first, AudioFrame) and first.end > until:
                return
            self._kept.popleft()
            self._dropped += 1

    async def close(self) -> None:
        """Read no more."""
        if self._upcoming:
            self._upcoming.cancel()
            await asyncio.gather(self._upcoming, return_exceptions=True)

    async def _item(self, number: int) -> AudioInput | None:
        """Return an item, counted from the beginning; nothing behind the last."""
        number = max(number, self._dropped)
        while number - self._dropped >= len(self._kept):
            if self._has_ended:
                return None
            # A reader that gives up in the middle leaves this to the next one: no item may be lost.
            self._upcoming = self._upcoming or asyncio.ensure_future(anext(self._audio, None))
            try:
                await asyncio.wait([self._upcoming])
                item = self._upcoming.result()
            except Exception as error:
                self.error = error
                raise
            self._upcoming = None
            if item is None:
                self._has_ended = True
            else:
                self._kept.append(item)
        return self._kept[number - self._dropped]
