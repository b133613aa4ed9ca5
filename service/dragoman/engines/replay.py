"""Audio that can be read again: from the first sample that no final has covered."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final

from dragoman.domain.audio import SAMPLE_WIDTH_BYTES, AudioFrame
from dragoman.domain.speech import AudioInput

_AHEAD: Final = 8
"""Items that may be taken of a stream before they are read."""


class ReplayedAudio:
    """Keeps what was read of a stream until it is settled. One reader at a time; the next one begins where it asks."""

    def __init__(self, audio: AsyncIterator[AudioInput]) -> None:
        self._audio = audio
        self._kept: deque[AudioInput] = deque()
        self._dropped = 0  # items that are not kept any more
        self._read = 0  # items that were read, or need not be
        self._has_ended = False
        self._more, self._room = asyncio.Event(), asyncio.Event()
        self._taking: asyncio.Task[None] | None = None
        self.error: Exception | None = None
        """What ended the stream itself, if anything did."""

    async def read(self, start: int) -> AsyncGenerator[AudioInput, None]:
        """Yield the audio from sample ``start`` on, to its end; an error of the stream is raised at its place."""
        # A reader that gives up in the middle must not break the stream: it is taken by a task of its own.
        self._taking = self._taking or asyncio.create_task(self._take())
        number = self._dropped
        while (item := await self._item(number)) is not None:
            number = max(number, self._dropped) + 1
            if not isinstance(item, AudioFrame):
                yield item
            elif item.end > start:
                cut = max(0, start - item.start)
                yield AudioFrame(item.start + cut, item.pcm[cut * SAMPLE_WIDTH_BYTES :]) if cut else item

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
        if self._taking:
            self._taking.cancel()
            await asyncio.gather(self._taking, return_exceptions=True)

    async def _item(self, number: int) -> AudioInput | None:
        """Return an item, counted from the beginning; nothing behind the last."""
        while max(number, self._dropped) >= self._dropped + len(self._kept):
            if self.error:
                raise self.error
            if self._has_ended:
                return None
            self._more.clear()
            await self._more.wait()
        number = max(number, self._dropped)
        self._read = max(self._read, number + 1)
        self._room.set()
        return self._kept[number - self._dropped]

    async def _take(self) -> None:
        try:
            async for item in self._audio:
                self._kept.append(item)
                self._more.set()
                while self._dropped + len(self._kept) - self._read >= _AHEAD:
                    self._room.clear()
                    await self._room.wait()
        except Exception as error:  # noqa: BLE001 - not swallowed: raised where it is read
            self.error = error
        self._has_ended = True
        self._more.set()
