"""Any audio input → frames. The decoding itself happens in the jail; this is the side that talks to it."""

import asyncio
import os
import shutil
import signal
import socket
import stat
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO, Final

from dragoman.audio.job import HEADER, STATUS, AudioInfo, DecodeLimits, DecodeRequest, Kind, RawFormat, Report
from dragoman.audio.process import DecoderJail, Job, shared_jail
from dragoman.domain.audio import AudioFrame
from dragoman.domain.errors import (
    AudioEmptyError,
    AudioLimitError,
    AudioNotFoundError,
    AudioUnreadableError,
    DragomanError,
    EngineFailedError,
)
from dragoman.domain.speech import Notice

__all__ = ["AudioInfo", "DecodeLimits", "DecodedAudio", "DecoderJail", "RawFormat", "open_audio"]

DEFAULT_LIMITS: Final = DecodeLimits()

_ERRORS: Final = {error.code: error for error in (AudioUnreadableError, AudioEmptyError, AudioLimitError)}


@asynccontextmanager
async def open_audio(
    source: Path | bytes | BinaryIO,
    *,
    channel: int | None = None,
    raw: RawFormat | None = None,
    limits: DecodeLimits = DEFAULT_LIMITS,
    jail: DecoderJail | None = None,
) -> AsyncIterator["DecodedAudio"]:
    """Open an input for decoding; leaving the context stops the decoder.

    A stream that is a pipe, socket or terminal (``sys.stdin.buffer``) is decoded while it flows, if nothing was read
    from it before; any other is copied first. ``channel`` counts from 0 and ``None`` mixes all channels down.

    Raises:
        AudioNotFoundError: if there is no such file or it may not be read.
        AudioUnreadableError, AudioEmptyError, AudioLimitError: if not a single frame can be had.
        EngineFailedError: if the decoder's process was killed.
    """
    request = DecodeRequest(channel, raw, limits)
    async with _readable_fd(source) as fd:
        job = (jail or shared_jail()).submit(fd, request)
    async with _reader(job) as reader:
        conversation = _Conversation(reader, job.leash, limits)
        kind, payload = await conversation.receive()
        if kind is not Kind.INFO:
            raise _error(payload)
        yield DecodedAudio(AudioInfo.from_json(payload), conversation)


class DecodedAudio:
    """An open input: iterate it once, for frames that follow each other from sample 0 on, and notices about it.

    Iteration raises as ``open_audio`` does when decoding fails midway, after all frames that were decoded.
    """

    def __init__(self, info: AudioInfo, conversation: "_Conversation") -> None:
        self.info = info
        self._conversation = conversation
        self._end = 0
        self._is_over = False

    def __aiter__(self) -> "DecodedAudio":
        return self

    async def __anext__(self) -> AudioFrame | Notice:
        if self._is_over:
            raise StopAsyncIteration
        kind, payload = await self._conversation.receive()
        match kind:
            case Kind.PCM:
                frame = AudioFrame(self._end, payload)
                self._end = frame.end
                return frame
            case Kind.NOTICE:
                report = Report.from_json(payload)
                return Notice(report.code, report.message)
            case Kind.ERROR:
                raise _error(payload)
            case _:
                self._is_over = True
                raise StopAsyncIteration


class _Conversation:
    """What the jail says about one job, message by message."""

    def __init__(self, reader: asyncio.StreamReader, leash: socket.socket, limits: DecodeLimits) -> None:
        self._reader = reader
        self._leash = leash
        self._limits = limits
        self._header: bytes | None = None

    async def receive(self) -> tuple[Kind, bytes]:
        """Return the next message; cancelled, it loses nothing.

        Raises:
            DragomanError: if the process ended without a last message.
        """
        try:
            if self._header is None:
                self._header = await self._reader.readexactly(HEADER.size)
            kind, size = HEADER.unpack(self._header)
            payload = await self._reader.readexactly(size)
        except asyncio.IncompleteReadError:
            raise await self._death() from None
        self._header = None
        return Kind(kind), payload

    async def _death(self) -> DragomanError:
        try:
            status = await asyncio.get_running_loop().sock_recv(self._leash, STATUS.size)
        except ConnectionResetError:  # the jail itself was killed
            status = b""
        (code,) = STATUS.unpack(status) if status else (-signal.SIGKILL,)
        if code == -signal.SIGXCPU:
            return AudioLimitError(
                f"Decoding took more than {self._limits.cpu_s} s of processor time; split the audio, or raise cpu_s."
            )
        if code == -signal.SIGKILL:
            return EngineFailedError("The decoder's process was killed from outside (out of memory?); try again.")
        return AudioUnreadableError(
            f"The decoder broke down on this input (status {code}); convert it with another program first."
        )


@asynccontextmanager
async def _reader(job: Job) -> AsyncIterator[asyncio.StreamReader]:
    reader = asyncio.StreamReader()
    with job.leash:
        pipe = os.fdopen(job.output_fd, "rb", buffering=0)
        try:
            transport, _ = await asyncio.get_running_loop().connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(reader), pipe
            )
        except BaseException:
            pipe.close()
            raise
        try:
            yield reader
        finally:
            transport.close()


@asynccontextmanager
async def _readable_fd(source: Path | bytes | BinaryIO) -> AsyncIterator[int]:
    if isinstance(source, Path):
        fd = _open_file(source)
        try:
            yield fd
        finally:
            os.close(fd)
    elif not isinstance(source, bytes) and (live_fd := _live_fd(source)) is not None:
        yield live_fd
    else:
        with tempfile.TemporaryFile() as copy:
            if isinstance(source, bytes):
                copy.write(source)
            else:
                await asyncio.to_thread(shutil.copyfileobj, source, copy)
            copy.seek(0)
            yield copy.fileno()


def _open_file(path: Path) -> int:
    try:
        # A named pipe without a writer must not block the event loop; the decoder waits for the writer.
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise AudioNotFoundError(f"There is no file '{path}'; check its name and folder.") from error
    except PermissionError as error:
        raise AudioNotFoundError(f"'{path}' may not be read; ask its owner for permission.") from error
    except (OSError, ValueError) as error:
        raise AudioNotFoundError(f"'{path}' cannot be opened ({error}); name an audio file.") from error
    if stat.S_ISDIR(os.fstat(fd).st_mode):
        os.close(fd)
        raise AudioNotFoundError(f"'{path}' is a directory; name an audio file in it.")
    return fd


def _live_fd(stream: BinaryIO) -> int | None:
    """Return the descriptor of a pipe, socket or terminal; ``None`` for anything that must be copied."""
    try:
        fd = stream.fileno()
        mode = os.fstat(fd).st_mode
    except (AttributeError, OSError):  # it lives in memory
        return None
    return fd if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISCHR(mode) else None


def _error(payload: bytes) -> DragomanError:
    report = Report.from_json(payload)
    return _ERRORS[report.code](report.message)
