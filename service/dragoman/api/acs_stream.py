"""One connection of Azure Communication Services: its messages become the audio of sessions, one per participant."""

import asyncio
from contextlib import suppress
from typing import Final

from starlette.websockets import WebSocket, WebSocketDisconnect

from dragoman.api.acs_calls import Call
from dragoman.api.acs_messages import Audio, Metadata, Other, parse
from dragoman.api.acs_track import Last, Packet, Track
from dragoman.api.door import Door
from dragoman.api.stream import close_code
from dragoman.domain.errors import DragomanError, IdleError, MessageInvalidError, RequestInvalidError, TakenOverError
from dragoman.domain.messages import AudioFormat, SessionWishes
from dragoman.domain.speech import Notice
from dragoman.store.calls import note_call

MOST_PARTICIPANTS: Final = 16
"""Of one call. Azure streams the four that are heard most at a time, and over an hour those may change."""

_LONGEST_REASON: Final = 123  # bytes; RFC 6455, section 5.5
_ENDS: Final = frozenset({1000, 1001, 1005})
"""Codes with which a client closes a stream that has ended."""


async def serve_call(websocket: WebSocket, door: Door, call: Call, wishes: SessionWishes) -> None:
    """Serve one connection, which takes the call over from the one before."""
    call.taken_over.set()
    call.taken_over = asyncio.Event()
    connection = _Connection(websocket, door, call, wishes)
    error: DragomanError | None = None
    async with call.streaming:
        try:
            await connection.serve()
        except WebSocketDisconnect:  # before its first message
            pass
        except DragomanError as found:
            error = found
    call.changed()
    if error:
        # Azure reads no messages of ours: all that can be said is said in the close frame.
        reason = f"{error.code}: {error}".encode()[:_LONGEST_REASON].decode(errors="ignore")
        with suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
            async with asyncio.timeout(door.patience.send_s):
                await websocket.close(close_code(error), reason)


class _Connection:
    """One WebSocket, and the tracks that are fed by it."""

    def __init__(self, websocket: WebSocket, door: Door, call: Call, wishes: SessionWishes) -> None:
        self._websocket = websocket
        self._server = door.server
        self._patience = door.patience
        self._call = call
        self._wishes = wishes
        self._running: dict[str | None, Track] = {}
        self._refused: set[str | None] = set()

    async def serve(self) -> None:
        """Take the call's audio, until the connection ends.

        Raises:
            DragomanError: why the connection must end.
            WebSocketDisconnect: if the client has left before it said anything.
        """
        audio = await self._first()
        taken_over, is_end = self._call.taken_over, False
        try:
            async with asyncio.TaskGroup() as group:
                watching = group.create_task(self._watch(taken_over))
                try:
                    is_end = await self._listen(audio, group)
                finally:
                    watching.cancel()
                for track in self._running.values():
                    await track.put(Last(is_end))
        except* DragomanError as errors:
            raise _first_of(errors) from None
        self._call.is_over = is_end

    async def _first(self) -> AudioFormat:
        try:
            async with asyncio.timeout(self._patience.first_message_s):
                first = parse(await self._receive())
        except TimeoutError:
            raise IdleError("Nothing came; AudioMetadata must be the first message.") from None
        if isinstance(first, Metadata):
            return first.audio
        raise MessageInvalidError("The first message must be AudioMetadata.")

    async def _watch(self, taken_over: asyncio.Event) -> None:
        await taken_over.wait()
        raise TakenOverError("Another connection streams this call now.")

    async def _listen(self, audio: AudioFormat, group: asyncio.TaskGroup) -> bool:
        """Take what comes; return whether the call's stream has ended, or only its connection."""
        while True:
            try:
                message = parse(await self._receive())
            except WebSocketDisconnect as left:
                return left.code in _ENDS
            match message:
                case Audio():
                    at_ms = self._call.clock(message.at)
                    if track := await self._track(message.participant, audio, group):
                        await track.put(Packet(at_ms, message.pcm))
                    await self._call.keep_pace(self._running.values())
                case Metadata():
                    if message.audio != audio:
                        raise MessageInvalidError("AudioMetadata changes the audio in its middle; connect again.")
                case Other():
                    pass

    async def _track(self, participant: str | None, audio: AudioFormat, group: asyncio.TaskGroup) -> Track | None:
        """Return the track of a participant, who may be new; ``None`` if there are too many."""
        if participant in self._running or participant in self._refused:
            return self._running.get(participant)
        try:
            track = await self._resumed(participant) or await self._opened(participant, audio)
        except DragomanError as error:
            if not self._running:
                raise
            self._refused.add(participant)
            told = Notice("participant_refused", f"Somebody more cannot be heard in this call: {error}")
            next(iter(self._running.values())).tell(told)
            return None
        self._running[participant] = track
        group.create_task(track.run(self._server.hub))
        return track

    async def _resumed(self, participant: str | None) -> Track | None:
        known = self._call.tracks.get(participant)
        live = await self._server.hub.resume(known.session_id) if known else None
        if known is None or live is None:
            return None
        known.resumed(live)
        return known

    async def _opened(self, participant: str | None, audio: AudioFormat) -> Track:
        if len(self._call.speakers) >= MOST_PARTICIPANTS and participant not in self._call.speakers:
            raise RequestInvalidError(f"{MOST_PARTICIPANTS} participants are heard already.")
        speaker = self._call.speaker(participant)
        source = "acs" if speaker is None else f"acs {speaker}"
        opened = await self._server.open(
            self._wishes.model_copy(update={"audio": audio, "source": source}), self._call.caller
        )
        engine, call = self._server.engine, self._call
        await asyncio.to_thread(note_call, engine, opened.live.session_id, call.call_id, speaker)
        track = Track(opened.live, speaker, audio)
        self._call.add(participant, track)
        return track

    async def _receive(self) -> str:
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            # uvicorn says 1005, a close frame without a code, also where there was no frame; only a frame has a reason.
            raise WebSocketDisconnect(message.get("code", 1005) if "reason" in message else 1006)
        data = message.get("bytes")
        if data is None:
            return message.get("text") or ""
        try:
            return bytes(data).decode()
        except UnicodeDecodeError:
            raise MessageInvalidError("A binary message is no text.") from None


def _first_of(errors: BaseExceptionGroup[DragomanError]) -> DragomanError:
    found: BaseException = errors
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    assert isinstance(found, DragomanError)
    return found
