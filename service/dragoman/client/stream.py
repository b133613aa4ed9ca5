"""One stream to a server: what is sent is kept until it is safe there, and a lost connection is resumed."""

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from dragoman.client.ring import Ring
from dragoman.domain.audio import SAMPLE_RATE_HZ
from dragoman.domain.errors import StreamFailedError
from dragoman.domain.events import (
    AudioAck,
    ConnectionClosing,
    EphemeralEvent,
    Event,
    ServerMessage,
    SessionEnded,
    WarningEvent,
    message_from_json,
)
from dragoman.domain.messages import (
    CONTAINERS,
    Configure,
    EndAudio,
    FlushAudio,
    KeepAlive,
    Resume,
    SessionWishes,
    ShowToken,
)

_KEPT_S: Final = 60.0
_GIVE_UP_S: Final = 60.0
_KEEPALIVE_S: Final = 5.0
_ANSWER_S: Final = 10.0
_CLOSE_S: Final = 1.0
_PAUSES_S: Final = (0.1, 5.0)

Key = str | Callable[[], str] | Callable[[], Awaitable[str]]
"""A key or a token, or what gives one that is good now, such as the identity of a program."""


@dataclass(frozen=True, slots=True)
class _Lost:
    """A connection that is gone; there may be another. ``after_s`` is when the server wants to see us again."""

    reason: str
    after_s: float = 0.0


class _ClosingError(Exception):
    """The server closes the connection and says why."""

    def __init__(self, closing: ConnectionClosing) -> None:
        super().__init__(closing.code)
        self.closing = closing


class Stream:
    """A session on a server: send audio and read events, at the same time. An asynchronous context manager.

    Audio that is not acknowledged is kept to be sent again, up to ``kept_s`` seconds; ``send`` waits while there is
    more. ``key`` may be a function: it is asked for each connection, and when the server says that a token ends.
    If no connection can be had for ``give_up_s``, reading raises ``StreamFailedError``.
    """

    def __init__(
        self,
        url: str,
        wishes: SessionWishes | None = None,
        *,
        key: Key | None = None,
        kept_s: float = _KEPT_S,
        give_up_s: float = _GIVE_UP_S,
    ) -> None:
        self._wishes = wishes or SessionWishes()
        audio = self._wishes.audio
        if audio.encoding in CONTAINERS:
            raise ValueError("A container cannot be resumed in its middle; stream bare samples, or post a file.")
        self._url = _stream_url(url)
        self._key = key
        self._give_up_s = give_up_s
        self._step = audio.frame_bytes
        self._ring = Ring(int(kept_s * audio.sample_rate_hz) * self._step)
        self._sent = 0  # bytes on this connection, counted from the stream's beginning
        self._flushes: deque[int] = deque()
        self._is_over = False
        self._session_id: str | None = None
        self._last_seq = 0
        self._acknowledged = 0
        self._more = asyncio.Event()
        self._room = asyncio.Event()
        self._events: asyncio.Queue[Event | StreamFailedError] = asyncio.Queue(256)
        self._running: asyncio.Task[None] | None = None
        self._has_ended = False
        self.connections = 0
        """How often a connection was made."""

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._running is not None
        if self._has_ended:  # it is saying good-bye: interrupted in that, it would leave its socket open
            await asyncio.wait([self._running], timeout=2 * _CLOSE_S)
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)

    @property
    def session_id(self) -> str | None:
        """The session's id, once it has begun."""
        return self._session_id

    @property
    def acknowledged_samples(self) -> int:
        """Samples (16 kHz) that are safe on the server."""
        return self._acknowledged

    async def send(self, data: bytes) -> None:
        """Send the next bytes of audio; waits while too much of it is not safe."""
        while not self._ring.has_room and not self._is_done:
            self._room.clear()
            await self._room.wait()
        self._ring.add(data)
        self._more.set()

    async def flush(self) -> None:
        """Ask for the open utterance to be closed here."""
        self._flushes.append(self._ring.end)
        self._more.set()

    async def end(self) -> None:
        """Send no more; the session ends when all of it is heard."""
        self._is_over = True
        self._more.set()

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield the session's events, each durable one once and in order, to ``session.ended``.

        Raises:
            StreamFailedError: if the session cannot be brought to its end.
        """
        while True:
            event = await self._events.get()
            if isinstance(event, StreamFailedError):
                raise event
            self._has_ended = isinstance(event, SessionEnded)
            yield event
            if self._has_ended:
                return

    @property
    def _is_done(self) -> bool:
        return self._running is None or self._running.done()

    async def _run(self) -> None:
        """Connect, and connect again, until the session has ended."""
        loop = asyncio.get_running_loop()
        pause_s, give_up_at_s = _PAUSES_S[0], loop.time() + self._give_up_s
        try:
            while True:
                before = self.connections
                lost = await self._connection()
                if lost is None:
                    return
                if self.connections > before:
                    pause_s, give_up_at_s = _PAUSES_S[0], loop.time() + self._give_up_s
                if loop.time() > give_up_at_s:
                    message = f"No connection to the server for {self._give_up_s:g} s: {lost.reason}."
                    await self._events.put(StreamFailedError(message))
                    return
                await asyncio.sleep(max(lost.after_s, pause_s * random.uniform(0.5, 1.0)))  # noqa: S311 - jitter
                pause_s = min(2 * pause_s, _PAUSES_S[1])
        except StreamFailedError as error:
            await self._events.put(error)
        finally:
            self._room.set()

    async def _connection(self) -> _Lost | None:
        """Serve one connection, to the session's end if it lasts; else return why it did not.

        Raises:
            StreamFailedError: if there is no use in another one.
        """
        try:
            async with connect(
                self._url,
                additional_headers={"Authorization": f"Bearer {key}"} if (key := await self._shown()) else {},
                compression=None,
                open_timeout=_ANSWER_S,
                ping_interval=5,
                ping_timeout=5,
                close_timeout=_CLOSE_S,
                max_size=None,
            ) as connection:
                await self._begin(connection)
                sending = asyncio.create_task(self._send_all(connection))
                try:
                    await self._read_all(connection)
                finally:
                    sending.cancel()
                    await asyncio.gather(sending, return_exceptions=True)
        except InvalidStatus as error:
            if error.response.status_code in (429, 503):
                return _Lost(f"the server answers {error.response.status_code}", 1.0)
            reason = bytes(error.response.body or b"").decode(errors="replace")
            raise StreamFailedError(
                f"The server refuses the stream ({error.response.status_code}): {reason}"
            ) from error
        except (OSError, TimeoutError, ConnectionClosed, InvalidHandshake) as error:
            return _Lost(str(error) or type(error).__name__)
        except _ClosingError as error:
            closing = error.closing
            if not closing.retryable and not (closing.code == "token_ended" and callable(self._key)):
                raise StreamFailedError(f"{closing.message} (code {closing.code})") from error
            return _Lost(closing.message, (closing.retry_after_ms or 0) / 1000)
        return None

    async def _begin(self, connection: ClientConnection) -> None:
        """Begin the session, or resume it where the server says."""
        if self._session_id is None:
            await connection.send(_json(Configure(**dict(self._wishes))))
            self._sent = 0
        else:
            await connection.send(_json(Resume(session_id=self._session_id, after_seq=self._last_seq)))
            # What came before the acknowledgement is handed on; audio waits for it.
            while not isinstance(message := await self._message(connection), AudioAck):
                if await self._take(message):
                    return
            await self._take(message)
            self._sent = self._position(message.accepted_samples)
        self.connections += 1

    async def _send_all(self, connection: ClientConnection) -> None:
        """Send audio as it comes, flushes at their places, and the end."""
        with contextlib.suppress(ConnectionClosed):  # the reader finds out too
            has_ended = False
            while True:
                self._more.clear()
                while self._flushes and self._flushes[0] <= self._sent:
                    self._flushes.popleft()
                    await connection.send(_json(FlushAudio()))
                data = self._ring.read(self._sent)
                if self._flushes:
                    data = data[: self._flushes[0] - self._sent]
                if data:
                    await connection.send(data)
                    self._sent += len(data)
                elif self._is_over and not has_ended:
                    await connection.send(_json(EndAudio()))
                    has_ended = True
                else:
                    try:
                        async with asyncio.timeout(_KEEPALIVE_S):
                            await self._more.wait()
                    except TimeoutError:
                        await connection.send(_json(KeepAlive()))

    async def _read_all(self, connection: ClientConnection) -> None:
        is_over = False
        while not is_over:
            message = await self._message(connection)
            if isinstance(message, WarningEvent) and message.code == "token_ending" and callable(self._key):
                await connection.send(_json(ShowToken(token=await self._shown() or "")))
            is_over = await self._take(message)

    async def _shown(self) -> str | None:
        """Return the key or token to show now."""
        shown = self._key() if callable(self._key) else self._key
        return await shown if isinstance(shown, Awaitable) else shown

    async def _message(self, connection: ClientConnection) -> ServerMessage:
        message = message_from_json(await connection.recv())
        if isinstance(message, ConnectionClosing):
            raise _ClosingError(message)
        return message

    async def _take(self, message: ServerMessage) -> bool:
        """Hand on an event that is new; return whether it is the last."""
        assert not isinstance(message, ConnectionClosing)
        if isinstance(message, AudioAck):
            self._acknowledged = max(self._acknowledged, message.accepted_samples)
            self._ring.forget(self._position(message.accepted_samples))
            self._room.set()
        if not isinstance(message, EphemeralEvent):
            if message.seq <= self._last_seq:
                return False
            self._last_seq = message.seq
            self._session_id = message.session_id
        await self._events.put(message)
        return isinstance(message, SessionEnded)

    def _position(self, samples: int) -> int:
        """Return where in our bytes a sample of the session clock begins; half a sample is rounded up."""
        twice = 2 * samples * self._wishes.audio.sample_rate_hz
        return (twice + SAMPLE_RATE_HZ) // (2 * SAMPLE_RATE_HZ) * self._step


async def stream(
    url: str,
    chunks: AsyncIterable[bytes] | Iterable[bytes],
    wishes: SessionWishes | None = None,
    *,
    key: Key | None = None,
) -> AsyncGenerator[Event, None]:
    """Yield the events of audio that comes in chunks: bare samples as ``wishes`` declares them.

    An error of ``chunks`` ends the audio, and is raised when what came before it has been heard.

    Raises:
        StreamFailedError: if the session cannot be brought to its end.
    """
    async with Stream(url, wishes, key=key) as opened:
        feeding = asyncio.create_task(_feed(opened, chunks))
        try:
            async with contextlib.aclosing(opened.events()) as events:
                async for event in events:
                    yield event
            if feeding.done():
                await feeding  # else the session ended before its audio, which may never end
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)


async def _feed(opened: Stream, chunks: AsyncIterable[bytes] | Iterable[bytes]) -> None:
    try:
        if isinstance(chunks, AsyncIterable):
            async for chunk in chunks:
                await opened.send(chunk)
        else:
            pieces = iter(chunks)
            while (piece := await asyncio.to_thread(lambda: next(pieces, None))) is not None:
                await opened.send(piece)
    finally:  # what came before trouble is still heard
        await opened.end()


def _json(message: BaseModel) -> str:
    return message.model_dump_json()


def _stream_url(url: str) -> str:
    """Return the address of the stream on a server that is given by any of its addresses."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    path = parts.path if parts.path.endswith("/v1/stream") else parts.path.rstrip("/") + "/v1/stream"
    return urlunsplit((scheme, parts.netloc, path, "", ""))
