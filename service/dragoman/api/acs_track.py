"""What one participant of a call says: a session whose audio stands where it was said on the call's clock."""

import asyncio
from dataclasses import dataclass
from typing import Final

from dragoman.audio.incoming import Incoming, incoming
from dragoman.domain.audio import SAMPLE_WIDTH_BYTES
from dragoman.domain.errors import DragomanError, DrainingError, EngineFailedError
from dragoman.domain.messages import AudioFormat
from dragoman.domain.speech import Notice
from dragoman.pipeline.hub import Hub
from dragoman.pipeline.live import Feed, LiveSession

_MOST_WAITING: Final = 1_500
"""Packets that may wait for a session, 30 s of them; then the connection has to."""

_GAP_MS: Final = 200
"""How far a packet must be ahead of its track to be later, and not only delayed: times are right to within that."""

_SILENCE_MS: Final = 500


@dataclass(frozen=True, slots=True)
class Packet:
    """Samples of one participant, and when they were spoken, on the call's clock, if that is known."""

    at_ms: float | None
    pcm: bytes


@dataclass(frozen=True, slots=True)
class Last:
    """Nothing follows on this connection; ``is_end`` if nothing will on another one."""

    is_end: bool


class Track:
    """What one participant says, or all of them mixed: a session, and how far it is on the call's clock."""

    def __init__(self, live: LiveSession, speaker: str | None, audio: AudioFormat) -> None:
        self.session_id = live.session_id
        self.speaker = speaker
        self.ms = 0.0
        self._live = live
        self._audio = audio
        self._waiting: asyncio.Queue[Packet | Last] = asyncio.Queue(_MOST_WAITING)
        self.sent_ms = 0.0

    def tell(self, notice: Notice) -> None:
        """Say something to who follows the session, as a warning."""
        self._live.tell(notice)

    def resumed(self, live: LiveSession) -> None:
        """Go on with the session after a lost connection."""
        self._live = live

    async def put(self, item: Packet | Last) -> None:
        """Hand over what came; waits while the session is too far behind."""
        if isinstance(item, Packet) and item.at_ms is not None:
            self.sent_ms = max(self.sent_ms, item.at_ms)
        await self._waiting.put(item)

    async def run(self, hub: Hub) -> None:
        """Hand on everything, until ``Last``.

        Raises:
            DragomanError: if the session ends before that, or can take no more.
        """
        with hub.connected(self.session_id):
            feed = await self._live.take_over()
            decoder = incoming(self._audio, None, feed.append, self._live.tell)
            carrying = asyncio.create_task(self._carry(decoder, feed))
            over = asyncio.create_task(self._live.is_over.wait())
            try:
                await asyncio.wait({carrying, over}, return_when=asyncio.FIRST_COMPLETED)
                if not carrying.done():
                    raise _over(self._live)
                await carrying
            finally:
                for task in (carrying, over):
                    task.cancel()
                await asyncio.gather(carrying, over, return_exceptions=True)
                await decoder.close()

    async def _carry(self, decoder: Incoming, feed: Feed) -> None:
        while isinstance(item := await self._waiting.get(), Packet):
            if item.at_ms is not None:
                await self._catch_up(item.at_ms, decoder, feed)
            await self._say(item.pcm, decoder, feed)
        await decoder.end()
        if item.is_end:
            feed.end()

    async def _catch_up(self, at_ms: float, decoder: Incoming, feed: Feed) -> None:
        """Be silent until the time of a packet, so that what is said stands where it was said."""
        if at_ms - self.ms < _GAP_MS:
            return
        samples = round((at_ms - self.ms) * self._audio.sample_rate_hz / 1_000)
        step = self._audio.sample_rate_hz * _SILENCE_MS // 1_000
        for start in range(0, samples, step):
            await self._say(bytes(SAMPLE_WIDTH_BYTES * min(step, samples - start)), decoder, feed)

    async def _say(self, pcm: bytes, decoder: Incoming, feed: Feed) -> None:
        await decoder.feed(pcm)
        self.ms += len(pcm) / SAMPLE_WIDTH_BYTES / self._audio.sample_rate_hz * 1_000
        await feed.room()


def _over(live: LiveSession) -> DragomanError:
    if live.has_ended:
        return EngineFailedError("A session of this call has ended before the call; its events say why.")
    return DrainingError("The server lets go of this call; connect again in a moment.")
